/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/unit/champion.h"

#include "services/predictor/forecasts.h"
#include "services/predictor/unknown.h"

static void test_lines(void **unused)
{
    (void)unused;
    struct predictor p;
    champion_open(&p);
    struct series *s = champion_install(
        &p, champion_version("kitchen.temperature", 3, "persistence", "", 0));
    champion_hours(&p, s, 1, 20.5, NOON);
    struct serving *v = series_serving(s);
    struct buf b;
    buf_init(&b, 1 << 20);
    forecasts_lines(&b, s, v->by, v->origin_ms, v->yhat, &v->widths, true);
    /* leads 1, 6, 12, 24, 48; the band that is known for two leads grows with the root */
    assert_true(
        !strncmp(b.data,
                 "forecast_leads,device=kitchen,lead=1,quantity=temperature,"
                 "role=champion yhat=20.5,yhat_lower=19.5,yhat_upper=21.5,version=3,"
                 "origin_ms=1795176000000,width=1 1795179600000\n"
                 "forecast_leads,device=kitchen,lead=6,",
                 198));
    int lines = 0;
    for (char *c = b.data; *c; c++)
        lines += *c == '\n';
    assert_int_equal(lines, 5);
    assert_non_null(
        strstr(b.data, "lead=48,quantity=temperature,role=champion yhat=20.5,"));
    assert_non_null(strstr(b.data, " 1795348800000\n"));
    buf_reset(&b);
    forecasts_lines(&b, s, v->by, v->origin_ms, v->yhat, &v->widths, false);
    for (char *c = b.data; *c; c++)
        lines += *c == '\n';
    assert_int_equal(lines, 5 + 48);
    assert_null(strstr(b.data, "lead="));
    buf_done(&b);
    serving_put(v);
    champion_close(&p);
}

/* As of an hour in the past only what was known then is read. */
static void test_past_origin(void **unused)
{
    (void)unused;
    struct predictor p;
    struct err e = ERR_INIT;
    struct forecast f[HORIZON_MAX];
    champion_open(&p);
    struct series *s = champion_install(
        &p, champion_version("kitchen.temperature", 1, "ridge", "1,2", 0));
    champion_hours(&p, s, 10, 1, NOON);
    struct serving *v = series_serving(s);
    models_lock(p.models);
    assert_ok(origin_forecast(p.models, s, v->version, NOON - 3 * HOUR_MS, f, NULL, &e),
              e);
    assert_true(f[0].yhat == 6.5); /* hours 6 and 7 */
    history_put(s->history, NOON - 3 * HOUR_MS, 0.0 / 0.0);
    assert_int_equal(
        origin_forecast(p.models, s, v->version, NOON - 3 * HOUR_MS, f, NULL, &e), -1);
    assert_string_equal(e.text, "the newest hour is missing");
    e = (struct err)ERR_INIT;
    assert_int_equal(
        origin_forecast(p.models, s, v->version, NOON - 90 * HOUR_MS, f, NULL, &e), -1);
    assert_string_equal(e.text, "kitchen.temperature has no complete hour to start from");
    models_unlock(p.models);
    serving_put(v);
    champion_close(&p);
}

static void test_versions_cache(void **unused)
{
    (void)unused;
    struct predictor p;
    struct err e = ERR_INIT;
    champion_open(&p); /* keeps two; Postgres is not there */
    for (int i = 1; i <= 2; i++) {
        struct version *v = champion_version("a.co", i, "persistence", "", 0);
        versions_keep(p.versions, "a.co", v);
        version_put(v);
    }
    struct version *one = versions_get(p.versions, "a.co", 1, &e);
    assert_int_equal(one->number, 1);
    struct version *three = champion_version("a.co", 3, "persistence", "", 0);
    versions_keep(p.versions, "a.co", three); /* in the place of 2, used longest ago */
    version_put(three);
    assert_null(versions_get(p.versions, "a.co", 2, &e));
    assert_int_equal(e.code, ERR_UNAVAILABLE);
    version_put(versions_get(p.versions, "a.co", 3, &e));
    version_put(one);
    champion_close(&p);
}

static void test_distance(void **unused)
{
    (void)unused;
    static const struct {
        const char *a, *b;
        unsigned d;
    } rows[] = {{"", "", 0},
                {"abc", "abc", 0},
                {"abc", "", 3},
                {"kitchn.temperature", "kitchen.temperature", 1},
                {"kitten", "sitting", 3}};
    for (size_t i = 0; i < N_OF(rows); i++) {
        assert_int_equal(unknown_distance(rows[i].a, rows[i].b), rows[i].d);
        assert_int_equal(unknown_distance(rows[i].b, rows[i].a), rows[i].d);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lines),
        cmocka_unit_test(test_past_origin),
        cmocka_unit_test(test_versions_cache),
        cmocka_unit_test(test_distance),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
