/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Documents whose parts are fine each, and do not fit together; and what is read of other
 * series. */
#include "tests/unit/unit.h"

#include <float.h>
#include <math.h>

#include "common/buf.h"
#include "common/mem.h"
#include "common/ml/algos.h"
#include "common/ml/model.h"

static char *case_file(const char *name)
{
    static char text[8192];
    char path[80];
    snprintf(path, sizeof path, "tests/cases/model/%s.json", name);
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    text[fread(text, 1, sizeof text - 1, f)] = '\0';
    fclose(f);
    return text;
}

/* The document of that name with the first `from` replaced by `to`. Owned. */
static char *changed(const char *name, const char *from, const char *to)
{
    const char *text = case_file(name), *at = strstr(text, from);
    if (!at)
        fail_msg("%s has no %s", name, from);
    return xasprintf("%.*s%s%s", (int)(at - text), text, to, at + strlen(from));
}

static struct model *parsed(const char *text)
{
    struct err e = ERR_INIT;
    struct model *m = model_parse(text, strlen(text), &e);
    if (!m)
        fail_msg("%s", e.text);
    return m;
}

#define HUMIDITY                                                                         \
    "{\"series\":\"kitchen.humidity\",\"lags\":[1],\"mean\":51.951680672268907}"
#define NINE "\"1\",\"2\",\"3\",\"4\",\"5\",\"6\",\"7\",\"8\",\"9\""

static void refusals(void **state)
{
    (void)state;
    static const struct {
        const char *name, *from, *to, *text;
    } cases[] = {
        /* the predictor has 48 hours of others: 24, and as many to look back */
        {"direct-others", "[1],\"mean\"", "[25],\"mean\"",
         "features.exogenous[0]: field \"lags[0]\" must be an integer from 1 to 24"},
        {"direct-others", "[1],\"mean\"", "[1,2,3,4,5],\"mean\"",
         "features.exogenous[0]: field \"lags\" has more than 4 entries"},
        {"direct-others", "[1],\"mean\"", "[],\"mean\"",
         "field \"features.exogenous[0]\" must have a series, at least one lag and a "
         "mean"},
        {"direct-others", HUMIDITY, HUMIDITY "," HUMIDITY,
         "field \"features.exogenous[1]\" repeats the series kitchen.humidity"},
        {"direct-others", "kitchen.humidity", "kitchen.temperature",
         "field \"features.exogenous\" must not name the series itself"},
        {"direct-others", "\"code\":\"\"", "\"code\":\"\",\"beside\":[\"hall.humidity\"]",
         "field \"training.beside\" must have kitchen.humidity, which is in "
         "\"features.exogenous\""},
        {"direct-others", "\"code\":\"\"",
         "\"code\":\"\",\"beside\":[\"kitchen.humidity\",\"kitchen.humidity\"]",
         "field \"training.beside[1]\" must name another series, once"},
        {"direct-others", "\"code\":\"\"",
         "\"code\":\"\",\"beside\":[\"kitchen.temperature\"]",
         "field \"training.beside[0]\" must name another series, once"},
        {"direct-others", "\"code\":\"\"", "\"code\":\"\",\"beside\":[" NINE "]",
         "field \"training.beside\" must be an array of 1 to 8 names"},
        {"direct-others", "\"code\":\"\"", "\"code\":\"\",\"besides\":[\"a.b\"]",
         "field \"training.besides\" is not known"},
        {"ridge", "\"from\":\"20", "\"from\":\"29",
         "field \"training.from\" must not be after \"training.to\""},
        {"ridge", "\"from\":\"2026-11-01T00:00:00.000Z\"",
         "\"from\":\"2026-02-31T00:00:00.000Z\"",
         "field \"training.from\" must be a time like"},
        {"ridge", "\"from\":\"2026-11-01T00:00:00.000Z\"",
         "\"from\":\"2026-1-1T0:0:0.000Z\"",
         "field \"training.from\" must be a time like"},
        {"ridge", "\"from\":\"2026", "\"from\":\"0221",
         "field \"training.from\" must be a time like"},
        {"persistence", "\"transform\":\"none\"", "\"transform\":\"log\"",
         "field \"features.transform\" must be \"none\" for persistence"},
        {"blend-zone",
         "\"features\":{\"lags\":[],\"calendar\":[],\"exogenous\":[],"
         "\"transform\":\"none\"}",
         "\"features\":{\"lags\":[],\"calendar\":[],\"exogenous\":[],\"transform\":"
         "\"log\"}",
         "field \"features.transform\" must be \"none\" for blend"},
        {"holt-winters", "\"beta\":0.01", "\"beta\":0.9",
         "field \"state.beta\" must be at most alpha, which is "},
        {"holt-winters", "\"gamma\":0.05", "\"gamma\":0.99",
         "field \"state.gamma\" must be at most 1 - alpha, which is "},
    };
    for (size_t i = 0; i < N_OF(cases); i++) {
        struct err e = ERR_INIT;
        char *text = changed(cases[i].name, cases[i].from, cases[i].to);
        assert_null(model_parse(text, strlen(text), &e));
        assert_int_equal(e.code, ERR_INVALID);
        if (strncmp(e.text, cases[i].text, strlen(cases[i].text)))
            fail_msg("case %zu says \"%s\", not \"%s\"", i, e.text, cases[i].text);
        free(text);
    }
}

/* Three members with four others each are too many, though none of them is. */
static void others_of_members(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    struct model *blend = model_new(&algo_blend, "a.y");
    const struct lead_weights third = lead_weights_all(1.0 / 3);
    for (int i = 0; i < 3; i++) {
        struct model *m = model_new(&algo_direct_others, "a.y");
        m->features.n_exogenous = 4;
        m->features.exogenous = xcalloc(4, sizeof *m->features.exogenous);
        for (int k = 0; k < 4; k++) {
            struct exogenous *x = &m->features.exogenous[k];
            snprintf(x->series, sizeof x->series, "a.x%d", 2 * i + k);
            x->lags[0] = (x->n_lags = 1);
        }
        m->coef = xcalloc(HORIZON_MAX * 64, sizeof *m->coef);
        model_add_member(blend, m, &third);
    }
    char *doc = model_document(blend, NULL);
    model_free(parsed(doc)); /* x0 .. x7: eight */
    free(doc);
    strcpy(blend->member[2]->features.exogenous[0].series, "a.x8");
    doc = model_document(blend, NULL);
    assert_null(model_parse(doc, strlen(doc), &e));
    assert_string_equal(e.text, "field \"features.exogenous\" of all members together "
                                "must name at most 8 series");
    free(doc);
    model_free(blend);
}

/* Another that is read a day before the hour that is forecast: all hours of the last day
 * are read, at one lead or another, and what was there last counts for a day. */
static void what_is_missing(void **state)
{
    (void)state;
    char *text =
        changed("direct-others", "\"lags\":[1],\"mean\"", "\"lags\":[24],\"mean\"");
    struct model *m = parsed(text);
    double own[100], other[100];
    for (int i = 0; i < 100; i++) {
        own[i] = 20;
        other[i] = i < 76 ? 50 : NAN;
    }
    const struct hours h = {.start_s = 1795132800, .n = 100, .y = own},
                       b = {.start_s = 1795132800, .n = 100, .y = other};
    struct others beside;
    struct hours past = h;
    others_init(&beside, &h);
    assert_true(others_add(&beside, "kitchen.humidity", &b));
    past.beside = &beside;
    assert_int_equal(model_others_missing(m, &past), 0);
    beside.of[0].y[75] = NAN; /* for hour 99, at lead 24, what is older is too old */
    assert_int_equal(model_others_missing(m, &past), 1);
    beside.of[0].y[99] = 50;
    assert_int_equal(model_others_missing(m, &past), 0);
    for (int i = 52; i < 75; i++) /* as it is for hour 76, at lead 1 */
        beside.of[0].y[i] = NAN;
    assert_int_equal(model_others_missing(m, &past), 1);
    others_done(&beside);
    model_free(m);
    free(text);
}

/* A band so wide that its ends are no numbers any more ends with the numbers. */
static void a_band_of_numbers(void **state)
{
    (void)state;
    struct model *m = model_new(&algo_persistence, "a.b");
    struct err e = ERR_INIT;
    struct forecast f[HORIZON_MAX];
    double y[] = {1e100};
    const double half[] = {1.7e308};
    const struct hours past = {.n = 1, .y = y};
    model_set_band(m, half, 1, 0.95);
    assert_ok(model_forecast(m, &past, HORIZON_MAX, 0.999, f, &e), e);
    assert_true(f[47].lower == -DBL_MAX && f[47].upper == DBL_MAX);
    model_free(m);
}

/* What is written is what is read, a minus before a zero as well. */
static void minus_zero(void **state)
{
    (void)state;
    char *text = changed("ridge", "\"clip\":[0,", "\"clip\":[-0.0,");
    struct model *m = parsed(text), *back;
    char *doc = model_document(m, NULL), *again;
    assert_non_null(strstr(doc, "\"clip\":[0,"));
    back = parsed(doc);
    again = model_document(back, NULL);
    assert_string_equal(doc, again);
    free(again);
    free(doc);
    free(text);
    model_free(back);
    model_free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refusals),        cmocka_unit_test(others_of_members),
        cmocka_unit_test(what_is_missing), cmocka_unit_test(a_band_of_numbers),
        cmocka_unit_test(minus_zero),
    };
    return cmocka_run_group_tests_name("model_check", tests, NULL, NULL);
}
