/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/ml/system0.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "common/ml/algos.h"
#include "common/ml/linear.h"

static const struct feature_spec lags = {.n_lags = SYSTEM0_LAGS, .lags = {4, 3, 2, 1}};

static int64_t hour_of(int64_t t_s)
{
    return t_s - ((t_s % 3600) + 3600) % 3600;
}

/* Inner gaps linearly by row, the ends with the nearest value. */
static void interpolate_rows(double *y, size_t n)
{
    size_t first = 0, last = n;
    series_interpolate(y, n, n);
    while (first < n && !isfinite(y[first]))
        first++;
    while (last > first && !isfinite(y[last - 1]))
        last--;
    for (size_t i = 0; first < n && i < first; i++)
        y[i] = y[first];
    for (size_t i = last; last > first && i < n; i++)
        y[i] = y[last - 1];
}

static int check(const int64_t *t_s, const double *y, size_t n, struct err *e)
{
    size_t values = 0;
    if (n > SYSTEM0_MAX_MINUTES)
        return err_set(e, ERR_TOO_LARGE, "%zu minutes are too many: at most %d are read",
                       n, SYSTEM0_MAX_MINUTES);
    for (size_t i = 0; i < n; i++) {
        if (i && t_s[i] <= t_s[i - 1])
            return err_set(
                e, ERR_INVALID,
                "times must increase: row %zu is not later than the one before", i + 1);
        values += isfinite(y[i]);
    }
    if (!values)
        return err_set(e, ERR_CONFLICT, "there is no value at all");
    return 0;
}

int system0_hours(const int64_t *t_s, const double *y, size_t n, struct hours *h,
                  struct err *e)
{
    *h = (struct hours){0};
    if (check(t_s, y, n, e))
        return -1;
    int64_t start = hour_of(t_s[0]);
    uint64_t span = (uint64_t)(hour_of(t_s[n - 1]) - start) / 3600 + 1;
    if (hours_init(h, start, span > HOURS_MAX ? HOURS_MAX + 1 : (size_t)span, e))
        return -1;
    double *minutes = xmalloc(n * sizeof *minutes);
    memcpy(minutes, y, n * sizeof *minutes);
    interpolate_rows(minutes, n);
    for (size_t i = 0; i < n;) {
        int64_t hour = hour_of(t_s[i]);
        double sum = 0;
        size_t k = 0;
        for (; i < n && hour_of(t_s[i]) == hour; i++, k++)
            sum += minutes[i];
        hours_set(h, hour, sum / (double)k);
    }
    free(minutes);
    hours_interpolate(h, h->n);
    return 0;
}

/* Rows and room for what is forecast. */
static int make_rows(const struct hours *h, struct system0 *s, size_t least,
                     struct err *e)
{
    *s = (struct system0){0};
    s->rows = features_rows(&lags, h, &s->x, &s->target);
    s->yhat = xmalloc((s->rows + 1) * sizeof *s->yhat);
    if (s->rows < least)
        return err_set(e, ERR_CONFLICT, "%zu rows of four lags are needed, there are %zu",
                       least, s->rows);
    return 0;
}

/* One step ahead from every row; the scores of the rows from n_train on. */
static void forecast_rows(const struct model *m, struct system0 *s)
{
    double *last = xmalloc((s->rows + 1) * sizeof *last);
    for (size_t r = 0; r < s->rows; r++) {
        s->yhat[r] = linear_step(m, s->x + r * SYSTEM0_LAGS, 0);
        last[r] = s->x[r * SYSTEM0_LAGS + SYSTEM0_LAGS - 1];
    }
    size_t k = s->n_train;
    s->test = score(s->target + k, s->yhat + k, s->rows - k);
    s->persistence = score(s->target + k, last + k, s->rows - k);
    free(last);
}

int system0_fit(const struct hours *h, const char *series, struct system0 *s,
                struct err *e)
{
    if (make_rows(h, s, LINEAR_MIN_ROWS * 5 / 4 + 1, e))
        goto fail;
    s->n_train = s->rows - (s->rows + 4) / 5;
    s->model = model_new(&algo_ols, series);
    s->model->features = lags;
    strcpy(s->model->training.preset, "system0");
    struct hours first = hours_part(h, 0, SYSTEM0_LAGS + s->n_train);
    if (algo_ols.fit(s->model, &first, e))
        goto fail;
    forecast_rows(s->model, s);
    return 0;
fail:
    system0_done(s);
    return -1;
}

int system0_apply(const struct model *m, const struct hours *h, struct system0 *s,
                  struct err *e)
{
    if (m->features.n_lags != SYSTEM0_LAGS || !m->coef ||
        memcmp(m->features.lags, lags.lags, sizeof lags.lags[0] * SYSTEM0_LAGS)) {
        *s = (struct system0){0};
        return err_set(e, ERR_INVALID,
                       "the model does not read lag_4, lag_3, lag_2, lag_1");
    }
    if (make_rows(h, s, 1, e)) {
        system0_done(s);
        return -1;
    }
    forecast_rows(m, s);
    return 0;
}

void system0_done(struct system0 *s)
{
    model_free(s->model);
    free(s->x);
    free(s->target);
    free(s->yhat);
    *s = (struct system0){0};
}
