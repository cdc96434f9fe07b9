/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The subcommand on files: what it reads, what it refuses, and that its figures on the
 * reference system's minutes are the golden ones. */
#include "tests/unit/subcommand.h"

#include <jansson.h>
#include <time.h>

#include "common/json.h"
#include "common/mem.h"
#include "common/ml/candidates.h"
#include "common/ml/train.h"
#include "tests/unit/near.h"
#include "tools/backtest.h"
#include "tools/csv.h"
#include "tools/forecast.h"

#define RUN(...) run(backtest_main, (const char *const[]){__VA_ARGS__, NULL})

static void not_said(const char *text)
{
    static char got[65536];
    FILE *f = fopen(out_path, "r");
    got[fread(got, 1, sizeof got - 1, f)] = '\0';
    fclose(f);
    assert_null(strstr(got, text));
}

static void command_line(void **state)
{
    (void)state;
    assert_int_equal(RUN("--help"), 0);
    said("fieldcast backtest --preset system0 --json");
    said("(1 to 48)");
    said(" at a time, 1 to 48 (48)");
    assert_int_equal(RUN("--preset", "system1", "x"), 2);
    said("--preset must be holt_winters, theta or system0, not system1");
    assert_int_equal(RUN("--freq", "1d", "x"), 2);
    said("--freq must be 1h, not 1d: models are hourly");
    assert_int_equal(RUN("--preset", "system0", "--wide", "x"), 2);
    assert_int_equal(RUN("--evaluate", "y", "x"), 2);
    assert_int_equal(RUN("--start", "2026-11-20T10:00:00Z", "x"), 2);
    assert_int_equal(RUN("--wide", "--start", "2026-11-20T10:30:00Z", "x"), 2);
    said("--start must be a whole hour from 1970 on");
    static const struct {
        const char *a, *b, *said;
    } wrong[] = {
        {"--output=xml", NULL,
         "--output must be table, csv or json, not \"xml\" (a file "},
        {"--output=csv", "--rows=y", "--output csv and --rows are the same: give one"},
        {"--output=y.csv", "--rows=y", "give the file once: --rows y or --output y.csv"},
        {"--plot=y", "--rows=y", "--plot and --rows are both y: give two files"},
        {"--output=csv", "--json", "--json and --output csv: give one"},
        {"--holdout=48", "--origins=3",
         "one forecast as long as itself: not with --origins"},
        {"--holdout=48", "--horizon=3", "not with --horizon"},
        {"--holdout=49", NULL, "--holdout must be from 1 to 48, not 49"},
        {"--level=49", NULL, "--level must be from 50 to 99.9, not 49"},
        {"--preset=system0", "--holdout=3", "--holdout is not for --preset system0"},
        {"--preset=system0", "--leads", "--leads is not for --preset system0"},
        {"--preset=system0", "--grouped", "reads minutes: not with --grouped"},
        {"--wide", "--grouped", "--grouped is not for --wide: there a series is a row"},
        {"--preset=boost", NULL,
         "--preset boost is grown by the trainer service only: here it can be "
         "holt_winters, theta or system0"},
        {"--preset=forest", NULL, "--preset forest is grown by the trainer service only"},
        {"--preset=theta", "--evaluate=y", "--evaluate needs --preset system0"},
        {"--plot=-", NULL, "--plot must be a file: the table is on standard output"},
        {"--preset=system0", "--plot=x.svg", "--plot is not for --preset system0"},
        {"--hold=3", NULL, "did you mean --holdout?"},
    };
    for (size_t i = 0; i < N_OF(wrong); i++) {
        if (wrong[i].b)
            assert_int_equal(RUN(wrong[i].a, wrong[i].b, "x"), 2);
        else
            assert_int_equal(RUN(wrong[i].a, "x"), 2);
        said(wrong[i].said);
    }
    assert_int_equal(RUN("--input", "x", "y"), 2);
    said("give the file once: --input x or y");
    assert_int_equal(RUN("--horizon", "49", "x"), 2);
    assert_int_equal(RUN("/nonexistent.csv"), 1);
    said(
        "fieldcast backtest: could not open /nonexistent.csv: No such file or directory");
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
         "series \"in\": a series must have 1 to 87600 hours, not 2500001"},
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

/* A column whose name JSON would not take was left out of it. */
static void a_column_of_any_bytes(void **state)
{
    (void)state;
    FILE *f = open_input();
    fprintf(f, "time,K\xfc\n");
    for (int i = 0; i < 6000; i++)
        fprintf(f, "%d,%.3f\n", 60 * i, 20 + sin(i / 300.0) + i * 7919 % 101 / 500.0);
    fclose(f);
    assert_int_equal(RUN("--preset", "system0", "--json", in_path), 0);
    json_t *doc = json_load_file(out_path, 0, NULL);
    const char *name = json_string_value(
        json_object_get(json_array_get(json_object_get(doc, "series"), 0), "column"));
    assert_string_equal(name, "K\\xfc");
    json_decref(doc);
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
    said("overall: mean over 2 series\n");
    said("\n  blend  ");
    said("\n  chosen: blend ");
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
    /* all but median_168, which does not suit; naive2, blend, chosen */
    assert_int_equal(n, 2 * (n_candidates_alone - 1 + 3) * 14 * 24);
    assert_int_equal(RUN("--json", in_path, "--origins", "1"), 0);
    json_t *doc = json_load_file(out_path, 0, NULL), *mean;
    assert_int_equal(json_array_size(json_object_get(doc, "series")), 2);
    mean = json_object_get(json_object_get(doc, "mean_mase"), "candidates");
    assert_true(json_real_value(json_object_get(mean, "ridge_weekly")) < 1);
    json_decref(doc);
}

static double value(int s, int i)
{
    return 20 + s + 5 * sin(2 * M_PI * i / 24) + (i * 7919 % 101) / 50.0;
}

static void write_wide(int n_series, int hours, int missing_at)
{
    FILE *f = open_input();
    for (int s = 0; s < n_series; s++) {
        fprintf(f, "s%d", s);
        for (int i = 0; i < hours; i++)
            if (i == missing_at)
                fprintf(f, ",");
            else
                fprintf(f, ",%.3f", value(s, i));
        fprintf(f, "\n");
    }
    fclose(f);
}

/* Rows of one candidate: lead and yhat, as text. */
static size_t rows_of(const char *path, const char *candidate, size_t column,
                      char (*out)[40], size_t max)
{
    struct err e = ERR_INIT;
    struct csv *c = csv_open(path, &e);
    size_t n = 0;
    while (csv_next(c, &e) == 1)
        if ((!candidate || !strcmp(csv_field(c, 1), candidate)) && n < max)
            snprintf(out[n++], sizeof *out, "%.20s", csv_field(c, column));
    csv_close(c);
    return n;
}

/* What was chosen for a holdout is what the forecast of the file without it says; also
 * where the hour before it is missing. */
static void holdout_is_the_forecast(void **state)
{
    (void)state;
    static char held[200][40], made[200][40];
    for (int missing = -1; missing <= 699; missing += 700) {
        write_wide(2, 748, missing);
        assert_int_equal(RUN("--wide", "--holdout", "48", "--rows", rows_path, in_path),
                         0);
        said("s1: 748 hours, ");
        said("; the last 48 held out\n");
        said("overall: mean over 2 series\n");
        size_t late = missing < 0 ? 0 : 1;
        assert_int_equal(rows_of(rows_path, "chosen", 4, held, 200), 2 * (48 - late));
        write_wide(2, 700, missing);
        assert_int_equal(
            run(forecast_main, (const char *const[]){"--wide", in_path, NULL}), 0);
        assert_int_equal(rows_of(out_path, NULL, 3, made, 200), 1 + 2 * 48);
        for (size_t s = 0; s < 2; s++)
            for (size_t k = 0; k < 48 - late; k++)
                assert_near(atof(held[s * (48 - late) + k]),
                            atof(made[1 + s * 48 + k + late]), 1e-8);
    }
}

/* A young series, in an hour of which nothing is measured now and then: rows of
 * time,value up to `hours`. */
static void write_young(int hours, int missing_every)
{
    FILE *f = open_input();
    fprintf(f, "time,value\n");
    for (int i = 0; i < hours; i++)
        if (missing_every == 0 || i % missing_every != missing_every - 2)
            fprintf(f, "%d,%.3f\n", 3600 * (500000 + i), value(0, i));
    fclose(f);
}

static int hour_of(const char *origin)
{
    struct tm tm = {0};
    assert_non_null(strptime(origin, "%Y-%m-%dT%H:%M:%S", &tm));
    return (int)(timegm(&tm) / 3600 - 500000);
}

/* What is chosen at an origin is what the forecast of the file cut there says, and where
 * that is refused there is none. */
static void a_young_choice_is_the_forecast(void **state)
{
    static const struct {
        int hours, missing_every;
        const char *horizon, *step;
        int refused;
    } cases[] = {
        {200, 0, "12", "3", 0}, {180, 0, "48", "23", 0}, {130, 7, "24", "5", 0},
        {60, 0, "12", "3", 0},  {56, 2, "4", "2", 5},
    };
    static char origin[500][40], lead[500][40], yhat[500][40], made[60][40];
    (void)state;
    for (size_t c = 0; c < N_OF(cases); c++) {
        size_t leads = (size_t)atoi(cases[c].horizon), forecast = 0, all = 0;
        write_young(cases[c].hours, cases[c].missing_every);
        assert_int_equal(RUN("--horizon", cases[c].horizon, "--step", cases[c].step,
                             "--rows", rows_path, in_path),
                         0);
        all = rows_of(rows_path, "persistence", 2, origin, 500) / leads;
        size_t n = rows_of(rows_path, "chosen", 2, origin, 500);
        assert_int_equal(rows_of(rows_path, "chosen", 3, lead, 500), n);
        assert_int_equal(rows_of(rows_path, "chosen", 4, yhat, 500), n);
        for (size_t i = 0; i < n; i += leads) {
            int known = hour_of(origin[i]) + 1;
            if (known >= 192)
                continue;
            write_young(known, cases[c].missing_every);
            assert_int_equal(run(forecast_main, (const char *const[]){in_path, NULL}), 0);
            assert_int_equal(rows_of(out_path, NULL, 3, made, 60), 1 + 48);
            for (size_t k = 0; k < leads; k++)
                assert_near(atof(yhat[i + k]), atof(made[1 + k]), 1e-8);
            forecast++;
        }
        assert_true(forecast >= 3);
        assert_int_equal(all - n / leads, cases[c].refused);
        if (!cases[c].refused)
            continue;
        assert_true(rows_of(rows_path, "persistence", 2, origin, 500) > 0);
        write_young(hour_of(origin[0]) + 1, cases[c].missing_every);
        assert_int_equal(run(forecast_main, (const char *const[]){in_path, NULL}), 1);
        said("complete hours, 24 are needed");
    }
}

/* One origin, and figures that can be made from its rows. */
static void holdout_figures(void **state)
{
    (void)state;
    static char yhat[200][40], y[200][40];
    write_wide(1, 748, -1);
    assert_int_equal(RUN("--wide", "--holdout", "24", "--json", "--leads", "--rows",
                         rows_path, in_path),
                     0);
    json_t *doc = json_load_file(out_path, 0, NULL);
    json_t *one = json_array_get(json_object_get(doc, "series"), 0), *f;
    assert_int_equal(json_integer_value(json_object_get(doc, "holdout")), 24);
    double q = 0;
    for (int i = 24; i < 724; i++)
        q += fabs(value(0, i) - value(0, i - 24)) / 700;
    size_t at;
    json_array_foreach(json_object_get(one, "candidates"), at, f)
    {
        const char *name = json_string_value(json_object_get(f, "name"));
        double mae = 0, smape = 0;
        if (json_object_get(f, "left_out"))
            continue;
        assert_int_equal(rows_of(rows_path, name, 4, yhat, 200), 24);
        assert_int_equal(rows_of(rows_path, name, 5, y, 200), 24);
        for (int k = 0; k < 24; k++) {
            double a = atof(y[k]), b = atof(yhat[k]);
            assert_near(a, value(0, 724 + k), 1e-3);
            mae += fabs(a - b) / 24;
            smape += 200 * fabs(a - b) / (fabs(a) + fabs(b)) / 24;
            assert_near(json_number_value(
                            json_array_get(json_object_get(f, "mae_leads"), (size_t)k)),
                        fabs(a - b), 1e-9);
        }
        assert_near(json_number_value(json_object_get(f, "mae")), mae, 1e-9);
        assert_near(json_number_value(json_object_get(f, "smape")), smape, 1e-9);
        assert_near(json_number_value(json_object_get(f, "mase")), mae / q, 1e-3);
        double cover = json_number_value(json_object_get(f, "coverage"));
        assert_true(cover >= 0 && cover <= 1);
        assert_true(json_number_value(json_object_get(f, "msis")) > 0);
        if (!strcmp(name, "naive2"))
            assert_near(json_number_value(json_object_get(f, "owa")), 1, 1e-12);
        if (!strcmp(name, "persistence"))
            assert_near(json_number_value(json_object_get(f, "skill_persistence")), 0,
                        1e-12);
    }
    assert_int_equal(at, n_candidates_alone + 3);
    json_decref(doc);
}

static json_t *candidate_of(const char *name)
{
    json_t *doc = json_load_file(out_path, 0, NULL), *found = NULL, *f;
    json_t *one = json_array_get(json_object_get(doc, "series"), 0);
    size_t at;
    json_array_foreach(json_object_get(one, "candidates"), at, f)
    {
        if (!strcmp(json_string_value(json_object_get(f, "name")), name))
            found = json_incref(f);
    }
    json_decref(doc);
    assert_non_null(found);
    return found;
}

/* A candidate's band is the one that `forecast --candidate` draws, also on logarithms. */
static void bands_are_the_forecast(void **state)
{
    (void)state;
    static const char *const name[] = {"ols_daily", "ridge_clock_log", "direct"};
    static char f[3][60][40]; /* yhat, lower, upper */
    for (size_t c = 0; c < N_OF(name); c++) {
        double q = 0, msis = 0, inside = 0;
        write_wide(1, 700, -1);
        assert_int_equal(
            run(forecast_main,
                (const char *const[]){"--wide", "--candidate", name[c], in_path, NULL}),
            0);
        for (size_t i = 0; i < 3; i++)
            assert_int_equal(rows_of(out_path, NULL, 3 + i, f[i], 60), 1 + 48);
        for (int i = 24; i < 700; i++)
            q += fabs(value(0, i) - value(0, i - 24)) / 676;
        for (int k = 0; k < 48; k++) {
            double y = value(0, 700 + k), a = atof(f[1][k + 1]), b = atof(f[2][k + 1]);
            assert_true(a < atof(f[0][k + 1]) && atof(f[0][k + 1]) < b);
            inside += (y >= a && y <= b) / 48.0;
            msis += (b - a + 40 * (fmax(a - y, 0) + fmax(y - b, 0))) / q / 48;
        }
        write_wide(1, 748, -1);
        assert_int_equal(RUN("--wide", "--holdout", "48", "--json", in_path), 0);
        json_t *j = candidate_of(name[c]);
        assert_near(json_number_value(json_object_get(j, "coverage")), inside, 1e-9);
        assert_near(json_number_value(json_object_get(j, "msis")), msis, 1e-2);
        json_decref(j);
    }
}

/* From rolling origins, a band on logarithms holds as many as any other. */
static void bands_on_logarithms(void **state)
{
    (void)state;
    write_wide(1, 700, -1);
    assert_int_equal(RUN("--wide", "--horizon", "24", "--json", in_path), 0);
    json_t *plain = candidate_of("ridge_clock"), *logs = candidate_of("ridge_clock_log");
    double cover = json_number_value(json_object_get(logs, "coverage"));
    assert_true(cover > 0.8);
    assert_near(cover, json_number_value(json_object_get(plain, "coverage")), 0.1);
    json_decref(plain);
    json_decref(logs);
}

/* The share inside the band by hours ahead: of a series where there are ten hours of
 * each, over all series where all have so many. */
static void coverage_by_lead(void **state)
{
    (void)state;
    write_wide(3, 700, -1);
    assert_int_equal(
        RUN("--wide", "--horizon", "6", "--leads", "--output", "json", in_path), 0);
    json_t *doc = json_load_file(out_path, 0, NULL), *overall, *f;
    double all = 0, first = 0;
    overall = json_array_get(json_object_get(doc, "overall"), n_candidates_alone + 2);
    for (size_t s = 0; s < 3; s++) {
        json_t *one = json_array_get(json_object_get(doc, "series"), s);
        assert_true(json_integer_value(json_object_get(one, "origins")) >= 10);
        f = json_array_get(json_object_get(one, "candidates"), n_candidates_alone + 2);
        json_t *leads = json_object_get(f, "coverage_leads");
        double mean = 0;
        assert_int_equal(json_array_size(leads), 6);
        for (size_t k = 0; k < 6; k++)
            mean += json_real_at(leads, k) / 6;
        assert_near(mean, json_number_value(json_object_get(f, "coverage")), 1e-12);
        all += mean / 3;
        first += json_real_at(leads, 0) / 3;
    }
    assert_near(json_number_value(json_object_get(overall, "coverage")), all, 1e-12);
    assert_near(json_real_at(json_object_get(overall, "coverage_leads"), 0), first,
                1e-12);
    json_decref(doc);

    write_wide(12, 200, -1);
    assert_int_equal(RUN("--wide", "--holdout", "6", "--leads", "--all", in_path), 0);
    said("\n  MASE, hours ahead:         1      2      3      6\n");
    said("\n  cover, hours ahead:        1      2      3      6\n");
    assert_int_equal(
        RUN("--wide", "--holdout", "6", "--leads", "--output", "json", in_path), 0);
    doc = json_load_file(out_path, 0, NULL);
    f = json_array_get(
        json_object_get(json_array_get(json_object_get(doc, "series"), 0), "candidates"),
        n_candidates_alone + 2);
    assert_true(isnan(json_real_at(json_object_get(f, "coverage_leads"), 0)));
    overall = json_array_get(json_object_get(doc, "overall"), n_candidates_alone + 2);
    assert_true(json_real_at(json_object_get(overall, "coverage_leads"), 0) > 0.5);
    json_decref(doc);
    write_wide(2, 200, -1);
    assert_int_equal(RUN("--wide", "--holdout", "6", "--leads", in_path), 0);
    not_said("cover, hours ahead:");
}

/* A preset is one more row, at the same origins, and nothing else changes. */
static void a_preset_beside(void **state)
{
    static const char *const names[] = {"theta", "holt_winters"};
    static const char *const how[] = {"--holdout=48", "--origins=4"};
    static char without[200][40], with[200][40], origin[2][200][40];
    (void)state;
    write_wide(1, 748, -1);
    for (size_t i = 0; i < N_OF(names); i++)
        for (size_t k = 0; k < N_OF(how); k++) {
            assert_int_equal(RUN("--wide", how[k], "--rows", rows_path, in_path), 0);
            size_t n = rows_of(rows_path, "chosen", 4, without, 200);
            not_said(names[i]);
            assert_int_equal(
                RUN("--wide", how[k], "--rows", rows_path, "--preset", names[i], in_path),
                0);
            said(names[i]);
            assert_int_equal(rows_of(rows_path, "chosen", 4, with, 200), n);
            assert_memory_equal(with, without, n * sizeof *with);
            assert_int_equal(rows_of(rows_path, "chosen", 2, origin[0], 200), n);
            assert_int_equal(rows_of(rows_path, names[i], 2, origin[1], 200), n);
            assert_memory_equal(origin[0], origin[1], n * sizeof **origin);
        }
    assert_int_equal(RUN("--wide", "--preset", "theta", "--leads", "--json", in_path), 0);
    json_t *doc = json_load_file(out_path, 0, NULL);
    json_t *all = json_object_get(doc, "overall");
    json_t *last = json_array_get(all, n_candidates_alone + 3);
    assert_int_equal(json_array_size(all), n_candidates_alone + 4);
    assert_string_equal(json_string_value(json_object_get(last, "name")), "theta");
    assert_int_equal(json_array_size(json_object_get(last, "mase_leads")), 48);
    assert_null(json_object_get(json_object_get(doc, "chosen"), "theta"));
    json_decref(doc);
    write_wide(1, 200, -1);
    assert_int_equal(RUN("--wide", "--preset", "theta", in_path), 0);
    said("theta                 left out: ");
    said(" hours are needed for 3 origins, there are 200\n");
}

/* What it says is what a training with that preset serves. */
static void a_preset_is_its_training(void **state)
{
    static char made[60][40];
    struct forecast f[48];
    struct train_result r;
    struct hours h;
    struct err e = ERR_INIT;
    (void)state;
    write_wide(1, 748, -1);
    assert_int_equal(RUN("--wide", "--holdout", "48", "--rows", rows_path, "--preset",
                         "holt_winters", in_path),
                     0);
    assert_int_equal(rows_of(rows_path, "holt_winters", 4, made, 60), 48);
    assert_ok(hours_init(&h, 0, 700, &e), e);
    for (int i = 0; i < 700; i++)
        h.y[i] = round(value(0, i) * 1000) / 1000;
    assert_ok(train_series(&h, NULL,
                           &(struct train_opts){.series = "s0",
                                                .preset = "holt_winters",
                                                .horizon = 48,
                                                .level = 0.95},
                           &r, &e),
              e);
    assert_string_equal(r.model->algo->name, "holt_winters");
    assert_ok(model_forecast(r.model, &h, 48, 0.95, f, &e), e);
    for (size_t k = 0; k < 48; k++)
        assert_near(atof(made[k]), f[k].yhat, 1e-8);
    train_result_done(&r);
    hours_done(&h);
}

/* Many series: all together only, unless each is asked for. */
static void many_series(void **state)
{
    (void)state;
    write_wide(11, 200, -1);
    assert_int_equal(RUN("--wide", "--holdout", "24", "--leads", "-j3", in_path), 0);
    said("overall: mean over 11 series\n");
    said("\n  MASE, hours ahead:         1      2      3      6     12     18     24\n");
    FILE *f = fopen(out_path, "r");
    char first[100];
    assert_non_null(fgets(first, sizeof first, f));
    fclose(f);
    assert_string_equal(first, "overall: mean over 11 series\n");
    assert_int_equal(RUN("--wide", "--holdout", "24", "--all", in_path), 0);
    said("s10: 200 hours, 0 missing; the last 24 held out\n");
    said("overall: mean over 11 series\n");
}

/* A constant series has no scale, a short one nothing to score: counted, not averaged. */
static void not_scored(void **state)
{
    (void)state;
    FILE *f = open_input();
    for (int s = 0; s < 4; s++) {
        fprintf(f, "s%d", s);
        for (int i = 0; i < (s == 3 ? 40 : 300); i++)
            fprintf(f, ",%.3f", s == 2 ? 7 : value(s, i));
        fprintf(f, "\n");
    }
    fclose(f);
    assert_int_equal(RUN("--wide", "--holdout", "24", in_path), 0);
    said("left out: 16 complete hours before the holdout, 24 are needed\n");
    said("overall: mean over 2 series; 1 more could not be forecast or had nothing to "
         "score; 1 more are constant from day to day and have no scale\n");
    assert_int_equal(RUN("--wide", in_path), 0);
    said("1 more are constant from day to day");
}

static void formats(void **state)
{
    (void)state;
    write_wide(2, 300, -1);
    assert_int_equal(
        RUN("--wide", "--output", "csv", "--horizon", "3", "--origins", "3", in_path), 0);
    said("series,candidate,origin,lead,yhat,y\ns0,persistence,");
    said("\ns1,chosen,");
    assert_int_equal(RUN("--wide", "--output", "json", in_path), 0);
    json_t *doc = json_load_file(out_path, 0, NULL);
    assert_int_equal(json_array_size(json_object_get(doc, "series")), 2);
    assert_int_equal(json_array_size(json_object_get(doc, "overall")),
                     n_candidates_alone + 3);
    json_t *last =
        json_array_get(json_object_get(doc, "overall"), n_candidates_alone + 2);
    assert_string_equal(json_string_value(json_object_get(last, "name")), "chosen");
    assert_int_equal(json_integer_value(json_object_get(last, "series")), 2);
    assert_true(json_number_value(json_object_get(last, "owa")) < 1);
    assert_true(json_number_value(json_object_get(last, "skill_persistence")) > 0);
    json_decref(doc);
    FILE *f = open_input();
    fprintf(f, "\xff\"x");
    for (int i = 0; i < 120; i++)
        fprintf(f, ",%.3f", value(0, i));
    fclose(f);
    assert_int_equal(RUN("--wide", "--output", "json", in_path), 0);
    doc = json_load_file(out_path, 0, NULL);
    last = json_array_get(json_object_get(doc, "series"), 0);
    assert_string_equal(json_string_value(json_object_get(last, "series")), "\\xff\"x");
    json_decref(doc);
}

/* All together and each; alone where there is one. */
static void plot(void **state)
{
    (void)state;
    static char svg[400000];
    for (int n = 1; n <= 3; n += 2) {
        write_wide(n, 300, -1);
        assert_int_equal(RUN("--wide", "--holdout", "24", "--plot", rows_path, in_path),
                         0);
        FILE *f = fopen(rows_path, "r");
        svg[fread(svg, 1, sizeof svg - 1, f)] = '\0';
        fclose(f);
        size_t chosen = 0;
        for (char *at = svg; (at = strstr(at, "<path class=\"forecast\" d=\"M")); at++)
            chosen++;
        assert_int_equal(chosen, n == 1 ? 2 : 5); /* one in the legend */
        assert_int_equal(strstr(svg, ">all 3 series</text>") != NULL, n == 3);
        assert_non_null(strstr(svg, ">s0</text>"));
        assert_non_null(strstr(svg, "; best single one: "));
    }
}

/* What naive2 forecasts best is not a candidate's. */
static void plot_names_a_candidate(void **state)
{
    (void)state;
    static char svg[100000];
    FILE *f = open_input();
    fprintf(f, "time,value\n");
    for (int i = 0; i < 140; i++) /* the level has just changed */
        fprintf(f, "%d,%.3f\n", 3600 * i, (i < 114 ? 0 : 3) + 5 * sin(2 * M_PI * i / 24));
    fclose(f);
    assert_int_equal(RUN("--holdout", "24", "--output", "json", in_path), 0);
    json_t *naive2 = candidate_of("naive2"), *best = candidate_of("seasonal_ar_24");
    assert_true(json_number_value(json_object_get(naive2, "mae")) <
                json_number_value(json_object_get(best, "mae")));
    json_decref(naive2);
    json_decref(best);
    assert_int_equal(RUN("--holdout", "24", "--plot", rows_path, in_path), 0);
    f = fopen(rows_path, "r");
    svg[fread(svg, 1, sizeof svg - 1, f)] = '\0';
    fclose(f);
    assert_null(strstr(svg, "direct_others"));
    assert_non_null(strstr(svg, "; best single one: "));
}

/* Nothing can be scored: what is needed and what there is, and no best one. */
static void short_series(void **state)
{
    (void)state;
    write_input("time,value\n0,1\n3600,2\n");
    assert_int_equal(RUN(in_path), 1);
    said("chosen                left out: 95 hours are needed for 3 origins, there are "
         "2\n");
    for (int hours = 24; hours <= 94; hours += 35) {
        write_young(hours, 0);
        assert_int_equal(RUN(in_path), 1);
        said("in: ");
        said("persistence           left out: 95 hours are needed for 3 origins, there "
             "are ");
        said("naive2                left out: 95 hours are needed");
        said("fieldcast backtest: none of the 1 series could be scored\n");
        not_said("* ");
        not_said("missing:");
    }
    assert_int_equal(RUN("--origins", "1", "--horizon", "90", in_path), 2);
    assert_int_equal(RUN("--origins", "1", in_path), 0);
    write_young(95, 0);
    assert_int_equal(RUN(in_path), 0);
    said("seasonal_naive_168    left out: 262 hours are needed for 3 origins, there are "
         "95\n");
    said("median_168            left out: not for such values\n");
    write_young(50, 0);
    assert_int_equal(RUN("--holdout", "12", in_path), 0);
    said("before the holdout are needed, there are 38\n");
    assert_int_equal(RUN("--holdout", "30", in_path), 1);
    said("left out: 20 complete hours before the holdout, 24 are needed\n");
    not_said("* ");
}

/* Why there are fewer origins than there could be. */
static void few_origins(void **state)
{
    (void)state;
    write_young(300, 0);
    assert_int_equal(RUN("--horizon", "12", "--step", "17", in_path), 0);
    said(": 300 hours, 0 missing; 3 origins, 12 hours ahead\n"
         "  3 of 17 origins have the 241 hours before them that ridge_weekly_calendar "
         "needs\n");
    assert_int_equal(RUN("--horizon", "12", "--step", "17", "--origins", "3", in_path),
                     0);
    not_said("origins have the");
    write_young(300, 5); /* an origin without a value is none */
    assert_int_equal(RUN("--horizon", "3", "--step", "4", in_path), 0);
    said(" origins all could forecast\n");
    write_young(54, 2); /* of less than 24 hours nothing is blended or chosen */
    assert_int_equal(RUN("--horizon", "2", "--step", "2", "--origins", "5", in_path), 0);
    said("  at 3 of 5 origins all could forecast, blend at 3, others at 5\n");
    write_young(95, 0);
    assert_int_equal(RUN(in_path), 0);
    not_said("origins have the");
}

/* Holes are the reason only where they are. */
static void holes(void **state)
{
    (void)state;
    FILE *f = open_input();
    fprintf(f, "time,value\n");
    for (int i = 0; i < 300; i += 100)
        fprintf(f, "%d,%d\n", 3600 * i, i);
    fclose(f);
    assert_int_equal(RUN(in_path), 1);
    said("chosen                left out: too many hours are missing: none could be "
         "scored\n");
    not_said("* ");
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
        cmocka_unit_test(refusals),
        cmocka_unit_test(a_column_of_any_bytes),
        cmocka_unit_test(candidates_on_a_file),
        cmocka_unit_test(short_series),
        cmocka_unit_test(few_origins),
        cmocka_unit_test(holes),
        cmocka_unit_test(holdout_is_the_forecast),
        cmocka_unit_test(a_young_choice_is_the_forecast),
        cmocka_unit_test(holdout_figures),
        cmocka_unit_test(bands_are_the_forecast),
        cmocka_unit_test(bands_on_logarithms),
        cmocka_unit_test(coverage_by_lead),
        cmocka_unit_test(a_preset_beside),
        cmocka_unit_test(a_preset_is_its_training),
        cmocka_unit_test(many_series),
        cmocka_unit_test(not_scored),
        cmocka_unit_test(formats),
        cmocka_unit_test(plot),
        cmocka_unit_test(plot_names_a_candidate),
        cmocka_unit_test(golden_json),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
