/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The subcommand on files: what it reads, what it refuses, and that its figures on the
 * reference system's minutes are the golden ones. */
#include "tests/unit/subcommand.h"

#include <jansson.h>

#include "common/mem.h"
#include "common/ml/candidates.h"
#include "tests/unit/near.h"
#include "tools/backtest.h"
#include "tools/backtest_input.h"
#include "tools/backtest_rows.h"
#include "tools/csv.h"

#define RUN(...) run(backtest_main, (const char *const[]){__VA_ARGS__, NULL})

static void command_line(void **state)
{
    (void)state;
    assert_int_equal(RUN("--help"), 0);
    said("fieldcast backtest --preset system0 --json");
    assert_int_equal(RUN("--preset", "system1", "x"), 2);
    said("--preset must be system0, not system1");
    assert_int_equal(RUN("--freq", "1d", "x"), 2);
    said("--freq must be 1h, not 1d: models are hourly");
    assert_int_equal(RUN("--preset", "system0", "--wide", "x"), 2);
    assert_int_equal(RUN("--evaluate", "y", "x"), 2);
    assert_int_equal(RUN("--start", "2026-11-20T10:00:00Z", "x"), 2);
    assert_int_equal(RUN("--wide", "--start", "2026-11-20T10:30:00Z", "x"), 2);
    said("--start must be a whole hour from 1970 on");
    assert_int_equal(RUN("--input", "x", "y"), 2);
    said("give the file once: --input x or y");
    assert_int_equal(RUN("--horizon", "49", "x"), 2);
    assert_int_equal(RUN("/nonexistent.csv"), 1);
    said(
        "fieldcast backtest: could not open /nonexistent.csv: No such file or directory");
}

static void long_form(void **state)
{
    (void)state;
    struct input in;
    struct err e = ERR_INIT;
    write_input("series,time,value\n"
                "b,2026-11-20T11:59:59Z,3\n"
                "a,2026-11-20T10:00:00Z,1\n"
                "b,2026-11-20T10:10:00Z,5\n"
                "b,2026-11-20T10:50:00Z,6\n"
                "b,2026-11-20T10:55:00Z,\n"
                "b,2026-11-20T13:00:00Z,7\n"
                "c,2026-11-20T13:00:00Z,nan\n");
    assert_int_equal(input_long(in_path, &in, &e), 0);
    assert_int_equal(in.n, 3);
    const struct hours *h = &in.s[0].h;
    assert_string_equal(in.s[0].name, "b");
    assert_int_equal(h->n, 4);
    assert_true(h->start_s == 1795168800 && h->y[0] == 5.5 && h->y[1] == 3 &&
                isnan(h->y[2]) && h->y[3] == 7);
    assert_true(in.s[1].h.n == 1 && in.s[2].h.n == 0);
    input_done(&in);
    write_input("timestamp,value\n1795168800,2\n");
    assert_int_equal(input_long(in_path, &in, &e), 0);
    assert_string_equal(in.s[0].name, "in"); /* from the file's name */
    input_done(&in);
}

static void wide_form(void **state)
{
    (void)state;
    struct input in;
    struct err e = ERR_INIT;
    write_input("V1,V2,V3,V4\nH1,1,,3\nH2,4,5,,,\n");
    assert_int_equal(input_wide(in_path, 3600, &in, &e), 0);
    assert_int_equal(in.n, 2);
    assert_true(in.s[0].h.n == 3 && isnan(in.s[0].h.y[1]) && in.s[0].h.start_s == 3600);
    assert_true(in.s[1].h.n == 2 && in.s[1].h.y[1] == 5);
    input_done(&in);
    write_input("H1,1,2\n"); /* no header */
    assert_int_equal(input_wide(in_path, 0, &in, &e), 0);
    assert_true(in.n == 1 && in.s[0].h.n == 2);
    input_done(&in);
}

static void refusals(void **state)
{
    (void)state;
    static const struct {
        const char *text, *option, *said;
    } cases[] = {
        {"", NULL, "the file is empty"},
        {"a,b\n1,2\n", NULL,
         "the header must name the columns time (or timestamp) and value"},
        {"time,value\nnoon,1\n", NULL, "line 2, column 1 (time): \"noon\" is not a time"},
        {"time,value\n0,x\n", NULL, "line 2, column 2 (value): \"x\" is not a number"},
        {"time,value\n0,-1.5e308\n", NULL,
         "line 2, column 2 (value): \"-1.5e308\" is larger than 1e+100"},
        {"time,value\n0,1\n9000000000,2\n", NULL,
         "series \"in\": a series must have 1 to 87600 hours, not 87601"},
        {"time,value,series\n0,1,\n", NULL,
         "column 3 (series): a series' name has 1 to 129"},
        {"time,value\n", NULL, "holds no series"},
        {"H1,1,x\n", "--wide", "line 1, column 3: \"x\" is not a number"},
        {"H1,1\n,2\n", "--wide", "line 2, column 1: a series' name has 1 to 129 bytes"},
        {"value\n1\n", "--preset=system0", "the header must name the column time"},
        {"time,a\n0,1,2\n", "--preset=system0", "the header has 2 columns, this row 3"},
        {"time,a\n60,1\n60,2\n", "--preset=system0",
         "column 1 (time): times must increase"},
        {"time,a\n", "--preset=system0", "holds no minutes"},
        {"time,a\n0,1\n", "--preset=system0",
         "column a: 31 rows of four lags are needed"},
        {"time,a\n0,\n", "--preset=system0", "column a: there is no value at all"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        write_input(cases[i].text);
        assert_int_equal(RUN(in_path, cases[i].option), 1);
        said(cases[i].said);
    }
}

/* Two series with a day in them: a table, and each forecast as a row. */
static void candidates_on_a_file(void **state)
{
    (void)state;
    FILE *f = open_input();
    fprintf(f, "series,time,value\n");
    for (int s = 0; s < 2; s++)
        for (int i = 0; i < 700; i++)
            fprintf(f, "%s,%d,%.3f\n", s ? "b" : "\"a,1\"", 3600 * (500000 + i),
                    20 + 5 * sin(2 * M_PI * i / 24) + (i * 7919 % 101) / 50.0);
    fclose(f);
    assert_int_equal(RUN("--output", rows_path, "--horizon", "24", in_path), 0);
    said("a,1: 700 hours, 0 missing; 14 origins, 24 hours ahead\n");
    said("* ridge_");
    said("mean MASE over the 2 of 2 series that all could forecast\n");
    struct err e = ERR_INIT;
    struct csv *c = csv_open(rows_path, &e);
    size_t n = 0;
    assert_int_equal(csv_next(c, &e), 1);
    assert_string_equal(csv_field(c, 4), "yhat");
    for (; csv_next(c, &e) == 1; n++) {
        assert_int_equal(csv_fields(c), 6);
        assert_true(csv_is_real(c, 4) && csv_is_real(c, 5));
    }
    csv_close(c);
    assert_int_equal(n, 2 * n_candidates * 14 * 24);
    assert_int_equal(RUN("--json", in_path, "--origins", "1"), 0);
    json_t *doc = json_load_file(out_path, 0, NULL), *mean;
    assert_int_equal(json_array_size(json_object_get(doc, "series")), 2);
    mean = json_object_get(json_object_get(doc, "mean_mase"), "candidates");
    assert_true(json_real_value(json_object_get(mean, "ridge_weekly")) < 1);
    json_decref(doc);
}

static void short_series(void **state)
{
    (void)state;
    write_input("time,value\n0,1\n3600,2\n");
    assert_int_equal(RUN(in_path), 0);
    said("left out: not enough history");
}

static void near_array(const json_t *got, const json_t *want)
{
    assert_int_equal(json_array_size(got), json_array_size(want));
    for (size_t i = 0; i < json_array_size(want); i++)
        assert_near(json_number_value(json_array_get(got, i)),
                    json_number_value(json_array_get(want, i)), 1e-8);
}

static void golden_json(void **state)
{
    (void)state;
    static const char data[] = "../shared/data/esp32-home";
    if (access(data, R_OK)) {
        printf("skipped: %s is not there\n", data);
        skip();
    }
    char *raw = xasprintf("%s/raw_1min_kitchen_office.csv", data);
    char *last = xasprintf("%s/raw_last12h.csv", data);
    char *golden = xasprintf("%s/golden/models.json", data);
    assert_int_equal(
        RUN("--preset", "system0", "--json", "--input", raw, "--evaluate", last), 0);
    json_t *doc = json_load_file(out_path, 0, NULL),
           *want = json_load_file(golden, 0, NULL);
    static const char *const place[] = {"kitchen", "office"};
    static const double later[] = {0.254224, 0.566171};
    for (size_t i = 0; i < 2; i++) {
        json_t *s = json_array_get(json_object_get(doc, "series"), i);
        json_t *w = json_object_get(want, place[i]);
        near_array(json_object_get(s, "coefficients"),
                   json_object_get(w, "coefficients"));
        json_t *scaler = json_object_get(s, "scaler");
        near_array(json_object_get(scaler, "mean"), json_object_get(w, "scaler_mean"));
        near_array(json_object_get(scaler, "std"),
                   json_object_get(w, "scaler_std_population"));
        const char *key;
        json_t *v;
        json_object_foreach(json_object_get(w, "metrics"), key, v) assert_near(
            json_real_value(json_object_get(json_object_get(s, "metrics"), key)),
            json_real_value(v), 1e-8);
        v = json_object_get(json_object_get(s, "evaluation"), "metrics");
        assert_near(json_real_value(json_object_get(v, "mae")), later[i], 5.1e-7);
    }
    json_decref(doc);
    json_decref(want);
    free(raw);
    free(last);
    free(golden);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(command_line),
        cmocka_unit_test(long_form),
        cmocka_unit_test(wide_form),
        cmocka_unit_test(refusals),
        cmocka_unit_test(candidates_on_a_file),
        cmocka_unit_test(short_series),
        cmocka_unit_test(golden_json),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
