/* SPDX-License-Identifier: GPL-3.0-or-later */
/* backtest_system0: the reference system's features, coefficients and errors from its own
 * minutes (common/ml/system0.h). */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "common/json.h"
#include "common/mem.h"
#include "common/ml/system0.h"
#include "common/plain.h"
#include "tools/backtest.h"
#include "tools/backtest_input.h"
#include "tools/backtest_rows.h"
#include "tools/output.h"

/* "temp_kitchen" -> "kitchen.temperature"; other names stay. */
static char *series_name(const char *column)
{
    if (!strncmp(column, "temp_", 5))
        return xasprintf("%s.temperature", column + 5);
    if (!strncmp(column, "hum_", 4))
        return xasprintf("%s.humidity", column + 4);
    return xstrdup(column);
}

static json_t *reals(const double *v, size_t n)
{
    json_t *a = json_array();
    for (size_t i = 0; i < n; i++)
        json_array_append_new(a, json_number(v[i]));
    return a;
}

static json_t *score_json(const struct score *s)
{
    return json_pack("{s:I, s:o, s:o, s:o, s:o}", "n", (json_int_t)s->n, "mae",
                     json_number(s->mae), "rmse", json_number(s->rmse), "r2",
                     json_number(s->r2), "bias", json_number(s->bias));
}

static json_t *features_json(const struct system0 *s)
{
    json_t *rows = json_array();
    for (size_t r = 0; r < s->rows; r++)
        json_array_append_new(rows, reals(s->x + r * SYSTEM0_LAGS, SYSTEM0_LAGS));
    return json_pack("{s:[s,s,s,s], s:o, s:o, s:o}", "columns", "lag_4", "lag_3", "lag_2",
                     "lag_1", "rows", rows, "target", reals(s->target, s->rows), "yhat",
                     reals(s->yhat, s->rows));
}

static json_t *series_json(const char *name, const char *column, const struct system0 *s,
                           const struct system0 *later)
{
    const struct model *m = s->model;
    double coef[1 + SYSTEM0_LAGS] = {m->intercept};
    memcpy(coef + 1, m->coef, SYSTEM0_LAGS * sizeof *coef);
    json_t *o = json_pack(
        "{s:s, s:s, s:I, s:I, s:o, s:[s,s,s,s,s], s:o, s:{s:o, s:o}, s:o, s:o}", "series",
        name, "column", column, "train_rows", (json_int_t)s->n_train, "test_rows",
        (json_int_t)(s->rows - s->n_train), "features", features_json(s), "columns",
        "const", "lag_4", "lag_3", "lag_2", "lag_1", "coefficients",
        reals(coef, 1 + SYSTEM0_LAGS), "scaler", "mean", reals(m->mean, SYSTEM0_LAGS),
        "std", reals(m->std, SYSTEM0_LAGS), "metrics", score_json(&s->test),
        "persistence", score_json(&s->persistence));
    if (later)
        json_object_set_new(o, "evaluation",
                            json_pack("{s:o, s:o, s:o}", "features", features_json(later),
                                      "metrics", score_json(&later->test), "persistence",
                                      score_json(&later->persistence)));
    return o;
}

static void print_score(const char *what, const struct score *s)
{
    printf("  %-28s %5zu %10.8f %10.8f %11.8f\n", what, s->n, s->mae, s->rmse, s->r2);
}

static void print_series(const char *name, const struct system0 *s,
                         const struct system0 *later)
{
    static const char *const lags[] = {"lag_4", "lag_3", "lag_2", "lag_1"};
    plain_put(stdout, name);
    printf(": %zu rows, %zu for training, %zu for the test\n", s->rows, s->n_train,
           s->rows - s->n_train);
    printf("  %-8s %14s %14s %14s\n", "", "coefficient", "scaler mean", "scaler std");
    printf("  %-8s %14.8f\n", "const", s->model->intercept);
    for (int i = 0; i < SYSTEM0_LAGS; i++)
        printf("  %-8s %14.8f %14.8f %14.8f\n", lags[i], s->model->coef[i],
               s->model->mean[i], s->model->std[i]);
    printf("  %-28s %5s %10s %10s %11s\n", "one hour ahead", "n", "MAE", "RMSE", "R2");
    print_score("system0, test part", &s->test);
    print_score("persistence, same rows", &s->persistence);
    if (later) {
        print_score("system0, --evaluate", &later->test);
        print_score("persistence, same rows", &later->persistence);
    }
    putchar('\n');
}

/* The rows from `from` on; the hour before a target is its origin. */
static void put_rows(FILE *out, const char *name, const struct hours *h,
                     const struct system0 *s)
{
    for (size_t r = s->n_train; r < s->rows; r++) {
        int64_t origin_s = h->start_s + (int64_t)(r + SYSTEM0_LAGS - 1) * 3600;
        rows_put(out, name, "system0", origin_s, 1, s->yhat[r], s->target[r]);
        rows_put(out, name, "persistence", origin_s, 1,
                 s->x[r * SYSTEM0_LAGS + SYSTEM0_LAGS - 1], s->target[r]);
    }
}

/* Column k of m, and with --evaluate the column of that name of later. */
static int one_column(const struct backtest_opts *o, const struct minutes *m, size_t k,
                      const struct minutes *later, FILE *out, json_t *list, struct err *e)
{
    struct hours h = {0}, h2 = {0};
    struct system0 s = {0}, s2 = {0};
    char *name = series_name(m->name[k]);
    size_t j = 0;
    int rc = -1;
    while (j < later->columns && strcmp(later->name[j], m->name[k]))
        j++;
    bool both = j < later->columns;
    if (o->evaluate && !both) {
        err_set(e, ERR_INVALID, "%.100s has no such column", o->evaluate);
        goto out;
    }
    if (system0_hours(m->t_s, m->y[k], m->n, &h, e) || system0_fit(&h, name, &s, e))
        goto out;
    if (both && (system0_hours(later->t_s, later->y[j], later->n, &h2, e) ||
                 system0_apply(s.model, &h2, &s2, e))) {
        err_prefix(e, "%.60s", o->evaluate);
        goto out;
    }
    put_rows(out, name, &h, &s);
    if (both)
        put_rows(out, name, &h2, &s2);
    if (o->json)
        json_array_append_new(list, series_json(name, m->name[k], &s, both ? &s2 : NULL));
    else if (out != stdout)
        print_series(name, &s, both ? &s2 : NULL);
    rc = 0;
out:
    if (rc)
        err_prefix(e, "column %.60s", m->name[k]);
    system0_done(&s2);
    system0_done(&s);
    hours_done(&h2);
    hours_done(&h);
    free(name);
    return rc;
}

int backtest_system0(const struct backtest_opts *o, struct err *e)
{
    struct minutes m = {0}, later = {0};
    FILE *out = NULL;
    struct output to = {0};
    int rc = -1;
    json_t *doc = json_pack("{s:s, s:[]}", "preset", "system0", "series");
    if (input_minutes(o->file.path, &m, e))
        goto out;
    if (o->evaluate && input_minutes(o->evaluate, &later, e))
        goto out;
    if (!m.n) {
        err_set(e, ERR_INVALID, "%.100s holds no minutes", input_file_name(&o->file));
        goto out;
    }
    if (rows_open(o->rows, &out, e))
        goto out;
    rc = 0;
    for (size_t k = 0; !rc && k < m.columns; k++) {
        rc = one_column(o, &m, k, &later, out, json_object_get(doc, "series"), e);
        output_flush(&to);
    }
    if (!rc && o->json) {
        struct buf b;
        buf_init(&b, (size_t)1 << 30);
        json_write(&b, doc);
        plain_put(out == stdout ? stderr : stdout, b.data);
        fputc('\n', out == stdout ? stderr : stdout);
        buf_done(&b);
    }
    rc = rc ? rc : output_end(&to, e);
    struct err closing = ERR_INIT;
    if (rows_close(out, o->rows, &closing) && !rc) {
        *e = closing;
        rc = -1;
    }
out:
    json_decref(doc);
    minutes_done(&later);
    minutes_done(&m);
    return rc;
}
