/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The subcommand on files: what it reads, refuses and prints, and that its figures on the
 * reference system's minutes are the golden ones. */
#include "tests/unit/backtest.h"

#include "common/json.h"
#include "common/mem.h"

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
        {"--preset=system0", "--horizon=48", "--horizon is not for --preset system0"},
        {"--preset=system0", "--origins=36", "--origins is not for --preset system0"},
        {"--preset=system0", "--step=23", "--step is not for --preset system0"},
        {"--preset=system0", "--level=95", "--level is not for --preset system0"},
        {"--preset=system0", "--tz=UTC", "--tz is not for --preset system0"},
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
        {"time,value\n0,-1e400\n", NULL, "\"-1e400\" is larger than 1e+100"},
        {"time,value\n0,inf\n", NULL, "\"inf\" is not a number"},
        {"time,value\n0,1\n9000000000,2\n", NULL,
         "series \"in\": a series must have 1 to 87600 hours, not 2500001"},
        {"time,value,series\n0,1,\n", NULL,
         "column 3 (series): a series' name has 1 to 129"},
        {"time,value\n", NULL, "holds no series"},
        {"H1,1,x\n", "--wide", "line 1, column 3: \"x\" is not a number"},
        {"H1,1\n,2\n", "--wide", "line 2, column 1: a series' name has 1 to 129 bytes"},
        {"H1,1\nH2,2\nH1,3\n", "--wide",
         "line 3, column 1: series \"H1\" has a row already"},
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
    assert_true(json_real_value(json_object_get(mean, "forgetting_weekly")) < 1);
    json_decref(doc);
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
        cmocka_unit_test(many_series),
        cmocka_unit_test(formats),
        cmocka_unit_test(plot),
        cmocka_unit_test(plot_names_a_candidate),
        cmocka_unit_test(golden_json),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
