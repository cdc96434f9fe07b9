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
    said("--candidate can be persistence, seasonal_naive_24,");
    said(" holt_winters, theta.\n");
    said("hours to forecast, 1 to 48 (48)");
    said("is to hold, 50 to 99.9 (95)");
    static const struct {
        const char *option, *value, *said;
    } table[] = {
        {"--output", "xml", "--output must be csv or json, not \"xml\""},
        {"--level", "100", "--level must be from 50 to 99.9, not 100"},
        {"--level", "0x50", "--level must be a number, not \"0x50\""},
        {"--tz", "tzdata.zi", "--tz \"tzdata.zi\" is no time zone"},
        {"--horizon", "49", "--horizon must be from 1 to 48, not 49"},
        {"-j", "0", "-j must be from 1 to 256, not 0"},
        {"--plot", "-", "--plot must be a file: the forecasts are on standard output"},
        {"--freq", "1d", "--freq must be 1h, not 1d: models are hourly"},
        {"--start", "2026-11-20T10:00:00Z", "--start is for --wide"},
        {"--input", "other.csv", "give the file once"},
        {"--candidate", "oracle",
         "--candidate must be one of persistence, seasonal_naive_24"},
        {"--candidate", "oracle", ", holt_winters, theta, not \"oracle\""},
        {"--candidate", "direct_others",
         "--candidate direct_others: reads the series beside it, but those of a file are "
         "forecast one by one"},
        {"--candidate", "blend",
         "--candidate blend: is made of what compares best: leave --candidate out"},
        {"--candidate", "boost",
         "--candidate boost: can only be made by the trainer service"},
        {"--candidate", "forest",
         "--candidate forest: can only be made by the trainer service"},
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

/* All digits of a large counter, in CSV as in JSON. */
static void large_values(void **state)
{
    (void)state;
    FILE *f = open_input();
    fprintf(f, "meter");
    for (int i = 0; i < 60; i++)
        fprintf(f, ",%.2f", 123456789012.25 + 0.5 * i);
    fprintf(f, "\n");
    fclose(f);
    assert_int_equal(RUN("--wide", "--candidate", "persistence", in_path), 0);
    said("\nmeter,1,1970-01-03T12:00:00.000Z,123456789041.75,");
    assert_int_equal(
        RUN("--wide", "--candidate", "persistence", "--output", "json", in_path), 0);
    said("\"yhat\":123456789041.75,");
}

/* JSON takes nothing but UTF-8; in CSV a name stays as it was, byte by byte. */
static void a_name_of_any_bytes(void **state)
{
    (void)state;
    FILE *f = open_input();
    for (int s = 0; s < 2; s++) {
        fprintf(f, "%s", s ? "hours" : "\"K\xfc,\"\"che\"");
        for (int i = 0; i < 100; i++)
            fprintf(f, ",%.3f", value(s, i));
        fprintf(f, "\n");
    }
    fclose(f);
    assert_int_equal(RUN("--wide", "--horizon", "1", "--level", "99.9", in_path), 0);
    said("\n\"K\xfc,\"\"che\",1,1970-01-05T04:00:00.000Z,");
    assert_int_equal(RUN("--wide", "--output", "json", in_path), 0);
    json_t *all = json_load_file(out_path, 0, NULL);
    assert_int_equal(json_array_size(all), 2);
    assert_string_equal(
        json_string_value(json_object_get(json_array_get(all, 0), "series")),
        "K\\xfc,\"che");
    json_decref(all);
    assert_int_equal(RUN("--wide", "--start", "9999-12-27T19:00:00Z", in_path), 1);
    said("hours: the hours to forecast are after the year 9999");
}

static size_t count(const char *text, const char *what)
{
    size_t n = 0;
    for (; (text = strstr(text, what)); text++)
        n++;
    return n;
}

/* A panel per series, the first twelve; times where there are any. */
static void plot(void **state)
{
    (void)state;
    static char svg[200000];
    for (int many = 0; many < 2; many++) {
        write_series(many ? 14 : 1, 200);
        assert_int_equal(RUN("--plot", rows_path, "--level", "80", in_path), 0);
        FILE *f = fopen(rows_path, "r");
        svg[fread(svg, 1, sizeof svg - 1, f)] = '\0';
        fclose(f);
        assert_int_equal(count(svg, "<path class=\"forecast\" d=\"M"),
                         1 + (many ? 12 : 1)); /* one in the legend */
        assert_int_equal(count(svg, "class=\"band\" d="), many ? 12 : 1);
        assert_int_equal(count(svg, "the first 12 of 14 series"), many);
        assert_int_equal(count(svg, "80 % of hours are to lie in here"), 1);
        assert_int_equal(count(svg, ">27 Nov</text>"), many ? 12 : 1);
    }
    write_input("w0,1,2,3,4\nw1");
    FILE *f = fopen(in_path, "a");
    for (int i = 0; i < 100; i++)
        fprintf(f, ",%.3f", value(0, i));
    fclose(f);
    assert_int_equal(RUN("--wide", "--plot", rows_path, in_path), 0);
    f = fopen(rows_path, "r");
    svg[fread(svg, 1, sizeof svg - 1, f)] = '\0';
    fclose(f);
    assert_int_equal(count(svg, "hours after the last one measured"), 1);
    assert_int_equal(count(svg, ">-48</text>"), 1);
    assert_int_equal(RUN("--wide", "--plot", "/nowhere/x.svg", in_path), 1);
    said("could not write /nowhere/x.svg: No such file or directory");
}

/* How often it was said. */
static size_t times(const char *what)
{
    static char got[200000];
    FILE *f = fopen(out_path, "r");
    got[fread(got, 1, sizeof got - 1, f)] = '\0';
    fclose(f);
    return count(got, what);
}

/* n series with readings some hours apart, a few of them missing. */
static void write_apart(int n, int hours_apart, int readings)
{
    FILE *f = open_input();
    fprintf(f, "series,time,value\n");
    for (int s = 0; s < n; s++)
        for (int i = 0; i < readings; i++)
            if (i % 10 != 5)
                fprintf(f, "s%d,%lld,%.3f\n", s, (long long)T0_S + 3600 * hours_apart * i,
                        value(s, i));
    fclose(f);
}

/* Hours that the forecast reads are missing, up to the newest: told, and in JSON. */
static void hours_that_stand_in(void **state)
{
    (void)state;
    FILE *f = open_input();
    fprintf(f, "time,value\n");
    for (int i = 0; i < 600; i++)
        if (i < 500 || i == 599)
            fprintf(f, "%lld,%.3f\n", (long long)T0_S + 3600 * i, value(0, i));
    fclose(f);
    assert_int_equal(RUN("--candidate", "ols_short", in_path), 0);
    said(
        "fieldcast forecast: in: 2 of the hours that its forecast looks back over are in "
        "gaps of more than 3 hours: the same hour of the nearest day stands in\n");
    assert_int_equal(RUN("--output", "json", in_path), 0);
    said("\"warnings\":[\"");
    assert_int_equal(times("the same hour of the nearest day stands in"), 2);
    write_series(1, 300);
    assert_int_equal(RUN("--output", "json", in_path), 0);
    said("\"warnings\":[],");
}

/* Between readings four hours apart three are missing, which are bridged. */
static void readings_far_apart(void **state)
{
    (void)state;
    static const struct {
        int apart;
        size_t told;
    } cases[] = {{1, 0}, {3, 0}, {4, 0}, {5, 1}, {24, 1}};
    for (size_t i = 0; i < N_OF(cases); i++) {
        write_apart(1, cases[i].apart, 60);
        assert_int_equal(RUN(in_path), 0);
        assert_int_equal(times("hours apart"), cases[i].told);
    }
    said("fieldcast forecast: s0: its readings are typically 24 hours apart; forecasts "
         "are by the hour, and gaps of more than 3 hours are not bridged\n");
    write_apart(1, 24, 20); /* why there are so few */
    assert_int_equal(RUN(in_path), 1);
    said("s0: its readings are typically 24 hours apart");
    said("s0 has 18 complete hours, 24 are needed");
    write_apart(13, 24, 40);
    assert_int_equal(RUN(in_path), 0);
    assert_int_equal(times("hours apart"), 10);
    said("fieldcast forecast: the same or alike of 3 more series\n");
    assert_int_equal(times("\ns12,48,"), 1);
}

/* The newest hour must lie further from the others than these from each other. */
static void a_newest_hour_far_out(void **state)
{
    (void)state;
    static const struct {
        double newest;
        int hours; /* how many */
        size_t told;
    } cases[] = {{1000, 1, 1}, {-127, 1, 1}, {-1e6, 1, 1}, {45, 1, 1},
                 {35, 1, 0},   {10, 1, 0},   {1000, 2, 0}, {1000, 0, 0}};
    for (size_t i = 0; i < N_OF(cases); i++) {
        FILE *f = open_input();
        fprintf(f, "x");
        for (int h = 0; h < 400; h++)
            fprintf(f, ",%.3f", h + cases[i].hours < 400 ? value(0, h) : cases[i].newest);
        fprintf(f, "\n");
        fclose(f);
        assert_int_equal(RUN("--wide", in_path), 0);
        assert_int_equal(times("x: its newest hour, "), cases[i].told);
        if (!i)
            said("fieldcast forecast: x: its newest hour, 1000, lies far outside of all "
                 "others (15.01 to 28.18): 28.18 is read in its place, until another "
                 "hour bears it out\n");
    }
}

/* What is repeated from the day before does not follow it; what is older than eight weeks
 * does not count; and it counts that all others are the same. */
static void a_newest_hour_beside_which(void **state)
{
    (void)state;
    FILE *f = open_input();
    for (int s = 0; s < 3; s++) {
        fprintf(f, "s%d", s);
        for (int h = 0; h < 1400; h++)
            fprintf(f, ",%.3f",
                    h == 1399 ? 90
                    : h < 10  ? 70.0 * s
                    : s > 1   ? 20
                              : 20 + h % 2);
        fprintf(f, "\n");
    }
    fclose(f);
    assert_int_equal(RUN("--wide", "--candidate", "seasonal_naive_24", in_path), 0);
    said("s0: its newest hour, 90, lies far outside of all others (20 to 21)\n");
    said("s1: its newest hour, 90, lies far outside of all others (20 to 21)\n");
    said("s2: its newest hour, 90, lies far outside of all others (20 to 20)\n");
    f = open_input();
    for (int s = 0; s < 2; s++) { /* what is close to a constant is none; digits tell */
        fprintf(f, "p%d", s);
        for (int h = 0; h < 400; h++)
            fprintf(f, ",%.2f", 1e6 + (h == 399 ? 0.25 : s * 0.01 * (h % 2)));
        fprintf(f, "\n");
    }
    fclose(f);
    assert_int_equal(RUN("--wide", "--candidate", "seasonal_naive_24", in_path), 0);
    assert_int_equal(times("its newest hour, "), 1);
    said("p1: its newest hour, 1000000.2, lies far outside of all others (1000000 to "
         "1000000)\n");
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
    said("/in.csv could be forecast");
    write_input("time,value\n");
    assert_int_equal(RUN(in_path), 1);
    said("holds no series");
}

/* yhat, lower, upper of a lead of the first series; bounds NaN where there is none. */
static void answer(size_t lead, double v[3])
{
    json_t *all = json_load_file(out_path, 0, NULL), *one = json_array_get(all, 0);
    json_t *row = json_array_get(json_object_get(one, "forecast"), lead - 1);
    static const char *const names[] = {"yhat", "yhat_lower", "yhat_upper"};
    for (size_t i = 0; i < 3; i++) {
        json_t *x = json_object_get(row, names[i]);
        v[i] = json_is_null(x) ? NAN : json_number_value(x);
    }
    json_decref(all);
}

/* One alone says what its rule says, has a band of its own errors, and is not what the
 * choice would have said. */
static void one_candidate(void **state)
{
    (void)state;
    double chosen[3], alone[3];
    write_series(1, 400);
    assert_int_equal(RUN("--output", "json", in_path), 0);
    answer(30, chosen);
    assert_int_equal(RUN("--output", "json", "--candidate", "seasonal_naive_24", in_path),
                     0);
    said("\"candidate\":\"seasonal_naive_24\"");
    said("\"reason\":\"seasonal_naive_24 was asked for\"");
    answer(30, alone);
    assert_near(alone[0], value(0, 400 - 24 + 5), 1e-6); /* lead 30: as lead 6 */
    assert_true(alone[1] < alone[0] && alone[0] < alone[2]);
    assert_true(fabs(alone[0] - chosen[0]) > 1e-3);
    assert_int_equal(RUN("--output", "json", "--candidate", "persistence", in_path), 0);
    answer(48, alone);
    assert_near(alone[0], value(0, 399), 1e-6);
    assert_int_equal(times("too few forecasts"), 0);
}

/* What presets make, where it takes nothing but the series. */
static void one_of_a_preset(void **state)
{
    (void)state;
    static const char *const names[] = {"holt_winters", "theta"};
    double v[3];
    write_series(1, 400);
    for (size_t i = 0; i < N_OF(names); i++) {
        assert_int_equal(RUN("--output", "json", "--candidate", names[i], in_path), 0);
        assert_int_equal(times(names[i]), 2); /* as parameter and as reason */
        answer(30, v);
        assert_near(v[0], value(0, 400 + 29), 2);
        assert_true(v[1] < v[0] && v[0] < v[2]);
        assert_int_equal(times("too few forecasts"), 0);
    }
    write_series(1, 200);
    assert_int_equal(RUN("--candidate", "theta", in_path), 1);
    said("s0 has 200 complete hours, theta needs 216");
}

/* Too short for its backtest: no band, which is told; for itself, or not for logarithms:
 * refused. */
static void one_candidate_cannot(void **state)
{
    (void)state;
    write_series(1, 52);
    assert_int_equal(RUN("--candidate", "ols_daily", in_path), 0);
    said("fieldcast forecast: s0: too few forecasts to learn a band from: it has 52 "
         "hours, "
         "and ols_daily takes 98\n");
    said("\ns0,1,2026-");
    assert_int_equal(RUN("--output", "json", "--candidate", "ols_daily", in_path), 0);
    assert_int_equal(times("\"yhat_lower\":null,\"yhat_upper\":null"), 48);
    write_series(1, 98);
    assert_int_equal(RUN("--candidate", "ols_daily", in_path), 0);
    assert_int_equal(times("too few forecasts"), 0);
    for (int n = 180; n <= 300; n += 120) { /* however few hours it has */
        write_series(1, n);
        assert_int_equal(RUN("--candidate", "median_168", in_path), 0);
        said("s0: too few forecasts to learn a band from: median_168 is compared only "
             "where a series rests at one value\n");
    }
    write_series(12, 52);
    assert_int_equal(RUN("--candidate", "ols_daily", in_path), 0);
    assert_int_equal(times("too few forecasts"), 10);
    said("the same or alike of 2 more series\n");
    write_series(1, 52);
    assert_int_equal(RUN("--candidate", "forgetting_weekly", in_path), 1);
    said("s0 has 52 complete hours, forgetting_weekly needs 203");
    write_series(1, 1);
    assert_int_equal(RUN("--candidate", "persistence", in_path), 1);
    said("s0 has 1 complete hour, persistence needs 24");
    write_series(1, 20);
    assert_int_equal(RUN("--candidate", "persistence", in_path), 1);
    said("s0 has 20 complete hours, persistence needs 24");
    FILE *f = open_input();
    for (int i = 0; i < 300; i++)
        fprintf(f, "%s%d", i ? "," : "w,", i % 24);
    fprintf(f, "\nempty,,\n");
    fclose(f);
    assert_int_equal(RUN("--wide", "--candidate", "ridge_clock_log", in_path), 1);
    said("w has the value 0, ridge_clock_log takes logarithms");
    said("empty has 0 complete hours, ridge_clock_log needs 36");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(command_line),
        cmocka_unit_test(csv_of_many),
        cmocka_unit_test(json_and_level),
        cmocka_unit_test(plot),
        cmocka_unit_test(a_name_of_any_bytes),
        cmocka_unit_test(what_cannot_be),
        cmocka_unit_test(hours_that_stand_in),
        cmocka_unit_test(readings_far_apart),
        cmocka_unit_test(one_of_a_preset),
        cmocka_unit_test(one_candidate),
        cmocka_unit_test(one_candidate_cannot),
        cmocka_unit_test(large_values),
        cmocka_unit_test(a_newest_hour_far_out),
        cmocka_unit_test(a_newest_hour_beside_which),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
