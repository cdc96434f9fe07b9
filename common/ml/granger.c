/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/ml/granger.h"

#include <float.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

#include "common/mem.h"
#include "common/ml/design.h"
#include "common/ml/pvalue.h"

struct rows {
    const double *a, *b;
    const int *own, *other;
    size_t n_own, n_other, cols, used;
    double *x, *target; /* owned */
    size_t n;
};

static int check_lags(const int *lags, size_t n, const char *whose, struct err *e)
{
    for (size_t i = 0; i < n; i++)
        if (lags[i] < 1)
            return err_set(e, ERR_INVALID,
                           "lag %d of %s series is not in the past: lags begin at 1",
                           lags[i], whose);
    return 0;
}

static int check_values(const double *y, size_t n, const char *which, struct err *e)
{
    for (size_t i = 0; i < n; i++)
        if (fabs(y[i]) > DESIGN_VALUE_MAX)
            return err_set(e, ERR_INVALID,
                           "hour %zu of %s series is %g: numbers up to %g can be used", i,
                           which, y[i], DESIGN_VALUE_MAX);
    return 0;
}

/* The row of hour t; false if something it needs is missing. */
static bool fill_row(const struct rows *s, size_t t, double *x)
{
    bool whole = !isnan(s->a[t]);
    for (size_t i = 0; i < s->cols && whole; i++) {
        bool mine = i < s->n_own;
        size_t lag = (size_t)(mine ? s->own[i] : s->other[i - s->n_own]);
        whole = lag <= t;
        if (whole)
            x[i] = (mine ? s->a : s->b)[t - lag];
        whole = whole && !isnan(x[i]);
    }
    return whole;
}

static void make_rows(struct rows *s, size_t n)
{
    s->x = xcalloc(n * s->cols + s->cols, sizeof *s->x);
    s->target = xcalloc(n + 1, sizeof *s->target);
    for (size_t t = 0; t < n; t++)
        if (fill_row(s, t, s->x + s->n * s->cols))
            s->target[s->n++] = s->a[t];
}

/* The basis keeps the order of columns: what a's own lags explain is the first part of
 * the coordinates, what b's add the rest. */
static int compare(const struct design *d, const struct rows *s, struct granger *g,
                   struct err *e)
{
    double theta[DESIGN_COLS_MAX], sst = 0, sse = 0, gained = 0, top = 0;
    double *v = s->target, mean = design_centre(v, s->n);
    for (size_t r = 0; r < s->n; r++)
        top = fmax(top, fabs(v[r]));
    if (!(top > 1e-13 * fabs(mean)) || top < DBL_MIN / DBL_EPSILON)
        return err_set(e, ERR_CONFLICT,
                       "the series to be predicted is constant (%g): there is nothing "
                       "to explain",
                       mean);
    for (size_t r = 0; r < s->n; r++) {
        v[r] /= top;
        sst += v[r] * v[r];
    }
    design_project(d, v, theta);
    for (size_t r = 0; r < s->n; r++)
        sse += v[r] * v[r];
    for (size_t i = 0; i < d->rank; i++)
        gained += d->kept[i] < s->n_own ? 0 : theta[i] * theta[i];
    double noise = 1e-24 * (sst + mean / top * (mean / top) * (double)s->n);
    if (sse + gained <= noise)
        return err_set(e, ERR_CONFLICT,
                       "the series is exact by its own past: nothing can be added");
    double df1 = (double)g->added, df2 = (double)g->df;
    bool all = sse <= noise;
    g->r2_own = 1 - (sse + gained) / sst;
    g->r2_both = all ? 1 : 1 - sse / sst;
    g->f = all ? INFINITY : gained / df1 / (sse / df2);
    g->p = p_f(g->f, df1, df2);
    g->gain = all ? 1 : 1 - sqrt(sse / df2 / ((sse + gained) / (df1 + df2)));
    return 0;
}

static int regress(const struct rows *s, struct granger *g, struct err *e)
{
    struct design d;
    if (s->n < s->cols + s->used + 2)
        return err_set(e, ERR_CONFLICT,
                       "%zu hours have all of %zu lags in both series: %zu are needed",
                       s->n, s->cols, s->cols + s->used + 2);
    int rc = design_init(&d, s->x, s->n, s->cols, e);
    for (size_t i = 0; !rc && i < d.rank; i++)
        g->added += d.kept[i] >= s->n_own;
    if (!rc && !g->added)
        rc = err_set(e, ERR_CONFLICT,
                     "the other series is constant, or says nothing that the first one's "
                     "own past does not");
    if (!rc) {
        g->rows = s->n;
        g->df = s->n - d.rank - 1 - s->used;
        rc = compare(&d, s, g, e);
    }
    design_done(&d);
    return rc;
}

int granger(const double *a, const double *b, size_t n, const int *own, size_t n_own,
            const int *other, size_t n_other, size_t used, struct granger *g,
            struct err *e)
{
    struct rows s = {.used = used, .a = a, .b = b, .own = own, .other = other};
    *g = (struct granger){0};
    if (!n_own || !n_other || n_own > DESIGN_COLS_MAX ||
        n_other > DESIGN_COLS_MAX - n_own)
        return err_set(e, ERR_INVALID,
                       "%zu own lags and %zu of the other series: at least 1 of each is "
                       "needed, at most %d together",
                       n_own, n_other, DESIGN_COLS_MAX);
    if (check_lags(own, n_own, "the first", e) ||
        check_lags(other, n_other, "the other", e) ||
        check_values(a, n, "the first", e) || check_values(b, n, "the other", e))
        return -1;
    s.n_own = n_own, s.n_other = n_other, s.cols = n_own + n_other;
    make_rows(&s, n);
    int rc = regress(&s, g, e);
    free(s.target);
    free(s.x);
    return rc;
}
