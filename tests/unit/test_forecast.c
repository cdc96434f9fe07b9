/* SPDX-License-Identifier: GPL-3.0-or-later */
/* fieldcast forecast on files. */
#include "tests/unit/subcommand.h"

#include <jansson.h>
#include <math.h>

#include "common/clock.h"
#include "tests/unit/near.h"
#include "tools/csv.h"
#include "tools/forecast.h"

#define RUN(...) run(forecast_main, (const char *const[]){__VA_ARGS__, NULL})
#define T0_S INT64_C(1795132800)

static void command_line(void **state)
{
    (void)state;
    assert_int_equal(RUN("--help"), 0);
    said("fieldcast forecast --input temperatures.csv --horizon 48");
    static const struct {
        const char *option, *value, *said;
    } table[] = {
        {"--output", "xml", "--output must be csv or json, not \"xml\""},
        {"--level", "100", "--level must be from 50 to 99.9, not 100"},
        {"--horizon", "49", "--horizon must be from 1 to 48, not 49"},
        {"-j", "0", "-j must be from 1 to 256, not 0"},
        {"--freq", "1d", "--freq must be 1h, not 1d: models are hourly"},
        {"--start", "2026-11-20T10:00:00Z", "--start is for --wide"},
        {"--input", "other.csv", "give the file once"},
    };
    for (size_t i = 0; i < N_OF(table); i++) {
        assert_int_equal(RUN("x.csv", table[i].option, table[i].value), 2);
        said(table[i].said);
    }
    assert_int_equal(RUN("/nowhere/x.csv"), 1);
    said("/nowhere/x.csv");
}

/* A day and a week, a little noise. */
static double value(int series, int i)
{
    return 20 + series + 5 * sin(2 * M_PI * i / 24) + 3 * (i / 24 % 7 > 4) +
           (i * 7919 % 101) / 500.0;
}

static void write_series(int n_series, int hours)
{
    FILE *f = open_input();
    fprintf(f, "series,time,value\n");
    for (int i = 0; i < hours; i++)
        for (int s = 0; s < n_series; s++)
            fprintf(f, "s%d,%lld,%.6f\n", s, (long long)(T0_S + 3600 * i), value(s, i));
    fclose(f);
}

/* Rows in the order of the file, whatever the number of threads, and good ones. */
static void csv_of_many(void **state)
{
    (void)state;
    char before[4096];
    for (int threads = 1; threads <= 3; threads += 2) {
        write_series(5, 900);
        assert_int_equal(RUN(threads > 1 ? "-j3" : "-j1", in_path), 0);
        struct err e = ERR_INIT;
        struct csv *c = csv_open(out_path, &e);
        assert_int_equal(csv_next(c, &e), 1);
        assert_string_equal(csv_field(c, 3), "yhat");
        for (int row = 0; row < 5 * 48; row++) {
            char name[8];
            double lead, yhat, lower, upper;
            int64_t t_ms;
            int s = row / 48, k = row % 48;
            snprintf(name, sizeof name, "s%d", s);
            assert_int_equal(csv_next(c, &e), 1);
            assert_string_equal(csv_field(c, 0), name);
            assert_ok(csv_real(c, 1, &lead, &e) || csv_time(c, 2, &t_ms, &e) ||
                          csv_real(c, 3, &yhat, &e) || csv_real(c, 4, &lower, &e) ||
                          csv_real(c, 5, &upper, &e),
                      e);
            assert_int_equal((int)lead, k + 1);
            assert_int_equal(t_ms / 1000, T0_S + 3600 * (900 + k));
            assert_near(yhat, value(s, 900 + k), 1);
            assert_true(lower <= yhat && yhat <= upper && upper - lower < 5);
        }
        assert_int_equal(csv_next(c, &e), 0);
        csv_close(c);
        FILE *f = fopen(out_path, "r");
        char now[sizeof before];
        size_t n = fread(now, 1, sizeof now, f);
        fclose(f);
        if (threads > 1)
            assert_memory_equal(now, before, n);
        memcpy(before, now, n);
    }
}

static void json_and_level(void **state)
{
    (void)state;
    double width[2];
    for (int i = 0; i < 2; i++) {
        write_series(2, 400);
        assert_int_equal(RUN("--output", "json", "--level", i ? "99" : "80", "--horizon",
                             "6", in_path),
                         0);
        json_t *all = json_load_file(out_path, 0, NULL);
        assert_int_equal(json_array_size(all), 2);
        json_t *one = json_array_get(all, 1), *rows = json_object_get(one, "forecast");
        assert_string_equal(json_string_value(json_object_get(one, "series")), "s1");
        assert_non_null(json_object_get(json_object_get(one, "metrics"), "mae"));
        assert_int_equal(json_array_size(rows), 6);
        json_t *row = json_array_get(rows, 5);
        width[i] = json_number_value(json_object_get(row, "yhat_upper")) -
                   json_number_value(json_object_get(row, "yhat_lower"));
        json_decref(all);
    }
    assert_true(width[1] > 1.2 * width[0]);
}

/* A series that is too short does not stand in the way of others. */
static void what_cannot_be(void **state)
{
    (void)state;
    FILE *f = open_input();
    for (int s = 0; s < 3; s++) {
        fprintf(f, "w%d", s);
        for (int i = 0; i < (s == 1 ? 10 : 300); i++)
            fprintf(f, ",%.3f", value(s, i));
        fprintf(f, "\n");
    }
    fclose(f);
    assert_int_equal(RUN("--wide", "--start", "2026-11-20T10:00:00Z", in_path), 0);
    said("forecast: w1 has 10 complete hours, 24 are needed");
    said("\nw0,1,2026-12-02T22:00:00.000Z,");
    said("\nw2,48,");
    write_input("time,value\n0,1\n");
    assert_int_equal(RUN(in_path), 1);
    said("none of the 1 series could be forecast");
    write_input("time,value\n");
    assert_int_equal(RUN(in_path), 1);
    said("holds no series");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(command_line),
        cmocka_unit_test(csv_of_many),
        cmocka_unit_test(json_and_level),
        cmocka_unit_test(what_cannot_be),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
