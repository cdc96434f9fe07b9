/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the routes of the predictor answer: the forms of /predict, what answers hold. */
#include "tests/unit/predictor_app.h"

static void test_series_form(void **unused)
{
    (void)unused;
    static const char want[] =
        "{\"model\":\"kitchen.temperature\",\"version\":2,\"algorithm\":\"ridge\","
        "\"origin\":\"2026-11-20T10:00:00.000Z\",\"level\":0.95,\"predictions\":["
        "{\"time\":\"2026-11-20T11:00:00.000Z\",\"lead\":1,\"yhat\":29.75,"
        "\"yhat_lower\":28.75,\"yhat_upper\":30.75},"
        "{\"time\":\"2026-11-20T12:00:00.000Z\",\"lead\":2,\"yhat\":30.125,"
        "\"yhat_lower\":28.125,\"yhat_upper\":32.125}],\"warnings\":[]}";
    expect("POST", "/predict", "{\"series\":\"" K "\",\"horizon\":2}", NULL, want);
    expect("POST", "/api/v1/predict", "{\"series\":\"" K "\",\"horizon\":\"2h\"}", NULL,
           want);
    expect("POST", "/predict", "{\"model\":\"kitchen\\\\.temperature\",\"horizon\":2}",
           NULL, want);
    expect("POST", "/predict",
           "{\"series\":\"" K "\",\"horizon\":2,\"version\":2,\"level\":0.95}", NULL,
           want);
    const char *q[] = {"series", K, "horizon", "2h", NULL};
    expect("GET", "/predict", NULL, q, want);
    expect("GET", "/api/v1/predict", NULL, q, want);
}

static void test_forecasts(void **unused)
{
    (void)unused;
    const char *q[] = {"series", "kitchen\\.temperature", "horizon", "1", "level", "0.5",
                       NULL};
    expect(
        "GET", "/api/v1/forecasts", NULL, q,
        "{\"series\":\"kitchen.temperature\",\"unit\":\"celsius\",\"version\":2,"
        "\"algorithm\":\"ridge\",\"origin\":\"2026-11-20T10:00:00.000Z\",\"level\":0.5,"
        "\"points\":[{\"time\":\"2026-11-20T11:00:00.000Z\",\"lead\":1,\"yhat\":29.75,"
        "\"yhat_lower\":29.40586625289221,\"yhat_upper\":30.09413374710779}],"
        "\"warnings\":[]}");
    const char *unknown_unit[] = {"series", "office.noise_2", "horizon", "1", NULL};
    expect("GET", "/api/v1/forecasts", NULL, unknown_unit,
           "{\"series\":\"office.noise_2\",\"unit\":null,\"version\":7,"
           "\"algorithm\":\"persistence\",\"origin\":\"2026-11-20T10:00:00.000Z\","
           "\"level\":0.95,\"points\":[{\"time\":\"2026-11-20T11:00:00.000Z\",\"lead\":1,"
           "\"yhat\":3,\"yhat_lower\":2,\"yhat_upper\":4}],\"warnings\":[]}");
}

static void test_whole_horizon(void **unused)
{
    (void)unused;
    struct res s;
    struct err e;
    const char *q[] = {"series", K, "horizon", "48", NULL};
    assert_ok(call("GET", "/api/v1/forecasts", NULL, q, &s, &e), e);
    assert_non_null(
        strstr(s.body.data, "{\"time\":\"2026-11-22T10:00:00.000Z\",\"lead\":48,"));
    res_done(&s);
    const char *bare[] = {"series", K, NULL}; /* 24 unless said otherwise */
    assert_ok(call("GET", "/predict", NULL, bare, &s, &e), e);
    assert_non_null(strstr(s.body.data, "\"lead\":24,"));
    assert_null(strstr(s.body.data, "\"lead\":25,"));
    res_done(&s);
}

static void test_history_form(void **unused)
{
    (void)unused;
    expect("POST", "/predict",
           "{\"model\":\"" K "\",\"version\":2,\"history\":[20,21],"
           "\"end\":\"2026-11-20T10:00:00Z\",\"horizon\":1}",
           NULL,
           "{\"model\":\"kitchen.temperature\",\"version\":2,\"algorithm\":\"ridge\","
           "\"origin\":\"2026-11-20T10:00:00.000Z\",\"level\":0.95,\"predictions\":["
           "{\"time\":\"2026-11-20T11:00:00.000Z\",\"lead\":1,\"yhat\":20.75,"
           "\"yhat_lower\":19.75,\"yhat_upper\":21.75}],\"warnings\":[]}");
    /* without an end there are no times; another version answers under its own number */
    expect(
        "POST", "/predict",
        "{\"model\":\"" K "\",\"version\":1,\"history\":[20,null,23.5],\"horizon\":1}",
        NULL,
        "{\"model\":\"kitchen.temperature\",\"version\":1,\"algorithm\":\"persistence\","
        "\"origin\":null,\"level\":0.95,\"predictions\":[{\"time\":null,\"lead\":1,"
        "\"yhat\":23.5,\"yhat_lower\":22.5,\"yhat_upper\":24.5}],\"warnings\":[]}");
}

static void test_features_form(void **unused)
{
    (void)unused;
    expect("POST", "/predict",
           "{\"model\":\"" K "\",\"features\":{\"lag_2\":21.1,\"lag_1\":21.2}}", NULL,
           "{\"model\":\"kitchen.temperature\",\"version\":2,\"algorithm\":\"ridge\","
           "\"origin\":null,\"level\":0.95,\"predictions\":[{\"time\":null,\"lead\":1,"
           "\"yhat\":21.4,\"yhat_lower\":20.4,\"yhat_upper\":22.4}],\"warnings\":[]}");
    expect("POST", "/predict",
           "{\"model\":\"" K
           "\",\"end\":1795168800,\"instances\":[{\"lag_1\":1,\"lag_2\":2},"
           "{\"lag_1\":3,\"lag_2\":4}]}",
           NULL,
           "{\"model\":\"kitchen.temperature\",\"version\":2,\"algorithm\":\"ridge\","
           "\"origin\":\"2026-11-20T10:00:00.000Z\",\"level\":0.95,\"predictions\":["
           "{\"time\":\"2026-11-20T11:00:00.000Z\",\"lead\":1,\"yhat\":1.75,"
           "\"yhat_lower\":0.75,\"yhat_upper\":2.75},"
           "{\"time\":\"2026-11-20T11:00:00.000Z\",\"lead\":1,\"yhat\":3.75,"
           "\"yhat_lower\":2.75,\"yhat_upper\":4.75}],\"warnings\":[]}");
}

static void test_other_version_by_hours(void **unused)
{
    (void)unused;
    const char *q[] = {"series", K, "version", "1", "horizon", "1", NULL};
    expect(
        "GET", "/predict", NULL, q,
        "{\"model\":\"kitchen.temperature\",\"version\":1,\"algorithm\":\"persistence\","
        "\"origin\":\"2026-11-20T10:00:00.000Z\",\"level\":0.95,\"predictions\":["
        "{\"time\":\"2026-11-20T11:00:00.000Z\",\"lead\":1,\"yhat\":30,"
        "\"yhat_lower\":29,\"yhat_upper\":31}],\"warnings\":[]}");
}

/* Postgres is not there in this test: what only it can tell is refused as unavailable. */
static void test_unknown(void **unused)
{
    (void)unused;
    struct res s;
    struct err e;
    const char *q[] = {"series", "attic.temperature", NULL};
    assert_int_equal(call("GET", "/predict", NULL, q, &s, &e), -1);
    assert_int_equal(e.code, ERR_UNAVAILABLE);
    assert_true(!strncmp(e.text,
                         "attic.temperature has no model in memory: could not connect "
                         "to postgres",
                         70));
    res_done(&s);
    const char *version[] = {"series", K, "version", "9", NULL};
    assert_int_equal(call("GET", "/predict", NULL, version, &s, &e), -1);
    assert_int_equal(e.code, ERR_UNAVAILABLE);
    res_done(&s);
    const char *no_hours[] = {"series", "cellar.humidity", NULL};
    expect_refusal(
        "/predict", NULL, no_hours, ERR_CONFLICT, "no_forecast_yet",
        "version 1 of cellar.humidity has not forecast yet: its first forecast is "
        "being made");
}

static void expect_warning(const char *text)
{
    struct res s;
    struct err e;
    const char *q[] = {"series", K, "horizon", "1", NULL};
    assert_ok(call("GET", "/predict", NULL, q, &s, &e), e);
    const char *warnings = strstr(s.body.data, "\"warnings\":");
    assert_non_null(warnings);
    assert_string_equal(warnings, text);
    res_done(&s);
}

static void test_warnings(void **unused)
{
    (void)unused;
    champion_clock(NOON + 3 * HOUR_MS + 300000); /* 15:05: the last hour there is 10:00 */
    expect_warning("\"warnings\":[\"the last complete hour is 5 h old: no newer one has "
                   "come\"]}");
    champion_clock(NOON - HOUR_MS + 300000);
    atomic_store(&p.watch.up, false);
    expect_warning("\"warnings\":[\"the registry is away: a newer version may exist\"]}");
    atomic_store(&p.watch.up, true);
    champion_install(&p, champion_version(K, 3, "ridge", "1,100", 0));
    expect_warning(
        "\"warnings\":[\"version 3 is the champion but could not forecast yet (its "
        "first forecast is being made): version 2 answers\"]}");
    champion_hours(&p, models_find(p.models, K), 30, 1, NOON - 2 * HOUR_MS);
    expect_warning(
        "\"warnings\":[\"version 3 is the champion but could not forecast yet "
        "(ridge needs the last 100 hours, there are 30): version 2 answers\"]}");
}

static void test_metrics(void **unused)
{
    (void)unused;
    struct series *s = models_find(p.models, K);
    double before = metric_value(s->answered), refused = metric_value(p.refused),
           missing = metric_value(p.missing);
    const char *q[] = {"series", K, NULL}, *bad[] = {"series", "x", NULL};
    struct res r;
    struct err e;
    assert_ok(call("GET", "/predict", NULL, q, &r, &e), e);
    res_done(&r);
    assert_int_equal(call("GET", "/predict", NULL, bad, &r, &e), -1);
    res_done(&r);
    assert_true(metric_value(s->answered) == before + 1);
    assert_true(metric_value(p.refused) == refused + 1);
    assert_true(metric_value(p.missing) == missing);
    expect_refusal("/predict", "{\"model\":\"" K "\",\"features\":{\"lag_1\":1}}", NULL,
                   ERR_INVALID, "invalid",
                   "feature \"lag_100\" is missing: version 3 reads 2 features");
    assert_true(metric_value(p.missing) == missing + 1);
    metrics_render(p.svc.metrics, &r.body);
    assert_non_null(strstr(r.body.data,
                           "fieldcast_model_loaded_info{service=\"test\",device="
                           "\"kitchen\",quantity=\"temperature\",version=\"3\","
                           "algorithm=\"ridge\"} 1\n"));
    assert_null(strstr(r.body.data, "version=\"2\"")); /* its time is over */
    buf_done(&r.body);
}

static void test_progress(void **unused)
{
    (void)unused;
    expect("GET", "/api/v1/progress", NULL, NULL, "{\"forecast\":null,\"model_seq\":0}");
    atomic_store(&p.done_hour_ms, NOON);
    atomic_store(&p.done_seq, 12);
    expect("GET", "/api/v1/progress", NULL, NULL,
           "{\"forecast\":\"2026-11-20T12:00:00.000Z\",\"model_seq\":12}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_series_form),
        cmocka_unit_test(test_forecasts),
        cmocka_unit_test(test_whole_horizon),
        cmocka_unit_test(test_history_form),
        cmocka_unit_test(test_features_form),
        cmocka_unit_test(test_other_version_by_hours),
        cmocka_unit_test(test_unknown),
        cmocka_unit_test(test_warnings),
        cmocka_unit_test(test_metrics),
        cmocka_unit_test(test_progress),
    };
    return cmocka_run_group_tests(tests, open_all, close_all);
}
