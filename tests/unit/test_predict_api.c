/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The predictor's routes as a client sees them, on models in memory: the forms of
 * /predict, what each answer holds, and the text of every refusal. */
#include "tests/unit/champion.h"

#include "services/predictor/api.h"

#define K "kitchen.temperature"

static struct predictor p;

static int call(const char *method, const char *path, const char *body,
                const char *const *query, struct res *s, struct err *e)
{
    struct req q = {.method = method, .path = path, .body = body ? body : ""};
    q.body_len = strlen(q.body);
    q.test_query = query;
    res_init(s);
    *e = (struct err)ERR_INIT;
    return http_dispatch(predictor_routes, &p, &q, s, e);
}

static void expect(const char *method, const char *path, const char *body,
                   const char *const *query, const char *want)
{
    struct res s;
    struct err e;
    if (call(method, path, body, query, &s, &e))
        fail_msg("%s %s: %s", method, body ? body : path, e.text);
    assert_int_equal(s.status, 200);
    assert_string_equal(s.type, "application/json");
    assert_string_equal(s.body.data, want);
    res_done(&s);
}

static void expect_refusal(const char *path, const char *body, const char *const *query,
                           enum err_code code, const char *slug, const char *text)
{
    struct res s;
    struct err e;
    int rc = call(body ? "POST" : "GET", path, body, query, &s, &e);
    if (!rc)
        fail_msg("not refused: %s", body ? body : query[1]);
    assert_failed(rc, e, code, text);
    assert_string_equal(err_slug(&e), slug);
    res_done(&s);
}

/* It is 11:05. kitchen.temperature: version 2 is champion, a ridge on two lags; 1..30 at
 * the 30 hours up to 10:00, the last complete one. */
static int open_all(void **state)
{
    (void)state;
    champion_clock(NOON - HOUR_MS + 300000);
    champion_open(&p);
    struct series *s = champion_install(&p, champion_version(K, 2, "ridge", "1,2", 0.25));
    champion_hours(&p, s, 30, 1, NOON - 2 * HOUR_MS);
    s = champion_install(&p, champion_version("office.noise_2", 7, "persistence", "", 0));
    champion_hours(&p, s, 3, 1, NOON - 2 * HOUR_MS);
    champion_install(&p, champion_version("cellar.humidity", 1, "persistence", "", 0));
    struct version *old = champion_version(K, 1, "persistence", "", 0);
    versions_keep(p.versions, K, old);
    version_put(old);
    return 0;
}

static int close_all(void **state)
{
    (void)state;
    champion_close(&p);
    return 0;
}

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

static void test_refused_bodies(void **unused)
{
    (void)unused;
#define FIELDS                                                                           \
    " is not known; a body has series or model, version, level, and one of horizon, "    \
    "history "                                                                           \
    "(with end, horizon), features, instances"
    static const struct {
        const char *body, *text;
    } rows[] = {
        {"{",
         "the body is not valid JSON: line 1, column 1: string or '}' expected near end "
         "of file"},
        {"[]", "the body must be a JSON object"},
        {"null", "the body is not valid JSON: line 1, column 4: '[' or '{' expected near "
                 "'null'"},
        {"{\"series\":NaN}",
         "the body is not valid JSON: line 1, column 13: invalid token "
         "near 'NaN'"},
        {"{\"series\":\"a.b\",\"series\":\"a.b\"}",
         "the body is not valid JSON: line 1, column 24: duplicate object key near "
         "'\"series\"'"},
        {"{\"series\":1e999}",
         "the body is not valid JSON: line 1, column 15: real number "
         "overflow near '1e999'"},
        {"{\"serie\":\"a.b\"}", "field \"serie\"" FIELDS},
        {"{}", "field \"series\" is missing: a string is expected"},
        {"{\"series\":null}", "field \"series\" is missing: a string is expected"},
        {"{\"model\":7}", "field \"model\" must be a string, not a number"},
        {"{\"series\":\"kitchen\"}",
         "\"kitchen\" is not a series: expected device.quantity, "
         "such as kitchen.temperature"},
        {"{\"series\":\"" K "\",\"model\":\"" K "\"}",
         "give either \"series\" or \"model\", not both"},
        {"{\"series\":\"" K "\",\"horizon\":0}",
         "field \"horizon\" must be from 1 to 48, not 0"},
        {"{\"series\":\"" K "\",\"horizon\":49}",
         "field \"horizon\" must be from 1 to 48, not 49"},
        {"{\"series\":\"" K "\",\"horizon\":1.5}",
         "field \"horizon\" must be a whole number, not one with a fraction"},
        {"{\"series\":\"" K "\",\"horizon\":\"2d\"}",
         "field \"horizon\" must be 1 to 48 hours, such as 24 or \"24h\""},
        {"{\"series\":\"" K "\",\"horizon\":\"99h\"}",
         "field \"horizon\" must be 1 to 48 hours, such as 24 or \"24h\""},
        {"{\"series\":\"" K "\",\"horizon\":[]}",
         "field \"horizon\" must be a whole number, not an array"},
        {"{\"series\":\"" K "\",\"level\":1}",
         "field \"level\" must be from 0.01 to 0.9999, not 1"},
        {"{\"series\":\"" K "\",\"level\":\"high\"}",
         "field \"level\" must be a number, not a string"},
        {"{\"series\":\"" K "\",\"version\":0}",
         "field \"version\" must be from 1 to 2147483647, not 0"},
        {"{\"series\":\"" K "\",\"version\":99999999999999999999}",
         "the body is not valid JSON: line 1, column 62: too big integer near "
         "'99999999999999999999'"},
        {"{\"series\":\"" K "\",\"end\":\"2026-11-20T10:00:00Z\"}",
         "\"end\" belongs to \"history\" or \"features\""},
        {"{\"model\":\"" K "\",\"history\":[1,2],\"end\":\"2026-11-20T10:30:00Z\"}",
         "\"end\" must be the start of an hour, such as 2026-11-20T10:00:00Z"},
        {"{\"model\":\"" K "\",\"history\":[1,2],\"end\":true}",
         "field \"end\" must be a time: RFC 3339, epoch seconds or epoch milliseconds"},
        {"{\"model\":\"" K "\",\"history\":[1,2],\"features\":{}}",
         "give one of \"history\", \"features\" and \"instances\""},
        {"{\"model\":\"" K "\",\"history\":7}", "field \"history\" must be an array"},
        {"{\"model\":\"" K "\",\"history\":null}", "field \"history\" must be an array"},
        {"{\"model\":\"" K "\",\"history\":[]}",
         "\"history\" must have 1 to 2000 values, not 0"},
        {"{\"model\":\"" K "\",\"history\":[1,\"2\"]}",
         "\"history\" value 1 must be a number or null"},
        {"{\"model\":\"" K "\",\"history\":[1e200,2]}",
         "\"history\" value 0 must be a number or null"},
        {"{\"model\":\"" K "\",\"history\":[1,2,null]}",
         "the last value of \"history\" must be a number"},
        {"{\"model\":\"" K "\",\"features\":[1,2]}",
         "field \"features\" must be an object of numbers"},
        {"{\"model\":\"" K "\",\"features\":{\"lag_1\":1}}",
         "feature \"lag_2\" is missing: version 2 reads 2 features"},
        {"{\"model\":\"" K "\",\"features\":{}}",
         "feature \"lag_1\" is missing: version 2 reads 2 features"},
        {"{\"model\":\"" K "\",\"features\":{\"lag_1\":1,\"lag_2\":2,\"lag_3\":3}}",
         "feature \"lag_3\" is not one that version 2 reads"},
        {"{\"model\":\"" K "\",\"features\":{\"lag_1\":1,\"lag_2\":null}}",
         "feature \"lag_2\" must be a number, not null"},
        {"{\"model\":\"" K "\",\"features\":{\"lag_1\":1,\"lag_2\":\"2\"}}",
         "feature \"lag_2\" must be a number"},
        {"{\"model\":\"" K "\",\"features\":{\"lag_1\":1,\"lag_2\":2},\"horizon\":6}",
         "a row of features gives one step: leave \"horizon\" out, or send \"history\" "
         "or "
         "\"series\""},
        {"{\"model\":\"" K "\",\"instances\":{}}",
         "field \"instances\" must be an array"},
        {"{\"model\":\"" K "\",\"instances\":[]}",
         "\"instances\" must have 1 to 1000 rows, not 0"},
        {"{\"model\":\"" K "\",\"instances\":[{\"lag_1\":1,\"lag_2\":2},7]}",
         "instance 1: a row of features must be an object of numbers"},
        {"{\"model\":\"office.noise_2\",\"features\":{\"lag_1\":1}}",
         "version 7 is persistence, which reads no features: send \"history\" or "
         "\"series\""},
    };
    for (size_t i = 0; i < N_OF(rows); i++)
        expect_refusal("/predict", rows[i].body, NULL, ERR_INVALID, "invalid",
                       rows[i].text);
    expect_refusal("/predict", "", NULL, ERR_INVALID, "invalid",
                   "the body is empty: a JSON value is expected");
    expect_refusal("/predict", "{\"model\":\"" K "\",\"history\":[5]}", NULL, ERR_INVALID,
                   "history_missing", "ridge needs the last 2 hours, there are 1");
}

static void test_refused_sizes(void **unused)
{
    (void)unused;
    struct buf b;
    buf_init(&b, 1 << 20);
    buf_adds(&b, "{\"model\":\"" K "\",\"history\":[1");
    for (int i = 0; i < 2000; i++)
        buf_adds(&b, ",1");
    buf_adds(&b, "]}");
    expect_refusal("/predict", b.data, NULL, ERR_INVALID, "invalid",
                   "\"history\" must have 1 to 2000 values, not 2001");
    buf_reset(&b);
    buf_adds(&b, "{\"model\":\"" K "\",\"history\":");
    for (int i = 0; i < 100000; i++)
        buf_addc(&b, '[');
    expect_refusal("/predict", b.data, NULL, ERR_INVALID, "invalid",
                   "the body is nested deeper than 64 levels");
    buf_reset(&b);
    buf_adds(&b, "{\"series\":\"");
    for (int i = 0; i < 200; i++)
        buf_addc(&b, 'a');
    buf_adds(&b, "\"}");
    expect_refusal("/predict", b.data, NULL, ERR_INVALID, "invalid",
                   "field \"series\" must have at most 130 bytes; it has 200");
    buf_done(&b);
}

static void test_refused_queries(void **unused)
{
    (void)unused;
    static const struct {
        const char *query[6], *text;
    } rows[] = {
        {{NULL}, "parameter \"series\" is missing"},
        {{"series", "x", NULL},
         "\"x\" is not a series: expected device.quantity, such as "
         "kitchen.temperature"},
        {{"series", "a.b;drop", NULL},
         "\"a.b;drop\" is not a series: expected "
         "device.quantity, such as kitchen.temperature"},
        {{"series", K, "horizon", "49", NULL},
         "parameter \"horizon\" must be a whole number from 1 to 48, not \"49\""},
        {{"series", K, "horizon", "two", NULL},
         "parameter \"horizon\" must be a whole number from 1 to 48, not \"two\""},
        {{"series", K, "level", "nan", NULL},
         "parameter \"level\" must be a number from 0.01 to 0.9999, not \"nan\""},
        {{"series", K, "version", "-1", NULL},
         "parameter \"version\" must be a whole number from 1 to 2147483647, not \"-1\""},
    };
    for (size_t i = 0; i < N_OF(rows); i++) {
        expect_refusal("/predict", NULL, rows[i].query, ERR_INVALID, "invalid",
                       rows[i].text);
        expect_refusal("/api/v1/forecasts", NULL, rows[i].query, ERR_INVALID, "invalid",
                       rows[i].text);
    }
}

/* Bodies a few bytes away from good ones: each is answered with JSON or refused with
 * words. */
static void test_mutations(void **unused)
{
    (void)unused;
    static const char *const seeds[] = {
        "{\"series\":\"" K "\",\"horizon\":24,\"level\":0.95}",
        "{\"model\":\"" K "\",\"version\":2,\"history\":[20.9,null,21.0],\"end\":"
        "\"2026-11-20T10:00:00Z\",\"horizon\":\"6h\"}",
        "{\"model\":\"" K "\",\"features\":{\"lag_1\":21.2,\"lag_2\":-2.1e1}}",
        "{\"model\":\"" K "\",\"instances\":[{\"lag_1\":1,\"lag_2\":2},{\"lag_2\":0,"
        "\"lag_1\":7}]}"};
    static const char bytes[] = "{}[]\",:0123456789.eE+-\\ntrufalsh_ \x01\x7f\xc3\xff";
    uint64_t r = 88172645463325252u;
    for (int i = 0; i < 20000; i++) {
        char body[512];
        strcpy(body, seeds[i % N_OF(seeds)]);
        for (int k = 0; k <= i % 3; k++) {
            r ^= r << 13;
            r ^= r >> 7;
            r ^= r << 17;
            size_t n = strlen(body), at = n ? r % n : 0;
            char c = bytes[(r >> 32) % (sizeof bytes - 1)];
            if ((r >> 60) % 3 == 0)
                body[at] = c;
            else if ((r >> 60) % 3 == 1)
                memmove(body + at, body + at + 1, n - at);
            else if (n < 500) {
                memmove(body + at + 1, body + at, n - at + 1);
                body[at] = c;
            }
        }
        struct res s;
        struct err e;
        int rc = call("POST", "/predict", body, NULL, &s, &e);
        if (rc) {
            assert_true(e.text[0] && e.code != ERR_INTERNAL);
        } else {
            json_t *j = json_loadb(s.body.data, s.body.len, 0, NULL);
            assert_true(json_array_size(json_object_get(j, "predictions")) > 0);
            json_decref(j);
        }
        res_done(&s);
    }
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
    double before = metric_value(s->answered), refused = metric_value(p.refused);
    const char *q[] = {"series", K, NULL}, *bad[] = {"series", "x", NULL};
    struct res r;
    struct err e;
    assert_ok(call("GET", "/predict", NULL, q, &r, &e), e);
    res_done(&r);
    assert_int_equal(call("GET", "/predict", NULL, bad, &r, &e), -1);
    res_done(&r);
    assert_true(metric_value(s->answered) == before + 1);
    assert_true(metric_value(p.refused) == refused + 1);
    assert_true(metric_value(p.missing) ==
                2); /* the two rows above that lacked a feature */
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

static void test_refused_history(void **unused)
{
    (void)unused;
    static const struct {
        const char *query[8], *text;
    } rows[] = {
        {{NULL}, "parameter \"series\" is missing"},
        {{"series", "k", NULL},
         "\"k\" is not a series: expected device.quantity, such as "
         "kitchen.temperature"},
        {{"series", K, "agg", "1d", NULL},
         "parameter \"agg\" must be 1h or raw, not \"1d\""},
        {{"series", K, "format", "xml", NULL},
         "parameter \"format\" must be json or csv, not \"xml\""},
        {{"series", K, "from", "2026-11-20T10:00:00Z", "to", "2026-11-20T10:00:00Z",
          NULL},
         "\"from\" must be before \"to\""},
        {{"series", K, "from", "2020-01-01T00:00:00Z", NULL},
         "from and to are more than 400 days apart: ask in pieces"},
        {{"series", K, "from", "2026-10-01T00:00:00Z", "agg", "raw", NULL},
         "from and to are more than 31 days apart: ask in pieces, or with agg=1h"},
    };
    for (size_t i = 0; i < N_OF(rows); i++)
        expect_refusal("/api/v1/history", NULL, rows[i].query, ERR_INVALID, "invalid",
                       rows[i].text);
    const char *limit[] = {"limit", "1001", NULL};
    expect_refusal(
        "/api/v1/series", NULL, limit, ERR_INVALID, "invalid",
        "parameter \"limit\" must be a whole number from 1 to 1000, not \"1001\"");
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
        cmocka_unit_test(test_refused_bodies),
        cmocka_unit_test(test_refused_sizes),
        cmocka_unit_test(test_refused_queries),
        cmocka_unit_test(test_mutations),
        cmocka_unit_test(test_unknown),
        cmocka_unit_test(test_warnings),
        cmocka_unit_test(test_metrics),
        cmocka_unit_test(test_progress),
        cmocka_unit_test(test_refused_history),
    };
    return cmocka_run_group_tests(tests, open_all, close_all);
}
