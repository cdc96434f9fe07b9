/* SPDX-License-Identifier: GPL-3.0-or-later */
/* fieldcast diagnose on files. */
#include "tests/unit/subcommand.h"

#include <gsl/gsl_randist.h>
#include <jansson.h>
#include <math.h>

#include "common/json.h"
#include "common/ml/diagnostics_lags.h"
#include "common/ml/ties.h"
#include "tests/unit/near.h"
#include "tools/csv.h"
#include "tools/diagnose.h"

#define RUN(...) run(diagnose_main, (const char *const[]){__VA_ARGS__, NULL})
#define T0_S INT64_C(1795132800) /* 2026-11-20T00:00:00Z */
#define HOURS 700

static void command_line(void **state)
{
    (void)state;
    assert_int_equal(RUN("--help"), 0);
    said("fieldcast diagnose rooms.csv");
    static const struct {
        const char *option, *value, *said;
    } table[] = {
        {"--output", "xml", "--output must be text, csv or json, not \"xml\""},
        {"-j", "0", "-j must be from 1 to 256, not 0"},
        {"--freq", "1d", "--freq must be 1h, not 1d: models are hourly"},
        {"--start", "2026-11-20T10:00:00Z", "--start is for --wide"},
        {"--input", "other.csv", "give the file once"},
        {"--lag", "1", "did you mean --lags"},
        {"--lags", "0",
         "--lags must be up to 64 hours from 1 to 672 with commas between, each once, as "
         "1,2,24; not \"0\""},
        {"--lags", "673", "not \"673\""},
        {"--lags", "1,2,1", "not \"1,2,1\""},
        {"--lags", "1,,2", "not \"1,,2\""},
        {"--lags", "1,2,", "not \"1,2,\""},
        {"--lags", "1 2", "not \"1 2\""},
        {"--lags", "-1", "not \"-1\""},
        {"--lags", "99999999999999999999", "not \"99999999999999999999\""},
        {"--lags",
         "1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,"
         "30,31,32,33,34,35,36,37,38,39,40,41,42,43,44,45,46,47,48,49,50,51,52,53,54,55,"
         "56,57,58,59,60,61,62,63,64,65",
         "--lags must be up to 64 hours"},
    };
    for (size_t i = 0; i < N_OF(table); i++) {
        assert_int_equal(RUN("x.csv", table[i].option, table[i].value), 2);
        said(table[i].said);
    }
    assert_int_equal(RUN("/nowhere/x.csv"), 1);
    said("/nowhere/x.csv");
}

/* ---- rooms ---- */

/* Series 0 is a kitchen that 1, a living room, follows two hours later; all others only
 * share the time of day with them. */
static double room[12][HOURS];

/* follow: 0.4, or 0 for nobody to follow anybody. */
static void make_rooms_that(double follow, int n_rooms, unsigned long seed)
{
    gsl_rng *g = gsl_rng_alloc(gsl_rng_mt19937);
    double own[12] = {0}, before[2] = {0};
    gsl_rng_set(g, seed);
    for (int t = 0; t < HOURS; t++) {
        for (int s = 0; s < n_rooms; s++) {
            own[s] = (s == 1 ? 0.6 : 0.8) * own[s] +
                     gsl_ran_gaussian(g, s == 1 ? 0.2 : 0.5) +
                     (s == 1 ? follow * before[1] : 0);
            room[s][t] = 20 + s + (2 + s % 3) * sin(2 * M_PI * t / 24) + own[s];
        }
        before[1] = before[0];
        before[0] = own[0];
    }
    gsl_rng_free(g);
}

static void make_rooms(int n_rooms, unsigned long seed)
{
    make_rooms_that(0.4, n_rooms, seed);
}

static const char *name_of(int s)
{
    static char name[8];
    snprintf(name, sizeof name, "room%d", s);
    return s == 0 ? "kitchen" : s == 1 ? "living" : name;
}

static void write_rooms(int n_rooms)
{
    FILE *f = open_input();
    fprintf(f, "series,time,value\n");
    for (int t = 0; t < HOURS; t++)
        for (int s = 0; s < n_rooms; s++)
            fprintf(f, "%s,%lld,%.17g\n", name_of(s), (long long)(T0_S + 3600 * t),
                    room[s][t]);
    fclose(f);
}

static json_t *answer(void)
{
    json_error_t why;
    json_t *j = json_load_file(out_path, 0, &why);
    if (!j)
        fail_msg("line %d: %s", why.line, why.text);
    return j;
}

static const char *text(const json_t *o, const char *key)
{
    return json_string_value(json_object_get(o, key));
}

/* No line of what was printed has more than 90 characters. */
static void fits_the_width(void)
{
    FILE *f = fopen(out_path, "r");
    int c, n = 0;
    while ((c = fgetc(f)) != EOF) {
        n = c == '\n' ? 0 : n + ((c & 0xc0) != 0x80);
        if (n > 90)
            fail_msg("a line is longer than 90 columns");
    }
    fclose(f);
}

static void kitchen_predicts_living(void **state)
{
    (void)state;
    make_rooms(3, 4);
    write_rooms(3);
    assert_int_equal(RUN(in_path), 0);
    said("kitchen\n  700 hours from 2026-11-20T00:00:00.000Z to "
         "2026-12-19T03:00:00.000Z, 0 of them missing,\n  values from ");
    said("  regression on its own past: 674 rows, gaps of up to 3 hours bridged, HAC");
    said("\n  lag_1          ");
    said("\n  Ljung-Box      ");
    said("\n     fit             the columns explain ");
    said("\nBetween the series\n  - kitchen helps to predict living: knowing its last "
         "day makes");
    said("\n  - room2 is not seen to help to predict ");
    fits_the_width();

    assert_int_equal(RUN("--output", "json", in_path), 0);
    json_t *j = answer(), *all = json_object_get(j, "relations");
    assert_int_equal(json_array_size(json_object_get(j, "series")), 3);
    assert_int_equal(json_array_size(all), 3);
    for (size_t i = 0; i < 3; i++) {
        json_t *one = json_array_get(all, i);
        assert_true(json_is_true(json_object_get(one, "predicts")) == (i == 0));
        assert_true(json_is_true(json_object_get(one, "beyond_chance")) == (i == 0));
        assert_int_equal(json_array_size(json_object_get(one, "lags")), 97);
    }
    assert_string_equal(text(json_array_get(all, 0), "target"), "living");
    assert_string_equal(text(json_array_get(all, 0), "other"), "kitchen");
    json_decref(j);
}

/* The same figures as the library's, of the lags asked for. */
static void figures_of_the_lags(void **state)
{
    (void)state;
    make_rooms(2, 5);
    for (int t = 300; t < 302; t++)
        room[1][t] = NAN; /* bridged */
    for (int t = 400; t < 410; t++)
        room[1][t] = NAN;
    write_rooms(2);
    assert_int_equal(RUN("--lags", "24,1", "--output=json", in_path), 0);
    json_t *j = answer(), *one = json_array_get(json_object_get(j, "series"), 1);
    assert_string_equal(text(one, "series"), "living");
    assert_int_equal(json_integer_value(json_object_get(one, "hours")), HOURS);
    assert_int_equal(json_integer_value(json_object_get(one, "missing_hours")), 12);
    assert_true(json_is_false(json_object_get(one, "constant")));
    assert_true(json_is_null(json_object_get(one, "why")));
    assert_string_equal(text(one, "to"), "2026-12-19T03:00:00.000Z");

    struct hours h;
    struct err e = ERR_INIT;
    assert_ok(hours_init(&h, T0_S, HOURS, &e), e);
    memcpy(h.y, room[1], sizeof room[1]);
    assert_int_equal(hours_interpolate(&h, 3), 2);
    json_t *want = diagnostics_lags_report("living", &h, (int[]){24, 1}, 2, &e);
    assert_non_null(want);
    struct buf a, b;
    buf_init(&a, 1u << 20);
    buf_init(&b, 1u << 20);
    json_write(&a, want);
    json_write(&b, json_object_get(one, "regression"));
    assert_string_equal(a.data, b.data);
    buf_done(&a);
    buf_done(&b);
    json_decref(want);
    json_decref(j);
    hours_done(&h);
}

static size_t read_output(char *to, size_t size)
{
    FILE *f = fopen(out_path, "r");
    size_t n = fread(to, 1, size, f);
    fclose(f);
    return n;
}

/* In the order of the file, and the pairs by strength, whatever the number of threads. */
static void threads(void **state)
{
    (void)state;
    static char one[65536], three[65536];
    make_rooms(8, 6);
    write_rooms(8);
    assert_int_equal(RUN("-j1", in_path), 0);
    size_t n = read_output(one, sizeof one);
    assert_int_equal(RUN("-j3", in_path), 0);
    assert_int_equal(read_output(three, sizeof three), n);
    assert_memory_equal(one, three, n);
}

static void many_series(void **state)
{
    (void)state;
    make_rooms(12, 7);
    write_rooms(12);
    assert_int_equal(RUN(in_path), 0);
    said("Between the series\n  - 12 are too many to compare each two unasked: --with "
         "NAME compares one with all\n");
    assert_int_equal(RUN("--output", "json", in_path), 0);
    json_t *j = answer();
    assert_true(json_is_null(json_object_get(j, "relations")));
    json_decref(j);

    assert_int_equal(RUN("--with", "kitchen", in_path), 0);
    said("Between the series\n  - kitchen helps to predict living: ");
    said("of 11 pairs: neither is seen to help to predict the other");
    fits_the_width();
    assert_int_equal(RUN("--with", "room3", "--output", "json", in_path), 0);
    j = answer();
    json_t *all = json_object_get(j, "relations"), *one;
    size_t i;
    assert_int_equal(json_array_size(all), 11);
    json_array_foreach(all, i, one)
    {
        assert_true(json_is_false(json_object_get(one, "beyond_chance")));
        assert_true(!strcmp(text(one, "target"), "room3") ||
                    !strcmp(text(one, "other"), "room3"));
    }
    json_decref(j);
    assert_int_equal(RUN("--with", "attic", in_path), 1);
    said("--with attic: ");
    said("/in.csv holds no series of that name\n");
}

/* Gases that one sensor makes of one resistance: of readings that are an hour each, and
 * of some in an hour, whose means are nearly that only. */
static void write_gases(int readings, int others)
{
    gsl_rng *g = gsl_rng_alloc(gsl_rng_mt19937);
    FILE *f = open_input();
    double level = 0;
    gsl_rng_set(g, 11);
    fprintf(f, "series,time,value\n");
    for (int t = 0; t < 400; t++) {
        level = 0.8 * level + gsl_ran_gaussian(g, 0.2);
        for (int i = 0; i < readings; i++) {
            double co = 5 * exp(level + (i ? gsl_ran_gaussian(g, 0.3) : 0));
            long long at = (long long)(T0_S + 3600 * t + 60 * i);
            fprintf(f, "co,%lld,%.17g\nlpg,%lld,%.17g\nsmoke,%lld,%.17g\n", at, co, at,
                    3 * pow(co, 0.7), at, 0.5 * pow(co, 1.25));
        }
        for (int s = 0; s < others; s++)
            fprintf(f, "other%d,%lld,%.6g\n", s, (long long)(T0_S + 3600 * t),
                    gsl_ran_gaussian(g, 1));
    }
    fclose(f);
    gsl_rng_free(g);
}

/* A series' figure in the rows that were printed; NaN: there is none. */
static double figure_of(const char *series, const char *name)
{
    struct err e = ERR_INIT;
    struct csv *c = csv_open(out_path, &e);
    double x = NAN;
    while (csv_next(c, &e) == 1)
        if (!strcmp(csv_field(c, 0), series) && !*csv_field(c, 1) &&
            !strcmp(csv_field(c, 2), name))
            assert_ok(csv_real(c, 3, &x, &e), e);
    csv_close(c);
    return x;
}

static void series_that_say_the_same(void **state)
{
    (void)state;
    write_gases(1, 1);
    assert_int_equal(RUN(in_path), 0);
    said("Between the series\n  - ln lpg = 1.099 + 0.7 × ln co: lpg says nothing that "
         "the others do not\n  - ln smoke = -0.6931 + 1.25 × ln co: smoke says nothing "
         "that the others do not\n  - ");
    fits_the_width();
    assert_int_equal(RUN("--output", "json", in_path), 0);
    json_t *j = answer(), *same = json_object_get(j, "same");
    assert_int_equal(json_array_size(same), 2);
    assert_string_equal(text(json_array_get(same, 1), "series"), "smoke");
    assert_true(json_is_true(json_object_get(json_array_get(same, 1), "exact")));
    assert_int_equal(json_array_size(json_object_get(j, "relations")), 6);
    json_decref(j);
    assert_int_equal(RUN("--output", "csv", in_path), 0);
    assert_int_equal(figure_of("smoke", "same.exact"), 1);
    assert_int_equal(figure_of("smoke", "same.logarithms"), 1);
    assert_near(figure_of("smoke", "same.offset"), log(0.5), 1e-9);
    assert_near(figure_of("smoke", "same.of.co.weight"), 1.25, 1e-9);

    write_gases(6, 0);
    assert_int_equal(RUN(in_path), 0);
    said(
        "Between the series\n  - ln lpg is nearly a function of the others, above all of "
        "ln co (R² 0.99");
    fits_the_width();
}

/* With --with, of some more than are compared unasked; but not of all that there may be.
 */
static void the_same_of_many(void **state)
{
    (void)state;
    write_gases(1, 10);
    assert_int_equal(RUN("--output", "json", in_path), 0);
    json_t *j = answer();
    assert_true(json_is_null(json_object_get(j, "same")));
    json_decref(j);
    assert_int_equal(RUN("--with", "other3", in_path), 0);
    said("  - ln smoke = -0.6931 + 1.25 × ln co: smoke says");
    write_gases(1, TIES_MAX - 2);
    assert_int_equal(RUN("--with", "co", "--output", "json", in_path), 0);
    j = answer();
    assert_true(json_is_null(json_object_get(j, "same")));
    assert_true(json_is_array(json_object_get(j, "relations")));
    json_decref(j);
}

/* The figures of the JSON as rows. */
static void csv_rows(void **state)
{
    (void)state;
    make_rooms(3, 7);
    write_rooms(3);
    assert_int_equal(RUN("--output", "json", in_path), 0);
    json_t *j = answer(), *one = json_array_get(json_object_get(j, "series"), 1);
    json_t *pair = json_array_get(json_object_get(j, "relations"), 0);
    double r2 =
        json_number_value(json_object_get(json_object_get(one, "regression"), "r2"));
    double gain =
        json_number_value(json_object_get(json_object_get(pair, "helps"), "gain"));
    char target[20], other[20];
    snprintf(target, sizeof target, "%s", text(pair, "target"));
    snprintf(other, sizeof other, "%s", text(pair, "other"));
    json_decref(j);
    assert_int_equal(RUN("--output", "csv", in_path), 0);
    struct err e = ERR_INIT;
    struct csv *c = csv_open(out_path, &e);
    int found = 0, rc = csv_next(c, &e);
    assert_string_equal(csv_field(c, 2), "figure");
    while ((rc = csv_next(c, &e)) == 1) {
        double x;
        assert_int_equal(csv_fields(c), 4);
        assert_ok(csv_real(c, 3, &x, &e), e);
        if (!strcmp(csv_field(c, 0), "living") && !*csv_field(c, 1) &&
            !strcmp(csv_field(c, 2), "regression.r2"))
            found += x == r2;
        if (!strcmp(csv_field(c, 0), target) && !strcmp(csv_field(c, 1), other) &&
            !strcmp(csv_field(c, 2), "helps.gain"))
            found += x == gain;
        if (!strcmp(csv_field(c, 2), "regression.terms.lag_24.coef") ||
            !strcmp(csv_field(c, 2), "lags.-48.n"))
            found++;
    }
    csv_close(c);
    assert_ok(rc, e);
    assert_int_equal(found, 2 + 3 + 3);
}

/* Of many questions some are answered by chance; that is not told as a finding. */
static void chance(void **state)
{
    (void)state;
    make_rooms_that(0, 10, 8);
    write_rooms(10);
    assert_int_equal(RUN(in_path), 0);
    said("Between the series\n  - no series is seen to help to predict another one\n");
    said(" of 45 pairs look related by themselves, but of so many questions some");
    said("only p below 0.00056 (helps to predict) or 0.0011 (moves together)");
    said(
        " of 45 pairs: neither is seen to help to predict the other, nor do they move\n");
}

/* A name that is not UTF-8 stays as it is in CSV and can be asked for as it is. */
static void bytes(void **state)
{
    (void)state;
    make_rooms(1, 7);
    FILE *f = open_input();
    fprintf(f, "series,time,value\n");
    for (int t = 0; t < 300; t++)
        fprintf(f, "caf\xe9,%lld,%.6f\nth\xe9,%lld,%.6f\n", (long long)(T0_S + 3600 * t),
                room[0][t], (long long)(T0_S + 3600 * t), 2 * room[0][t]);
    fclose(f);
    assert_int_equal(RUN("--output", "csv", in_path), 0);
    said("caf\xe9,,hours,300\n");
    said("\ncaf\xe9,th\xe9,hours_in_common,300\n");
    said("\nth\xe9,,same.");
    not_said("\\x");
    assert_int_equal(RUN("--output", "csv", "--with", "th\xe9", in_path), 0);
    said("\nth\xe9,caf\xe9,hours_in_common,300\n");
    assert_int_equal(RUN("--output", "json", in_path), 0);
    said("\"series\":\"caf\\\\xe9\"");
}

/* Text, predicts and beyond_chance say the same of each pair. */
static void chance_in_json(void **state)
{
    (void)state;
    int together = 0;
    const json_t *one;
    size_t i;
    make_rooms_that(0.036, 10, 5);
    write_rooms(10);
    assert_int_equal(RUN("--output", "json", in_path), 0);
    json_t *j = answer();
    json_array_foreach(json_object_get(j, "relations"), i, one)
    {
        const json_t *helps = json_object_get(one, "helps");
        double p = json_number_value(json_object_get(helps, "p"));
        double gain = json_number_value(json_object_get(helps, "gain"));
        bool predicts = json_is_true(json_object_get(one, "predicts"));
        bool beyond = json_is_true(json_object_get(one, "beyond_chance"));
        double best_p = json_number_value(json_object_get(one, "best_p"));
        assert_int_equal(predicts, p < 0.05 / 90 && gain >= 0.01);
        assert_int_equal(beyond, predicts || best_p < 0.05 / 45);
        assert_int_equal(!strstr(text(one, "text"), "is not seen to help"),
                         p < 0.05 / 90);
        assert_int_equal(!strstr(text(one, "text"), "are not seen to move together"),
                         best_p < 0.05 / 45);
        together += beyond && p < 0.05 && !predicts;
    }
    assert_int_equal(together, 1);
    json_decref(j);
}

/* What two rooms do by their clocks is not told as a relation where these are known:
 * Vienna's went an hour ahead on 2026-03-29. */
static void clocks(void **state)
{
    (void)state;
    enum { AHEAD_S = 1774746000, AHEAD = HOURS / 2 };
    make_rooms(4, 8); /* the first two of them are not used */
    FILE *f = open_input();
    fprintf(f, "series,time,value\n");
    for (int t = 0; t < HOURS; t++)
        for (int s = 2; s < 4; s++)
            fprintf(f, "%s,%d,%.6f\n", name_of(s), AHEAD_S + 3600 * (t - AHEAD),
                    room[s][t] - (2 + s % 3) * sin(2 * M_PI * t / 24) +
                        8 * ((t + (t >= AHEAD)) % 24 >= 12));
    fclose(f);
    assert_int_equal(RUN(in_path), 0);
    said(" helps to predict room");
    said("and the other way round too; ");
    assert_int_equal(RUN("--tz", "Europe/Vienna", in_path), 0);
    said(" is not seen to help to predict ");
    said(" two are not seen to");
    assert_int_equal(RUN("--tz", "Europe/Vienna", "--with", "room2", in_path), 0);
    said(" is not seen to help to predict ");
    said(" two are not seen to");
}

/* Nothing of this stands in the way of the others. */
static void odd_series(void **state)
{
    (void)state;
    make_rooms(2, 9);
    FILE *f = open_input();
    fprintf(f, "series,time,value\n");
    for (int t = 0; t < 300; t++)
        fprintf(f, "kitchen,%lld,%.6f\nflat,%lld,21.5\n", (long long)(T0_S + 3600 * t),
                room[0][t], (long long)(T0_S + 3600 * t));
    for (int t = 0; t < 34; t++)
        fprintf(f, "\"sh\033[2Jort\xff\",%lld,%.6f\n", (long long)(T0_S + 3600 * t),
                room[1][t]);
    for (int t = 0; t < 200; t++)
        fprintf(f, "later,%lld,%.6f\n", (long long)(T0_S + 3600 * (t + 5000)),
                room[1][t]);
    fprintf(f, "empty,%lld,\nonce,%lld,5\n", (long long)T0_S, (long long)T0_S);
    fclose(f);
    assert_int_equal(RUN(in_path), 0);
    said("flat\n  300 hours from 2026-11-20T00:00:00.000Z to 2026-12-02T11:00:00.000Z, 0 "
         "of them missing,\n  values from 21.5 to 21.5\n  nothing to regress: it is "
         "constant: nothing to predict, and it says nothing of others\n");
    said("sh\\u001b[2Jort\\xff\n  34 hours");
    said("nothing to regress: its 34 hours make 8 rows (of an hour and those before "
         "it); ");
    said("which 35 hours without a gap make\n");
    said("empty\n  nothing to regress: it has no value\n");
    said("once\n  1 hour from ");
    said("pairs cannot be compared: ");
    fits_the_width();

    assert_int_equal(RUN("--output", "json", in_path), 0);
    json_t *j = answer(), *all = json_object_get(j, "series");
    assert_int_equal(json_array_size(all), 6);
    assert_int_equal(json_array_size(json_object_get(j, "relations")), 15);
    json_t *one = json_array_get(all, 1);
    assert_true(json_is_true(json_object_get(one, "constant")));
    assert_true(json_is_null(json_object_get(one, "regression")));
    one = json_array_get(all, 4);
    assert_string_equal(text(one, "series"), "empty");
    assert_string_equal(text(one, "why"), "it has no value");
    assert_true(json_is_null(json_object_get(one, "from")));
    json_t *last = json_array_get(json_object_get(j, "relations"), 14);
    assert_true(json_is_null(json_object_get(last, "predicts")));
    assert_non_null(strstr(text(last, "text"), "hour"));
    json_decref(j);

    /* few pairs get a sentence each */
    assert_int_equal(RUN("--with", "kitchen", in_path), 0);
    said("  - kitchen and later have no hour in common\n");
    said("  - kitchen and empty have no hour in common\n");
    said("kitchen and once have 1 hours: 168 to 87600 can be compared\n");
}

/* Too few hours, or too far apart: what it takes. */
static void too_few(void **state)
{
    (void)state;
    make_rooms(2, 9);
    FILE *f = open_input();
    fprintf(f, "series,time,value\n");
    for (int t = 0; t < 24; t++)
        fprintf(f, "day,%lld,%.6f\n", (long long)(T0_S + 3600 * t), room[0][t]);
    for (int t = 0; t < 60; t++)
        fprintf(f, "daily,%lld,%.6f\n", (long long)(T0_S + 86400 * t), room[0][t]);
    for (int t = 0; t < 35; t++)
        fprintf(f, "just,%lld,%.6f\n", (long long)(T0_S + 3600 * t), room[1][t]);
    fclose(f);
    assert_int_equal(RUN(in_path), 0);
    said("nothing to regress: its 24 hours make 0 rows (of an hour and those before "
         "it); ");
    said("needed, which 35 hours without a gap make\n");
    said("nothing to regress: its readings are typically 24 hours apart; regressions are "
         "by the\n                      hour, and gaps of more than 3 hours are not "
         "bridged\n");
    said("just\n  35 hours");
    said("regression on its own past: 9 rows");
    assert_int_equal(RUN("--lags", "1,2", in_path), 0);
    said("day\n  24 hours");
    said("regression on its own past: 22 rows");
    for (int n = 4; n < 7; n++) { /* of few lags the standard errors ask for more */
        f = open_input();
        fprintf(f, "time,value\n");
        for (int t = 0; t < n; t++)
            fprintf(f, "%lld,%.6f\n", (long long)(T0_S + 3600 * t), room[0][t]);
        fclose(f);
        assert_int_equal(RUN("--lags", "1", in_path), n < 6);
        said(n < 6 ? "needed, which 6 hours without a gap make\n"
                   : "regression on its own past: 5 rows");
    }
}

static void wide_files(void **state)
{
    (void)state;
    make_rooms(2, 10);
    FILE *f = open_input();
    for (int s = 0; s < 2; s++) {
        fprintf(f, "w%d", s);
        for (int t = 0; t < (s ? 200 : HOURS); t++)
            fprintf(f, ",%.6f", room[s][t]);
        fprintf(f, "\n");
    }
    fclose(f);
    assert_int_equal(RUN("--wide", in_path), 0);
    said("w0\n  700 hours, 0 of them missing, values from ");
    said("w1\n  200 hours, 0 of them missing, values from ");
    said("Between the series\n  - w0 helps to predict w1: ");
    assert_int_equal(RUN("--wide", "--start", "2026-11-20T10:00:00Z", in_path), 0);
    said("w1\n  200 hours from 2026-11-20T10:00:00.000Z to 2026-11-28T17:00:00.000Z");
}

static void nothing_at_all(void **state)
{
    (void)state;
    write_input("time,value\n");
    assert_int_equal(RUN(in_path), 1);
    said("holds no series");
    write_input("time,value\n0,\n3600,NaN\n");
    assert_int_equal(RUN(in_path), 1);
    said("/in.csv has a value\n");
    write_input("time,value\n0,one\n");
    assert_int_equal(RUN(in_path), 1);
    said("line 2, column 2 (value): \"one\" is not a number");
    write_input("time,value\n0,1\n");
    assert_int_equal(RUN(in_path), 1);
    said("nothing to regress: it is constant");
    said("of no series of ");
    said("/in.csv could anything be told\n");
    assert_int_equal(RUN("--output", "csv", in_path), 1);
    write_input("series,time,value\na,0,1\nb,0,1\nb,3600,2\n");
    assert_int_equal(RUN(in_path), 1);
    said("  - a and b have 1 hours: 168 to 87600 can be compared\n");
    FILE *f = open_input(); /* that a series is constant takes a day */
    fprintf(f, "time,value\n");
    for (int t = 0; t < 24; t++)
        fprintf(f, "%d,5\n", 3600 * t);
    fclose(f);
    assert_int_equal(RUN(in_path), 0);
    write_input("time,value\n0,1\n");
    assert_int_equal(RUN("--output", "json", in_path), 1);
    said("],\n\"relations\":[],\n\"same\":[]}\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(command_line),
        cmocka_unit_test(kitchen_predicts_living),
        cmocka_unit_test(figures_of_the_lags),
        cmocka_unit_test(threads),
        cmocka_unit_test(many_series),
        cmocka_unit_test(series_that_say_the_same),
        cmocka_unit_test(the_same_of_many),
        cmocka_unit_test(csv_rows),
        cmocka_unit_test(chance),
        cmocka_unit_test(chance_in_json),
        cmocka_unit_test(bytes),
        cmocka_unit_test(clocks),
        cmocka_unit_test(odd_series),
        cmocka_unit_test(too_few),
        cmocka_unit_test(wide_files),
        cmocka_unit_test(nothing_at_all),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
