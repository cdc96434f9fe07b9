/* SPDX-License-Identifier: GPL-3.0-or-later */
/* others_worth: the part of others.h that says what another is worth, and how many hours
 * before it says most. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "common/ml/cross_correlation.h"
#include "common/ml/dataset.h"
#include "common/ml/gram.h"
#include "common/ml/others.h"

#define COLUMNS_MAX 9
/* By chance alone the best of 24 hours says what five columns would, not one: the mean of
 * the largest of 24 squares of normal numbers is 5.2. */
#define CHOSEN_COLUMNS 4
/* A correlation that is common by chance in a few weeks, and too small for worth. */
#define AT_ALL 0.08
enum { OWN = 5 }; /* columns of the own past */

/* A regression: columns of a, then of b, and the target behind them. */
struct rows {
    double *x; /* room for all hours. owned */
    size_t n, cols;
};

static struct rows rows_new(size_t hours)
{
    return (struct rows){.x = xmalloc((hours * (COLUMNS_MAX + 1) + 1) * sizeof(double))};
}

/* Those of the hours t whose columns are all there. a's own hours are 1-3, 24 and `lag`
 * before: what b says only because a was so, is nothing new. */
static void rows_make(struct rows *r, const double *a, const double *b, size_t n, int lag,
                      const int *of_b, size_t n_b)
{
    const int of_a[OWN] = {1, 2, 3, 24, lag};
    double *row = r->x;
    r->cols = OWN + n_b;
    for (size_t t = OTHERS_LAG_MAX; t < n; t++) {
        double sum = row[r->cols] = a[t];
        for (size_t c = 0; c < r->cols; c++)
            sum += row[c] =
                c < OWN ? a[t - (size_t)of_a[c]] : b[t - (size_t)of_b[c - OWN]];
        if (isfinite(sum))
            row += r->cols + 1;
    }
    r->n = (size_t)(row - r->x) / (r->cols + 1);
}

/* What the regression leaves of row i's target. */
static double rest(const struct rows *r, size_t cols, const struct linear_fit *f,
                   size_t i)
{
    const double *row = r->x + i * (r->cols + 1);
    double d = row[r->cols] - f->intercept;
    for (size_t c = 0; c < cols; c++)
        d -= f->coef[c] * (row[c] - f->mean[c]) / f->std[c];
    return d;
}

static int regress(const struct rows *r, size_t cols, struct linear_fit *f)
{
    struct gram *g = gram_new(cols);
    for (size_t i = 0; i < r->n; i++)
        gram_add(g, r->x + i * (r->cols + 1), r->x[i * (r->cols + 1) + r->cols]);
    int rc = gram_ridge(g, RIDGE_MIN_STRENGTH, f, NULL);
    gram_free(g);
    return rc;
}

/* Standard deviation of what a regression on the first cols columns leaves, which count
 * for `more` more; NaN if there is none. */
static double left(const struct rows *r, size_t cols, size_t more)
{
    struct linear_fit f;
    double ss = 0;
    int rc = regress(r, cols, &f);
    for (size_t i = 0; i < r->n && !rc; i++)
        ss += pow(rest(r, cols, &f, i), 2);
    return rc || r->n <= cols + more + 1 ? NAN
                                         : sqrt(ss / (double)(r->n - cols - more - 1));
}

void others_target_init(struct others_target *a, const struct hours *h)
{
    a->n = h->n - hours_holdout(h->n);
    a->y = xmalloc((a->n + 1) * sizeof *a->y);
    cross_without_day(h->y, a->n, NULL, h->start_s, a->y);
    a->rest = xmalloc((a->n + 1) * sizeof *a->rest);
    memset(a->own, 0, sizeof a->own);
    struct rows r = rows_new(a->n);
    struct linear_fit f;
    rows_make(&r, a->y, a->y, a->n, 1, NULL, 0);
    bool known = !regress(&r, OWN, &f);
    for (size_t t = 0, i = 0; t < a->n; t++) {
        bool row = t >= OTHERS_LAG_MAX && isfinite(a->y[t] + a->y[t - 1] + a->y[t - 2] +
                                                   a->y[t - 3] + a->y[t - 24]);
        a->rest[t] = row && known ? rest(&r, OWN, &f, i) : NAN;
        i += row;
    }
    free(r.x);
}

/* What its own past leaves, worked out when it is first asked for. */
static const struct others_own *own_of(struct others_target *a, int lag)
{
    struct others_own *own = &a->own[lag];
    if (own->rows)
        return own;
    struct rows r = rows_new(a->n);
    rows_make(&r, a->y, a->y, a->n, lag, NULL, 0);
    *own = (struct others_own){r.n, left(&r, OWN, 0)};
    free(r.x);
    return own;
}

void others_target_done(struct others_target *a)
{
    free(a->rest);
    free(a->y);
    *a = (struct others_target){0};
}

/* The share of the own error that so many hours of b take off it; NaN: cannot be told. */
static double gain(struct others_target *a, const double *b, int lag, const int *of_b,
                   size_t n_b, struct rows *r)
{
    const struct others_own *alone = own_of(a, lag);
    rows_make(r, a->y, b, a->n, lag, of_b, n_b);
    /* where b has all hours, the rows are those of a alone */
    double own = r->n == alone->rows ? alone->error : left(r, OWN, 0);
    return 1 - left(r, r->cols, lag > 3 ? CHOSEN_COLUMNS : 0) / own;
}

/* b's hours that count, as a's; owned. */
static double *without_day(const struct others_target *a, const struct hours *b)
{
    double *y = xmalloc((a->n + 1) * sizeof *y);
    cross_without_day(b->y, a->n, NULL, b->start_s, y);
    return y;
}

/* Does b go with what a's own past leaves at any lag? The search costs ten times as much,
 * and most series have nothing to do with each other. */
static bool any_at_all(const struct others_target *a, const double *b)
{
    struct cross_lag c;
    for (int lag = 1; lag <= OTHERS_LAG_MAX; lag++) {
        cross_at(a->rest, b, a->n, lag, &c);
        if (fabs(c.r) >= AT_ALL)
            return true;
    }
    return false;
}

int others_lag(struct others_target *a, const struct hours *b)
{
    struct rows r = rows_new(a->n);
    double *y = without_day(a, b), first = 0, most = 0;
    int best = 1, last = any_at_all(a, y) ? OTHERS_LAG_MAX : 0;
    for (int lag = 1; lag <= last; lag++) {
        double g = gain(a, y, lag, &lag, 1, &r);
        if (lag == 1 && g > 0)
            first = g;
        if (g > most) {
            most = g;
            best = lag;
        }
    }
    free(y);
    free(r.x);
    return most >= first + OTHERS_LAG_GAIN ? best : 1;
}

double others_worth(struct others_target *a, const struct hours *b, int lag)
{
    const int of_b[] = {1, 2, 3, lag};
    struct rows r = rows_new(a->n);
    double *y = without_day(a, b);
    double g = gain(a, y, lag, of_b, lag > 3 ? 4 : 3, &r);
    free(y);
    free(r.x);
    return g > 0 ? g : 0;
}

void others_lags(struct others *o, const struct hours *h)
{
    struct others_target a;
    struct hours b = *h;
    b.y = xmalloc((h->n + 1) * sizeof *b.y);
    others_target_init(&a, h);
    for (size_t i = 0; i < o->n; i++) {
        for (size_t t = 0; t < h->n; t++)
            b.y[t] = others_measured(o, i, h->start_s + (int64_t)t * 3600);
        o->of[i].lag = others_lag(&a, &b);
    }
    others_target_done(&a);
    free(b.y);
}
