/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "common/mem.h"
#include "common/ml/algos.h"
#include "common/ml/model.h"
#include "tests/unit/near.h"
#include "tests/unit/past.h"

static const char document[] =
    "{\"fieldcast_model\":1,\"series\":\"kitchen.temperature\",\"algorithm\":\"ridge\","
    "\"parameters\":{\"strength\":1},"
    "\"features\":{\"lags\":[1,2],\"calendar\":[],\"exogenous\":[],\"transform\":"
    "\"none\"},"
    "\"scaling\":{\"mean\":[20,20],\"std\":[2,2]},"
    "\"state\":{\"intercept\":20,\"coef\":[1,0.10000000000000001],\"clip\":[0,40],"
    "\"dropped\":[\"lag_2\"]},"
    "\"intervals\":{\"level\":0.94999999999999996,\"lower\":[-1,-2],\"upper\":[1.5,2]},"
    "\"baseline\":{\"quantiles\":[18,20,22],\"error\":{\"lead1_sd\":0.5}},"
    "\"training\":{\"from\":\"2026-11-01T00:00:00.000Z\",\"to\":\"2026-11-20T09:00:00."
    "000Z\","
    "\"rows\":466,\"sha256\":"
    "\"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\","
    "\"preset\":\"\",\"seed\":7,\"code\":\"0.1.0 abc\"},"
    "\"metrics\":{\"mae\":0.25,\"rows\":440,\"r2\":null}}";

static struct model *parsed(const char *text)
{
    struct err e = ERR_INIT;
    struct model *m = model_parse(text, strlen(text), &e);
    if (!m)
        fail_msg("%s", e.text);
    return m;
}

static void round_trip(void **state)
{
    (void)state;
    struct model *m = parsed(document);
    assert_string_equal(m->series, "kitchen.temperature");
    assert_true(m->algo == &algo_ridge);
    assert_int_equal(m->dropped, 2);
    assert_int_equal(m->training.rows, 466);
    assert_int_equal(m->training.from_s, 1793491200);
    assert_int_equal(m->training.seed, 7);
    assert_int_equal(m->n_leads, 2);
    assert_int_equal(m->n_quantiles, 3);
    assert_near(m->lead1_sd, 0.5, 0);
    size_t len;
    char *doc = model_document(m, &len);
    assert_string_equal(doc, document);
    assert_int_equal(len, strlen(doc));
    free(doc);
    model_free(m);
}

/* A model that knows little yet: no band, no baseline. */
static void bare(void **state)
{
    (void)state;
    struct model *m = model_new(&algo_persistence, "a.b");
    char *doc = model_document(m, NULL);
    assert_non_null(strstr(doc, "\"lead1_sd\":null"));
    struct model *back = parsed(doc);
    assert_true(isnan(back->lead1_sd) && back->n_leads == 0);
    model_free(back);
    model_free(m);
    free(doc);
    model_free(NULL);
}

/* document with the first `from` replaced by `to`. */
static char *changed(const char *from, const char *to)
{
    const char *at = strstr(document, from);
    if (!at)
        fail_msg("the document has no %s", from);
    return xasprintf("%.*s%s%s", (int)(at - document), document, to, at + strlen(from));
}

static void refusals(void **state)
{
    (void)state;
    static const struct {
        const char *from, *to, *text;
    } cases[] = {
        {document, "", "the model document is empty: a JSON value is expected"},
        {document, "[]", "the model document must be an object"},
        {"}}", "}", "the model document is not valid JSON: "},
        {"\"fieldcast_model\":1", "\"fieldcast_model\":2",
         "field \"fieldcast_model\" must be 1, the only version this build reads"},
        {"\"fieldcast_model\":1,", "", "field \"fieldcast_model\" must be 1"},
        {"\"series\"", "\"serie\"", "field \"serie\" is not known"},
        {"\"series\":\"kitchen.temperature\"", "\"series\":3",
         "field \"series\" must be a string, not a number"},
        {"\"algorithm\":\"ridge\",", "", "field \"algorithm\" is missing"},
        {"\"ridge\"", "\"magic\"",
         "field \"algorithm\" names \"magic\", which is not known"},
        {"\"strength\":1", "\"strength\":0",
         "parameters: field \"strength\" must be from"},
        {"\"strength\":1", "\"weight\":1", "parameters: field \"strength\" is missing"},
        {"\"strength\":1", "\"strength\":1,\"weight\":1",
         "field \"parameters\" must hold exactly the 1 that ridge has"},
        {"{\"strength\":1}", "[]", "field \"parameters\" must be an object"},
        {"\"lags\":[1,2]", "\"lags\":[0,2]",
         "field \"features.lags[0]\" must be an integer"},
        {"\"lags\":[1,2]", "\"lags\":[]",
         "field \"scaling.mean\" has 2 numbers, 0 expected"},
        {"\"none\"", "\"cube\"", "field \"features.transform\" must be"},
        {"\"mean\":[20,20]", "\"mean\":[20]",
         "field \"scaling.mean\" has 1 numbers, 2 expected"},
        {"\"mean\":[20,20]", "\"mean\":[20,null]",
         "field \"scaling.mean[1]\" must be a finite number"},
        {"\"mean\":[20,20]", "\"mean\":2",
         "field \"scaling.mean\" must be an array of numbers"},
        {"\"std\":[2,2]", "\"std\":[2,0]", "field \"scaling.std[1]\" must be above 0"},
        {"\"state\":{", "\"state\":null,\"x\":{", "field \"x\" is not known"},
        {"\"intercept\":20,", "", "state: field \"intercept\" is missing"},
        {"\"coef\":[1,", "\"coef\":[",
         "field \"state.coef\" must be an array of 2 numbers"},
        {"\"coef\":[1,", "\"coef\":[\"1\",", "field \"state.coef[0]\" must be a number"},
        {"\"coef\":[1,", "\"coef\":[1e999,",
         "the model document is not valid JSON: line 1, column"},
        {"\"clip\":[0,40]", "\"clip\":[40,0]",
         "field \"state.clip\" must be a range, low first"},
        {"[\"lag_2\"]", "[\"lag_3\"]",
         "field \"state.dropped[0]\" must name one of the features"},
        {"[\"lag_2\"]", "7", "field \"state.dropped\" must be an array"},
        {"0.94999999999999996", "1", "intervals: field \"level\" must be from"},
        {"\"lower\":[-1,-2]", "\"lower\":[-1,2]",
         "field \"intervals.lower[1]\" must not be above 0"},
        {"\"upper\":[1.5,2]", "\"upper\":[-1.5,2]",
         "field \"intervals.upper[0]\" must not be below 0"},
        {"\"upper\":[1.5,2]", "\"upper\":[1.5]",
         "field \"intervals.upper\" has 1 numbers, 2 expected"},
        {"\"lower\":[-1,-2]",
         "\"lower\":[0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,"
         "0,0,0,"
         "0,0,0,0,0,0,0,0,0,0,0,0]",
         "field \"intervals.lower\" has 49 numbers, at most 48 expected"},
        {"[18,20,22]", "[18,22,20]",
         "field \"baseline.quantiles[2]\" must not be below the one before"},
        {"\"lead1_sd\":0.5", "\"lead1_sd\":-1",
         "baseline.error: field \"lead1_sd\" must be"},
        {"{\"lead1_sd\":0.5}", "5", "field \"baseline.error\" must be an object"},
        {"\"2026-11-01T00:00:00.000Z\"", "\"yesterday\"",
         "field \"training.from\" must be a time like"},
        {"\"rows\":466", "\"rows\":-1", "training: field \"rows\" must be"},
        {"\"seed\":7", "\"seed\":\"7\"", "training: field \"seed\" must be"},
        {"\"e3b0c442", "\"E3B0C442",
         "field \"training.sha256\" must be 64 lower-case hex"},
        {"\"preset\":\"\"", "\"preset\":\"a preset with a long name\"",
         "training: field \"preset\" must have at most 15 bytes"},
        {"\"mae\":0.25", "\"mae\":\"good\"",
         "field \"metrics.mae\" must be a number or null"},
        {"\"metrics\":{", "\"metric\":{", "field \"metric\" is not known"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct err e = ERR_INIT;
        char *text = changed(cases[i].from, cases[i].to);
        assert_null(model_parse(text, strlen(text), &e));
        if (strncmp(e.text, cases[i].text, strlen(cases[i].text)))
            fail_msg("case %zu says \"%s\", not \"%s\"", i, e.text, cases[i].text);
        free(text);
    }
}

static void refusals_of_size_and_kind(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    assert_null(model_parse("x", MODEL_DOC_MAX + (size_t)1, &e));
    assert_int_equal(e.code, ERR_TOO_LARGE);
    /* any prefix of a document is refused, whatever it is cut in */
    for (size_t n = 0; n < strlen(document); n++)
        assert_null(model_parse(document, n, &e));
    /* a logarithm needs a range above 0; a baseline reads no lags */
    char *text = changed("\"none\"", "\"log\"");
    assert_null(model_parse(text, strlen(text), &e));
    assert_string_equal(e.text,
                        "field \"state.clip\" must be a range above 0, low first");
    free(text);
    text = changed("\"ridge\",\"parameters\":{\"strength\":1}",
                   "\"persistence\",\"parameters\":{}");
    assert_null(model_parse(text, strlen(text), &e));
    assert_string_equal(e.text, "field \"features\" must be empty for persistence");
    free(text);
}

static void forecast_by_hand(void **state)
{
    (void)state;
    struct model *m = parsed(document);
    struct forecast f[3];
    struct err e = ERR_INIT;
    const double y[] = {18, 22};
    /* 20 + (22-20)/2 + .1 (18-20)/2 = 20.9; then 20 + .45 + .1 = 20.55 */
    assert_int_equal(model_history(m), 2);
    assert_int_equal(model_forecast(m, PAST(y, 2), 3, 0.95, f, &e), 0);
    assert_near(f[0].yhat, 20.9, 1e-12);
    assert_near(f[0].lower, 19.9, 1e-12);
    assert_near(f[0].upper, 22.4, 1e-12);
    assert_near(f[1].yhat, 20.55, 1e-12);
    assert_near(f[2].upper - f[2].yhat, 2 * sqrt(1.5), 1e-12); /* past the band's end */
    /* at 0.8 the band is z(.9)/z(.975) = 1.2815516/1.9599640 as wide */
    assert_int_equal(model_forecast(m, PAST(y, 2), 1, 0.8, f, &e), 0);
    assert_near(f[0].upper - f[0].yhat, 1.5 * 1.2815516 / 1.9599640, 1e-6);
    assert_int_equal(model_predict_row(m, (const double[]){22, 18}, 0, 0.95, f, &e), 0);
    assert_near(f[0].yhat, 20.9, 1e-12);
    /* what cannot be is not said */
    m->lowest = 20;
    m->highest = 22;
    assert_int_equal(model_forecast(m, PAST(y, 2), 1, 0.95, f, &e), 0);
    assert_near(f[0].yhat, 20.9, 1e-12);
    assert_near(f[0].lower, 20, 0);
    assert_near(f[0].upper, 22, 0);
    m->highest = 20.5;
    assert_int_equal(model_forecast(m, PAST(y, 2), 1, 0.95, f, &e), 0);
    assert_near(f[0].yhat, 20.5, 0);
    assert_near(f[0].lower, 20, 0);
    assert_near(f[0].upper, 20.5, 0);
    m->lowest = -INFINITY;
    m->highest = INFINITY;
    /* the model's own limits, of what it was trained on, hold too */
    assert_int_equal(model_predict_row(m, (const double[]){1e6, 0}, 0, 0.95, f, &e), 0);
    assert_near(f[0].yhat, 40, 0);
    model_free(m);
}

static void forecast_refusals(void **state)
{
    (void)state;
    struct model *m = parsed(document), *p = model_new(&algo_persistence, "a.b");
    struct forecast f[48];
    struct err e = ERR_INIT;
    const double y[] = {18, 22}, hole[] = {18, NAN};
    assert_int_equal(model_forecast(m, PAST(y, 2), 0, 0.95, f, &e), -1);
    assert_string_equal(e.text, "the horizon must be 1 to 48 hours, not 0");
    assert_int_equal(model_forecast(m, PAST(y, 2), 49, 0.95, f, &e), -1);
    assert_int_equal(model_forecast(m, PAST(y, 2), 1, 1, f, &e), -1);
    assert_string_equal(e.text, "the level must be between 0 and 1, not 1");
    assert_int_equal(model_forecast(m, PAST(y, 2), 1, NAN, f, &e), -1);
    assert_int_equal(model_forecast(m, PAST(y, 1), 1, 0.95, f, &e), -1);
    assert_string_equal(e.text, "ridge needs the last 2 hours, there are 1");
    assert_string_equal(err_slug(&e), "history_missing");
    assert_int_equal(model_forecast(m, PAST(hole, 2), 1, 0.95, f, &e), -1);
    assert_string_equal(e.text, "the newest hour is missing");
    const double old[] = {NAN, 22};
    assert_int_equal(model_forecast(m, PAST(old, 2), 1, 0.95, f, &e), -1);
    assert_string_equal(e.text, "lead 1 cannot be forecast: an hour it reads is missing");
    assert_int_equal(model_predict_row(m, hole, 0, 0.95, f, &e), -1);
    assert_string_equal(e.text, "feature \"lag_2\" must be a finite number");
    assert_int_equal(model_predict_row(p, y, 0, 0.95, f, &e), -1);
    assert_string_equal(
        e.text, "persistence reads no features: send \"history\" or \"series\" instead");
    model_free(p);
    model_free(m);
}

/* Short gaps are bridged, longer ones borrow from the nearest day and are counted. */
static void gaps(void **state)
{
    (void)state;
    struct model *m = model_new(&algo_seasonal_naive_24, "a.b");
    struct forecast f[24];
    struct err e = ERR_INIT;
    double y[72];
    for (int i = 0; i < 72; i++)
        y[i] = i;
    y[50] = y[51] = NAN;
    assert_int_equal(model_history_gaps(m, y, 72), 0);
    assert_int_equal(model_forecast(m, PAST(y, 72), 24, 0.95, f, &e), 0);
    assert_near(f[2].yhat, 50, 1e-12);
    for (int i = 50; i < 60; i++)
        y[i] = NAN;
    assert_int_equal(model_history_gaps(m, y, 72), 10);
    assert_int_equal(model_forecast(m, PAST(y, 72), 24, 0.95, f, &e), 0);
    assert_near(f[2].yhat, 50 - 24, 1e-12);
    assert_int_equal(model_history_gaps(m, y + 48, 24), 0); /* nothing to borrow from */
    assert_int_equal(model_forecast(m, PAST(y + 48, 24), 24, 0.95, f, &e), -1);
    assert_string_equal(err_slug(&e), "history_missing");
    model_free(m);
}

/* A newest hour out of all proportion is read as the end of what was learned from, unless
 * the one before it was so, too, or the model has to believe all. */
static void newest_hour(void **state)
{
    (void)state;
    struct model *m = model_new(&algo_persistence, "a.b");
    struct forecast f[2];
    struct err e = ERR_INIT;
    double y[] = {15, 12, 18, NAN, 41};
    m->n_quantiles = 2;
    m->quantiles = xmalloc(2 * sizeof *m->quantiles);
    m->quantiles[0] = 10;
    m->quantiles[1] = 20;
    m->training.rows = 200;
    assert_near(model_newest(m, y, 5), 20, 0);
    assert_int_equal(model_forecast(m, PAST(y, 5), 2, 0.95, f, &e), 0);
    assert_near(f[1].yhat, 20, 0);
    y[2] = 31; /* it bears the newest out */
    assert_int_equal(model_forecast(m, PAST(y, 5), 2, 0.95, f, &e), 0);
    assert_near(f[1].yhat, 41, 0);
    y[2] = 18;
    strcpy(m->training.preset, "system0");
    assert_near(model_newest(m, y, 5), 41, 0);
    *m->training.preset = '\0';
    m->training.rows = 167;
    assert_near(model_newest(m, y, 5), 41, 0);
    m->training.rows = 200;
    assert_near(model_newest(m, y + 4, 1), 20, 0);
    y[4] = NAN;
    assert_int_equal(model_forecast(m, PAST(y, 5), 2, 0.95, f, &e), -1);
    assert_string_equal(err_slug(&e), "history_missing");
    model_free(m);
}

static void log_scale(void **state)
{
    (void)state;
    char *text = changed("\"none\"", "\"log\"");
    char *at = strstr(text, "\"clip\":[0,40]");
    memcpy(at, "\"clip\":[1,40]", 13);
    struct model *m = parsed(text);
    struct forecast f;
    struct err e = ERR_INIT;
    /* the intercept is on the log scale: 40 is the limit, and the band a factor */
    m->raw[0] = log(10);
    m->raw[1] = m->raw[2] = 0;
    assert_int_equal(model_predict_row(m, (const double[]){5, 5}, 0, 0.95, &f, &e), 0);
    assert_near(f.yhat, 10, 1e-12);
    assert_near(f.lower, 10 * exp(-1), 1e-12);
    assert_near(f.upper, 40, 1e-12); /* of 44.8: the limit of what is forecast */
    m->clip_high = 100;
    assert_int_equal(model_predict_row(m, (const double[]){5, 5}, 0, 0.95, &f, &e), 0);
    assert_near(f.upper, 10 * exp(1.5), 1e-12);
    assert_int_equal(model_predict_row(m, (const double[]){5, 0}, 0, 0.95, &f, &e), -1);
    assert_string_equal(e.text, "feature \"lag_2\" must be a positive number");
    /* a zero in the history is taken for the least the model knows */
    assert_int_equal(
        model_forecast(m, PAST(((const double[]){0, 5}), 2), 1, 0.95, &f, &e), 0);
    model_free(m);
    free(text);
}

/* What the fuzzer begins with is taken, and forecasts. */
static void cases(void **state)
{
    (void)state;
    static char text[8192];
    double y[700];
    glob_t files;
    struct err e = ERR_INIT;
    for (int i = 0; i < 700; i++)
        y[i] = 20 + i % 24 / 4.0;
    assert_int_equal(glob("tests/cases/model/*.json", 0, NULL, &files), 0);
    assert_true(files.gl_pathc >= 9);
    for (size_t i = 0; i < files.gl_pathc; i++) {
        FILE *f = fopen(files.gl_pathv[i], "r");
        struct forecast out[HORIZON_MAX];
        assert_non_null(f);
        text[fread(text, 1, sizeof text - 1, f)] = '\0';
        fclose(f);
        struct model *m = parsed(text);
        if (model_forecast(m, PAST(y, 700), HORIZON_MAX, 0.95, out, &e))
            fail_msg("%s: %s", files.gl_pathv[i], e.text);
        for (int k = 0; k < HORIZON_MAX; k++)
            assert_true(out[k].lower <= out[k].yhat && out[k].yhat <= out[k].upper);
        model_free(m);
    }
    globfree(&files);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(round_trip),
        cmocka_unit_test(bare),
        cmocka_unit_test(refusals),
        cmocka_unit_test(refusals_of_size_and_kind),
        cmocka_unit_test(forecast_by_hand),
        cmocka_unit_test(forecast_refusals),
        cmocka_unit_test(gaps),
        cmocka_unit_test(newest_hour),
        cmocka_unit_test(log_scale),
        cmocka_unit_test(cases),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
