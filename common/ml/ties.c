/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/ml/ties.h"

#include <gsl/gsl_statistics_double.h>
#include <math.h>
#include <stdlib.h>

#include "common/buf.h"
#include "common/json.h"
#include "common/mem.h"
#include "common/ml/collinearity.h"

#define TEXT_MAX 1024
#define ALIKE 0.9
#define HOUR_S 3600

/* ---- the hours that all have ---- */

struct rows {
    size_t n, cols;
    double *x; /* n × cols, row major. owned */
    const char *name[TIES_MAX];
};

static double value_at(const struct hours *h, int64_t t_s)
{
    int64_t i = (t_s - h->start_s) / HOUR_S;
    return t_s >= h->start_s && i < (int64_t)h->n ? h->y[i] : NAN;
}

/* Takes of all[] (n hours from start_s) those off that h does not have, unless fewer than
 * least are left. */
static bool join(bool *all, size_t n, int64_t start_s, const struct hours *h,
                 size_t least)
{
    size_t both = 0;
    for (size_t t = 0; t < n; t++)
        both += all[t] && isfinite(value_at(h, start_s + (int64_t)t * HOUR_S));
    for (size_t t = 0; both >= least && t < n; t++)
        all[t] = all[t] && isfinite(value_at(h, start_s + (int64_t)t * HOUR_S));
    return both >= least;
}

static void rows_init(struct rows *r, const struct ties_asked *a)
{
    const struct hours *first = NULL, *taken[TIES_MAX];
    size_t most = 0, at = 0;
    bool *all = NULL;
    *r = (struct rows){0};
    for (size_t i = 0; i < a->n; i++) {
        size_t complete = hours_complete(a->hours[i]);
        most = complete > most ? complete : most;
    }
    for (size_t i = 0; most && i < a->n; i++) {
        const struct hours *h = a->hours[i];
        if (!first && 2 * hours_complete(h) >= most) { /* its hours are the grid */
            first = h;
            all = xmalloc(h->n * sizeof *all);
            for (size_t t = 0; t < h->n; t++)
                all[t] = true;
        }
        if (!first || !join(all, first->n, first->start_s, h, (most + 1) / 2))
            continue;
        taken[r->cols] = h;
        r->name[r->cols++] = a->name[i];
    }
    r->x = xmalloc((first ? first->n * r->cols : 1) * sizeof *r->x);
    for (size_t t = 0; first && t < first->n; t++) {
        for (size_t i = 0; all[t] && i < r->cols; i++)
            r->x[at++] = value_at(taken[i], first->start_s + (int64_t)t * HOUR_S);
        r->n += all[t];
    }
    free(all);
}

static bool any_alike(const struct rows *r)
{
    for (size_t i = 0; i < r->cols; i++)
        for (size_t k = 0; k < i; k++)
            if (fabs(gsl_stats_correlation(r->x + i, r->cols, r->x + k, r->cols, r->n)) >
                ALIKE)
                return true;
    return false;
}

/* ---- on the values or on their logarithms ---- */

struct side {
    bool logs;
    const double *x;
    struct design d;
    struct collinearity c;
};

static void side_init(struct side *s, const struct rows *r, const double *x, bool logs)
{
    *s = (struct side){.logs = logs, .x = x};
    if (!design_init(&s->d, x, r->n, r->cols, NULL))
        collinearity(&s->d, &s->c);
}

static void side_done(struct side *s)
{
    collinearity_done(&s->c);
    design_done(&s->d);
}

/* Of a column that is kept, on those before it: what is left of its length of 1 is its
 * own coordinate. NaN of one that is not. */
static double r2_before(const struct side *s, size_t i)
{
    for (size_t k = 0; k < s->d.rank; k++)
        if (s->d.kept[k] == i) {
            double own = s->d.r[i * s->d.cols + k];
            return 1 - own * own;
        }
    return NAN;
}

static double adjusted(const struct side *s, size_t i)
{
    double rows = (double)s->d.rows, left = rows - (double)i - 1;
    return left > 0 ? 1 - (1 - r2_before(s, i)) * (rows - 1) / left : NAN;
}

/* The column before i that goes with it most. */
static size_t partner(const struct side *s, size_t i)
{
    size_t best = 0, cols = s->d.cols;
    double most = -1;
    for (size_t k = 0; k < i; k++) {
        double r =
            s->d.state[k] != COLUMN_CONSTANT
                ? fabs(gsl_stats_correlation(s->x + i, cols, s->x + k, cols, s->d.rows))
                : -1;
        if (r > most) {
            most = r;
            best = k;
        }
    }
    return best;
}

/* ---- telling ---- */

static json_t *tie(const struct rows *r, const struct side *s, size_t i, bool exact,
                   double r2, json_t *of, const char *text)
{
    return json_pack("{s:s, s:b, s:b, s:f, s:o, s:o, s:s}", "series", r->name[i], "exact",
                     exact, "logarithms", s->logs, "r2", r2, "offset",
                     exact ? json_number(s->c.tie[i].offset) : json_null(), "of", of,
                     "text", text);
}

static json_t *exactly(const struct rows *r, const struct side *s, size_t i)
{
    json_t *of = json_array(), *one;
    struct buf b;
    buf_init(&b, TEXT_MAX);
    for (size_t k = 0; k < r->cols; k++)
        if (s->c.tie[i].weight[k] != 0)
            json_array_append_new(of, json_pack("{s:s, s:f}", "name", r->name[k],
                                                "weight", s->c.tie[i].weight[k]));
    collinearity_text(&b, &s->c, i, r->name, s->logs);
    one = tie(r, s, i, true, 1, of, b.data);
    buf_done(&b);
    return one;
}

static json_t *nearly(const struct rows *r, const struct side *s, size_t i)
{
    const char *with = r->name[partner(s, i)], *ln = s->logs ? "ln " : "";
    double r2 = r2_before(s, i);
    json_t *of = json_pack("[{s:s, s:n}]", "name", with, "weight"), *one;
    struct buf b;
    buf_init(&b, TEXT_MAX);
    buf_addf(&b, "%s%s is nearly a function of the others, above all of %s%s (R² ", ln,
             r->name[i], ln, with);
    if (r2 > 0.999999)
        buf_adds(&b, "above 0.999999)"); /* rounded it would seem exact */
    else
        buf_addf(&b, "%.6g)", r2);
    one = tie(r, s, i, false, r2, of, b.data);
    buf_done(&b);
    return one;
}

/* What there is to tell of column i; NULL: nothing. Of two near relations the nearer. */
static json_t *look(const struct rows *r, const struct side *plain,
                    const struct side *logs, size_t i)
{
    if (plain->d.state[i] == COLUMN_EXPLAINED)
        return exactly(r, plain, i);
    if (logs->d.state[i] == COLUMN_EXPLAINED)
        return exactly(r, logs, i);
    double a = adjusted(plain, i), b = adjusted(logs, i);
    if (b >= TIES_NEARLY && !(a >= b))
        return nearly(r, logs, i);
    return a >= TIES_NEARLY ? nearly(r, plain, i) : NULL;
}

json_t *ties_find(const struct ties_asked *a)
{
    json_t *out = json_array();
    struct rows r;
    rows_init(&r, a);
    if (r.cols > 1 && r.n >= TIES_ROWS_MIN && r.n >= TIES_ROWS * r.cols &&
        (!a->quick || any_alike(&r))) {
        double *x = collinearity_logs(r.x, r.n, r.cols);
        struct side plain, logs;
        side_init(&plain, &r, r.x, false);
        side_init(&logs, &r, x, true);
        for (size_t i = 1; plain.c.cols && logs.c.cols && i < r.cols; i++) {
            json_t *one = look(&r, &plain, &logs, i);
            if (one)
                json_array_append_new(out, one);
        }
        side_done(&logs);
        side_done(&plain);
        free(x);
    }
    free(r.x);
    return out;
}
