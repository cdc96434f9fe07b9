/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/unit/champion.h"

#include "services/predictor/live.h"

static struct predictor p;

static int take(const char *text, struct err *e)
{
    json_t *j = json_loads(text, 0, NULL);
    assert_non_null(j);
    *e = (struct err)ERR_INIT;
    int rc = live_take(p.live, j, e);
    json_decref(j);
    return rc;
}

static void test_last(void **unused)
{
    (void)unused;
    struct err e;
    int64_t t;
    double v;
    assert_ok(take("{\"readings\":[{\"device\":\"kitchen\",\"time_ms\":1000,\"values\":"
                   "{\"temperature\":21.5,\"humidity\":40}},{\"device\":\"kitchen\","
                   "\"time_ms\":900,\"values\":{\"temperature\":5}}]}",
                   &e),
              e);
    assert_true(live_last(p.live, models_find(p.models, "kitchen.temperature"), &t, &v));
    assert_true(t == 1000 && v == 21.5); /* the later one, not the one that came last */
    assert_true(live_last(p.live, models_find(p.models, "kitchen.humidity"), &t, &v));
    assert_true(v == 40);
    assert_ok(take("{\"readings\":[]}", &e), e);
}

static void test_refused(void **unused)
{
    (void)unused;
    static const struct {
        const char *body, *text;
    } rows[] = {
        {"{}", "\"readings\" must be an array of at most 5000"},
        {"{\"readings\":[1]}",
         "reading 0: field \"device\" is missing: a string is expected"},
        {"{\"readings\":[{\"device\":\"a\",\"time_ms\":1}]}",
         "reading 0: \"values\" must be an object of at most 64 numbers"},
        {"{\"readings\":[{\"device\":\"a\",\"time_ms\":1,\"values\":{}},{\"device\":\"a "
         "b\","
         "\"time_ms\":1,\"values\":{}}]}",
         "reading 1: \"a b\" is not a device"},
        {"{\"readings\":[{\"device\":\"a\",\"time_ms\":1,\"values\":{\"T\":1}}]}",
         "reading 0: \"T\" is not a quantity"},
        {"{\"readings\":[{\"device\":\"a\",\"time_ms\":1,\"values\":{\"co\":null}}]}",
         "reading 0: the value of \"co\" must be a number"},
        {"{\"readings\":[{\"device\":\"a\",\"time_ms\":-1,\"values\":{}}]}",
         "reading 0: field \"time_ms\" must be from 0 to 253402300799999, not -1"},
    };
    for (size_t i = 0; i < N_OF(rows); i++) {
        struct err e;
        int rc = take(rows[i].body, &e);
        assert_failed(rc, e, ERR_INVALID, rows[i].text);
    }
}

/* Residuals wait for InfluxDB, up to a limit; what does not fit is not taken at all. */
static void test_full(void **unused)
{
    (void)unused;
    struct err e = ERR_INIT;
    struct series *s = champion_install(
        &p, champion_version("kitchen.temperature", 1, "persistence", "", 0));
    champion_hours(&p, s, 2, 20, NOON);
    json_t *readings = json_array();
    for (int i = 0; i < 4000; i++)
        json_array_append_new(readings,
                              json_pack("{s:s, s:I, s:{s:f}}", "device", "kitchen",
                                        "time_ms", (json_int_t)(NOON + HOUR_MS + i),
                                        "values", "temperature", 21.0 + i / 7.0));
    json_t *body = json_pack("{s:o}", "readings", readings);
    int n = 0;
    while (n < 100 && live_take(p.live, body, &e) == 0)
        n++;
    assert_true(n >= 3 && n < 100);
    assert_int_equal(e.code, ERR_BUSY);
    assert_string_equal(e.text, "4000 live values do not fit: InfluxDB is behind");
    json_t *more = json_pack("{s:[]}", "readings");
    for (int i = 0; i < 157; i++) {
        json_t *values = json_object();
        for (int k = 0; k < 64; k++) {
            char q[16];
            sprintf(q, "co_%d", k);
            json_object_set_new(values, q, json_real(1));
        }
        json_array_append_new(
            json_object_get(more, "readings"),
            json_pack("{s:s, s:i, s:o}", "device", "d", "time_ms", 1, "values", values));
    }
    e = (struct err)ERR_INIT;
    int rc = live_take(p.live, more, &e);
    assert_failed(rc, e, ERR_TOO_LARGE, "one request may carry 10000 values, not 10048");
    json_decref(more);
    json_decref(body);
}

static int open_all(void **state)
{
    (void)state;
    champion_open(&p);
    return 0;
}

static int close_all(void **state)
{
    (void)state;
    champion_close(&p);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_last),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_full),
    };
    return cmocka_run_group_tests(tests, open_all, close_all);
}
