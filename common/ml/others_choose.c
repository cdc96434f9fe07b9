/* SPDX-License-Identifier: GPL-3.0-or-later */
/* others_choose: which of the series that could stand beside one are worth reading, and
 * which of them say the same as another. */
#include <gsl/gsl_statistics_double.h>
#include <math.h>
#include <stdlib.h>

#include "common/buf.h"
#include "common/json.h"
#include "common/mem.h"
#include "common/ml/collinearity.h"
#include "common/ml/others_choose.h"

#define TEXT_MAX 1024
#define ALIKE 0.9
#define VIF_NEARLY 100 /* R² of 0.99 */
#define ROWS_MIN 24    /* hours that all have, for relations to be looked for */

/* The hours that the series and all others have, the series first; owned. */
static double *common_rows(const struct others_asked *a, size_t *rows)
{
    size_t cols = a->n + 1;
    double *x = xmalloc((a->hours->n * cols + 1) * sizeof *x), *row = x;
    for (size_t t = 0; t < a->hours->n; t++) {
        double sum = row[0] = a->hours->y[t];
        for (size_t i = 0; i < a->n; i++)
            sum += row[i + 1] = a->other[i]->y[t];
        if (isfinite(sum))
            row += cols;
    }
    *rows = (size_t)(row - x) / cols;
    return x;
}

/* Do two columns go together at all? What is a function of another does; to look for
 * relations costs as much as a tenth of a training. */
static bool any_alike(const double *x, size_t rows, size_t cols)
{
    for (size_t i = 0; i < cols; i++)
        for (size_t k = 0; k < i; k++)
            if (fabs(gsl_stats_correlation(x + i, cols, x + k, cols, rows)) > ALIKE)
                return true;
    return false;
}

/* A sentence for each that the ones before it make up exactly; or nearly: the means of an
 * hour are no longer powers of one another where the readings are. */
static void tell_ties(const struct collinearity *c, const char *const *names, bool logs,
                      bool exactly, bool *told, json_t *out)
{
    struct buf b;
    buf_init(&b, TEXT_MAX);
    for (size_t i = 0; i < c->cols; i++) {
        const struct column_tie *t = &c->tie[i];
        bool nearly = t->state == COLUMN_KEPT && t->vif >= VIF_NEARLY &&
                      isfinite(t->vif) && t->partner < i;
        if (told[i] || !(exactly ? t->state == COLUMN_EXPLAINED : nearly))
            continue;
        told[i] = true;
        if (exactly)
            collinearity_text(&b, c, i, names, logs);
        else
            buf_addf(&b,
                     "%s%s is nearly a function of the others, above all of %s (R² %.4f)",
                     logs ? "ln " : "", names[i], names[t->partner], 1 - 1 / t->vif);
        json_array_append_new(out, json_string(b.data));
        buf_reset(&b);
    }
    buf_done(&b);
}

/* New array: what is a function of what, as it is or on logarithms. */
static json_t *ties(const struct others_asked *a)
{
    const char *names[OTHERS_CONSIDERED_MAX + 1] = {a->series};
    bool told[OTHERS_CONSIDERED_MAX + 1] = {false};
    json_t *out = json_array();
    struct design d;
    struct collinearity plain, logs;
    size_t rows;
    double *x = common_rows(a, &rows);
    for (size_t i = 0; i < a->n; i++)
        names[i + 1] = a->name[i];
    if (rows >= ROWS_MIN && any_alike(x, rows, a->n + 1) &&
        !design_init(&d, x, rows, a->n + 1, NULL)) {
        collinearity(&d, &plain);
        collinearity_of_logs(x, rows, a->n + 1, &logs);
        tell_ties(&plain, names, false, true, told, out);
        tell_ties(&logs, names, true, true, told, out);
        tell_ties(&plain, names, false, false, told, out);
        tell_ties(&logs, names, true, false, told, out);
        collinearity_done(&logs);
        collinearity_done(&plain);
        design_done(&d);
    }
    free(x);
    return out;
}

/* The next to be read: one that was asked for, else the one worth most; -1: none is. */
static int next(const struct others_asked *a, const double *worth, const bool *taken)
{
    int best = -1;
    for (size_t i = 0; i < a->n; i++) {
        bool good = a->asked[i] || worth[i] >= OTHERS_WORTH;
        if (taken[i] || !good)
            continue;
        bool better = best < 0 || a->asked[i] > a->asked[best] ||
                      (a->asked[i] == a->asked[best] && worth[i] > worth[best]);
        best = better ? (int)i : best;
    }
    return best;
}

/* Pearson's, over the hours that both have; NaN where these are few or one rests. */
static double correlation(const struct hours *a, const struct hours *b)
{
    double *x = xmalloc((2 * a->n + 1) * sizeof *x), *y = x + a->n;
    size_t n = 0;
    for (size_t t = 0; t < a->n; t++)
        if (isfinite(a->y[t]) && isfinite(b->y[t])) {
            x[n] = a->y[t];
            y[n++] = b->y[t];
        }
    double r = n < ROWS_MIN ? NAN : gsl_stats_correlation(x, 1, y, 1, n);
    free(x);
    return r;
}

static json_t *told(const struct others_asked *a, size_t i, double worth, bool read)
{
    return json_pack("{s:s, s:o, s:f, s:b, s:b}", "series", a->name[i], "correlation",
                     json_number(correlation(a->hours, a->other[i])), "worth", worth,
                     "asked_for", a->asked[i], "read", read);
}

json_t *others_choose(const struct others_asked *a, struct others *out)
{
    double worth[OTHERS_CONSIDERED_MAX];
    bool taken[OTHERS_CONSIDERED_MAX] = {false};
    struct others_target target;
    json_t *considered = json_array();
    others_init(out, a->hours);
    others_target_init(&target, a->hours);
    for (size_t i = 0; i < a->n; i++)
        worth[i] = others_worth(&target, a->other[i]);
    others_target_done(&target);
    for (int i; out->n < OTHERS_MAX && (i = next(a, worth, taken)) >= 0;) {
        taken[i] = true;
        others_add(out, a->name[i], a->other[i]);
    }
    for (size_t i = 0; i < a->n; i++)
        json_array_append_new(considered, told(a, i, worth[i], taken[i]));
    return json_pack("{s:o, s:o}", "considered", considered, "same", ties(a));
}
