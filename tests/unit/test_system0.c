/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Parity with reference system 0: a synthetic twin whose numbers were made by
 * tests/cases/system0/twin.py, and the real golden run where its data are there. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/mem.h"
#include "common/ml/system0.h"
#include "tests/unit/near.h"
#include "tools/csv.h"

#define EXACT 1e-8

/* ---- the twin ---- */

#define TWIN_T0 INT64_C(1772359320) /* 2026-03-01T10:02:00Z */
#define TWIN_MINUTES 10080
#define TWIN_HOURS 169
#define TWIN_EMPTY 8
#define TWIN_ROWS 165
#define TWIN_TRAIN 132
static const double twin_row_0[] = {20.439655172413794, 21.415, 22.45, 23.403333333333332,
                                    24.455};
static const double twin_row_50[] = {22.450000000000003, 23.448467432950192,
                                     24.446934865900385, 25.445402298850574,
                                     26.443869731800767};
static const double twin_row_164[] = {23.576666666666668, 22.551666666666666, 21.5725,
                                      20.596666666666668, 20.133333333333333};
static const double twin_coef[] = {26.390190917798677, -1.2265176046181,
                                   3.0433518065633254, -5.803452076794523,
                                   7.111528809310597};
static const double twin_mean[] = {26.1364004266806, 26.222690917798676,
                                   26.293612634970394, 26.34923132183908};
static const double twin_std[] = {3.425694059424163, 3.4245674613829333,
                                  3.4212042458969165, 3.4179417107469527};
static const double twin_test[] = {0.22324899826537845, 0.2747936610861176,
                                   0.9930321323185988};
static const double twin_persistence[] = {0.9053535353535354, 0.9402743573039557,
                                          0.9184177536722467};

static size_t twin_minutes(int64_t *t, double *y)
{
    uint32_t x = 20260301;
    size_t n = 0;
    for (int i = 0; i < TWIN_MINUTES; i++) {
        x = (1103515245u * x + 12345u) & 0x7fffffffu;
        int p = i % 1440;
        int tenths =
            200 + (p < 720 ? p : 1440 - p) / 6 + i / 600 % 5 + (int)(x >> 16) % 7 - 3;
        if ((i >= 3000 && i < 3540) || (i >= 5000 && i < 5020))
            continue;
        t[n] = TWIN_T0 + 60 * i;
        y[n++] = i < 2 || (x >> 8) % 97 == 0 ? NAN : tenths / 10.0;
    }
    t[n] = TWIN_T0 + 60 * (TWIN_MINUTES - 1) + 12;
    y[n++] = NAN;
    return n;
}

static void same(const double *got, const double *want, size_t n)
{
    for (size_t i = 0; i < n; i++)
        assert_near(got[i], want[i], EXACT);
}

static void same_score(const struct score *s, const double want[3])
{
    assert_near(s->mae, want[0], EXACT);
    assert_near(s->rmse, want[1], EXACT);
    assert_near(s->r2, want[2], EXACT);
}

static void twin(void **state)
{
    (void)state;
    static int64_t t[TWIN_MINUTES + 1];
    static double y[TWIN_MINUTES + 1];
    struct hours h;
    struct system0 s;
    assert_int_equal(system0_hours(t, y, twin_minutes(t, y), &h, NULL), 0);
    assert_int_equal(h.n, TWIN_HOURS);
    assert_int_equal(h.start_s, TWIN_T0 - 120);
    assert_int_equal(hours_complete(&h), TWIN_HOURS);
    assert_int_equal(system0_fit(&h, "twin.temperature", &s, NULL), 0);
    assert_int_equal(s.rows, TWIN_ROWS);
    assert_int_equal(s.n_train, TWIN_TRAIN);
    const struct {
        size_t row;
        const double *want;
    } rows[] = {{0, twin_row_0}, {50, twin_row_50}, {164, twin_row_164}};
    for (size_t i = 0; i < 3; i++) {
        same(s.x + 4 * rows[i].row, rows[i].want, 4);
        same(s.target + rows[i].row, rows[i].want + 4, 1);
    }
    assert_near(s.model->intercept, twin_coef[0], EXACT);
    same(s.model->coef, twin_coef + 1, 4);
    same(s.model->mean, twin_mean, 4);
    same(s.model->std, twin_std, 4);
    same_score(&s.test, twin_test);
    same_score(&s.persistence, twin_persistence);
    system0_done(&s);
    hours_done(&h);
}

static void refusals(void **state)
{
    (void)state;
    struct hours h;
    struct system0 s;
    struct err e = ERR_INIT;
    const int64_t t[] = {0, 60, 60}, far[] = {0, INT64_C(3600) * (HOURS_MAX + 5)};
    const double y[] = {1, 2, 3}, none[] = {NAN, NAN};
    assert_int_equal(system0_hours(t, y, 3, &h, &e), -1);
    assert_string_equal(e.text,
                        "times must increase: row 3 is not later than the one before");
    assert_int_equal(system0_hours(t, none, 2, &h, &e), -1);
    assert_string_equal(e.text, "there is no value at all");
    assert_int_equal(system0_hours(t, y, 0, &h, &e), -1);
    assert_int_equal(system0_hours(far, y, 2, &h, &e), -1);
    assert_int_equal(system0_hours(t, y, 2, &h, &e), 0);
    assert_int_equal(system0_fit(&h, "a.b", &s, &e), -1);
    assert_string_equal(e.text, "31 rows of four lags are needed, there are 0");
    hours_done(&h);
}

/* ---- the golden run ---- */

static const char data_dir[] = "../shared/data/esp32-home";

static bool have_data(void)
{
    if (!access(data_dir, R_OK))
        return true;
    printf("skipped: %s is not there\n", data_dir);
    return false;
}

static struct hours golden_hours(const char *file, const char *column)
{
    enum { MOST = 20000 };
    int64_t *t = xcalloc(MOST, sizeof *t);
    double *y = xcalloc(MOST, sizeof *y);
    struct err e = ERR_INIT;
    size_t n = 0;
    char *path = xasprintf("%s/%s", data_dir, file);
    struct csv *c = csv_open(path, &e);
    if (!c || csv_next(c, &e) != 1)
        fail_msg("%s", e.text);
    csv_header(c);
    size_t time = (size_t)csv_column(c, "time"), value = (size_t)csv_column(c, column);
    int rc;
    while ((rc = csv_next(c, &e)) == 1 && n < MOST) {
        if (csv_time(c, time, &t[n], &e) || csv_real(c, value, &y[n], &e))
            fail_msg("%s", e.text);
        t[n++] /= 1000;
    }
    if (rc)
        fail_msg("%s", e.text);
    csv_close(c);
    struct hours h;
    if (system0_hours(t, y, n, &h, &e))
        fail_msg("%s", e.text);
    free(path);
    free(t);
    free(y);
    return h;
}

/* Compares the columns of a golden file with what stands in got, row by row. */
static void same_as_file(const char *file, const char *place, size_t columns,
                         double (*got)(const struct system0 *, size_t row, size_t column),
                         const struct system0 *s, size_t rows)
{
    struct err e = ERR_INIT;
    char *path = xasprintf("%s/golden/%s_%s.csv", data_dir, file, place);
    struct csv *c = csv_open(path, &e);
    assert_non_null(c);
    assert_int_equal(csv_next(c, &e), 1);
    size_t row = 0;
    while (csv_next(c, &e) == 1) {
        for (size_t k = 0; k < columns; k++) {
            double want;
            assert_int_equal(csv_real(c, k, &want, &e), 0);
            assert_near(got(s, row, k), want, EXACT);
        }
        row++;
    }
    assert_int_equal(row, rows);
    csv_close(c);
    free(path);
}

static double feature_cell(const struct system0 *s, size_t row, size_t column)
{
    return column < 4    ? s->x[4 * row + column]
           : column == 4 ? s->target[row]
                         : s->yhat[row];
}

static double split_cell(const struct system0 *s, size_t row, size_t column)
{
    return column ? s->yhat[s->n_train + row] : s->target[s->n_train + row];
}

static void same_array(const double *got, const json_t *want, size_t skip)
{
    for (size_t i = 0; i + skip < json_array_size(want); i++)
        assert_near(got[i], json_real_value(json_array_get(want, i + skip)), EXACT);
}

static void golden(const char *place, const double persistence[2], const double last[3],
                   const double last_persistence[2])
{
    char *column = xasprintf("temp_%s", place),
         *path = xasprintf("%s/golden/models.json", data_dir);
    struct hours h = golden_hours("raw_1min_kitchen_office.csv", column);
    struct hours later = golden_hours("raw_last12h.csv", column);
    struct system0 s, after;
    assert_int_equal(h.n, 169);
    assert_int_equal(system0_fit(&h, place, &s, NULL), 0);
    same_as_file("features", place, 5, feature_cell, &s, 165);
    same_as_file("test_split", place, 2, split_cell, &s, 33);

    json_t *models = json_load_file(path, 0, NULL), *m = json_object_get(models, place);
    json_t *coef = json_object_get(m, "coefficients"), *k = json_object_get(m, "metrics");
    assert_near(s.model->intercept, json_real_value(json_array_get(coef, 0)), EXACT);
    same_array(s.model->coef, coef, 1);
    same_array(s.model->mean, json_object_get(m, "scaler_mean"), 0);
    same_array(s.model->std, json_object_get(m, "scaler_std_population"), 0);
    assert_near(s.test.mae, json_real_value(json_object_get(k, "mae")), EXACT);
    assert_near(s.test.rmse, json_real_value(json_object_get(k, "rmse")), EXACT);
    assert_near(s.test.r2, json_real_value(json_object_get(k, "r2")), EXACT);
    assert_near(s.persistence.mae, persistence[0], 5.1e-6); /* published to 5 digits */
    assert_near(s.persistence.rmse, persistence[1], 5.1e-6);

    assert_int_equal(later.n, 13);
    assert_int_equal(system0_apply(s.model, &later, &after, NULL), 0);
    same_as_file("last12h_predictions", place, 6, feature_cell, &after, 9);
    assert_near(after.test.mae, last[0], 5.1e-7); /* published to 6 digits */
    assert_near(after.test.rmse, last[1], 5.1e-7);
    assert_near(after.test.r2, last[2], 5.1e-7);
    assert_near(after.persistence.mae, last_persistence[0], 5.1e-7);
    assert_near(after.persistence.rmse, last_persistence[1], 5.1e-7);
    json_decref(models);
    system0_done(&after);
    system0_done(&s);
    hours_done(&later);
    hours_done(&h);
    free(path);
    free(column);
}

static void golden_kitchen(void **state)
{
    (void)state;
    if (!have_data())
        skip();
    golden("kitchen", (const double[]){0.19419, 0.29449},
           (const double[]){0.254224, 0.315478, -0.818214},
           (const double[]){0.169018, 0.207443});
}

static void golden_office(void **state)
{
    (void)state;
    if (!have_data())
        skip();
    golden("office", (const double[]){0.34524, 0.42638},
           (const double[]){0.566171, 0.643332, 0.653410},
           (const double[]){0.787967, 0.869020});
}

/* The longer file that its author had already interpolated: the published table. */
static void golden_cleaned(void **state)
{
    (void)state;
    if (!have_data())
        skip();
    static const struct {
        const char *column;
        double mae, rmse, r2, p_mae, p_rmse;
    } want[] = {{"temp_kitchen", .22313, .30313, .81733, .19868, .29944},
                {"temp_office", .21840, .30741, .97144, .44493, .55470}};
    for (int i = 0; i < 2; i++) {
        struct hours h =
            golden_hours("cleaned_iot_data_20251109_1550.csv", want[i].column);
        struct system0 s;
        assert_int_equal(system0_fit(&h, "x", &s, NULL), 0);
        assert_int_equal(s.rows, 180);
        assert_int_equal(s.n_train, 144);
        assert_near(s.test.mae, want[i].mae, 5.1e-6);
        assert_near(s.test.rmse, want[i].rmse, 5.1e-6);
        assert_near(s.test.r2, want[i].r2, 5.1e-6);
        assert_near(s.persistence.mae, want[i].p_mae, 5.1e-6);
        assert_near(s.persistence.rmse, want[i].p_rmse, 5.1e-6);
        system0_done(&s);
        hours_done(&h);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(twin),           cmocka_unit_test(refusals),
        cmocka_unit_test(golden_kitchen), cmocka_unit_test(golden_office),
        cmocka_unit_test(golden_cleaned),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
