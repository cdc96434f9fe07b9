/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Ingest's routes as a client sees them. */
#include "tests/unit/ingest_app.h"

#include "common/http_client.h"
#include "services/ingest/intake_internal.h"

static void test_post(void **unused)
{
    (void)unused;
    expect(POST, "{\"device\":\"kitchen\",\"values\":{\"temperature\":21}}", 200,
           "{\"accepted\":1}");
    expect(
        POST,
        "[{\"device\":\"kitchen\",\"boot\":1,\"seq\":1,\"values\":{\"temperature\":21}},"
        "{\"device\":\"office\",\"values\":{\"temperature\":22}}]",
        200, "{\"accepted\":2}");
    assert_int_equal(log_records(), 3);
    /* the same numbered reading: accepted, and in the log once */
    expect(
        POST,
        "{\"device\":\"kitchen\",\"boot\":1,\"seq\":1,\"values\":{\"temperature\":21}}",
        200, "{\"accepted\":1}");
    assert_int_equal(log_records(), 3);
}

static void test_post_refuses_all_or_nothing(void **unused)
{
    (void)unused;
    static const struct {
        const char *body, *text;
    } table[] = {
        {"", "the body is empty: a JSON value is expected"},
        {"[]", "the body must have 1 to 10000 readings; it has 0"},
        {"[1]", "reading 0: the payload is not valid JSON: line 1, column 1: '[' or '{' "
                "expected near '1'"},
        {"{\"values\":{\"temperature\":1}}",
         "reading 0: field \"device\" is missing: it names the device"},
        {"[{\"device\":\"new\",\"values\":{\"temperature\":1}},{\"device\":\"b\"}]",
         "reading 1: field \"values\" must be an object of quantities"},
        {"{\"device\":\"a\",\"values\":{\"humidity\":300}}",
         "reading 0: humidity is 300: possible are 0 to 100 %"},
        {"{\"device\":\"kitchen\",\"values\":{\"temperature\":\"warm\"}}",
         "reading 0: the value of \"temperature\" must be a number"},
    };
    for (size_t i = 0; i < N_OF(table); i++)
        expect(POST, table[i].body, 400, table[i].text);
    assert_int_equal(log_records(), 0);
    assert_int_equal(ledger_size(app.ledger),
                     0); /* not even the device of the good one */
    expect(POST, "{\"device\":\"a b\",\"values\":{\"temperature\":1}}", 200,
           "{\"accepted\":1}");
    expect(
        POST, "{\"device\":\"a.b\",\"values\":{\"temperature\":1}}", 400,
        "reading 0: the ids \"a b\" and \"a.b\" both become the device a_b: rename one");
}

static void test_post_when_the_log_is_full(void **unused)
{
    (void)unused;
    close_app();
    log_max = 1 << 10;
    open_app();
    char body[200];
    int status = 200;
    for (int i = 0; status == 200 && i < 100; i++) {
        snprintf(body, sizeof body,
                 "{\"device\":\"kitchen\",\"boot\":1,\"seq\":%d,\"values\":{"
                 "\"temperature\":1}}",
                 i);
        free(call(POST, body, &status));
    }
    assert_int_equal(status, 503);
    char *text = call(POST, body, &status);
    assert_non_null(
        strstr(text, "took 0 of 1 readings, send the others again: the log is full"));
    free(text);
    assert_false(dep_is_up(app.log)); /* for /readyz */
    ingest_tick(&app);
    ingest_tick(&app);
    assert_false(dep_is_up(app.log)); /* it still is full */
    close_app();
    log_max = 4 << 20;
    open_app();
    free(call(POST, body, &status));
    assert_int_equal(status, 200);
    ingest_log_refused(&app, "the log is full");
    assert_false(dep_is_up(app.log));
    ingest_tick(&app); /* nobody has to post again */
    assert_true(dep_is_up(app.log));
}

static void test_ledger_and_devices(void **unused)
{
    (void)unused;
    take("fieldcast/kitchen/readings", "{\"values\":{\"temperature\":1}}", 1);
    take("home/Office/dht22", "{\"temp_c\":20,\"ts\":5}", 1);
    take("home/Office/dht22", "{", 1);
    json_t *j = get_json("/api/v1/ledger", NULL);
    assert_int_equal(
        json_integer_value(json_object_get(json_object_get(j, "totals"), "received")), 3);
    assert_int_equal(
        json_integer_value(json_object_get(json_object_get(j, "no_device"), "pending")),
        1);
    assert_int_equal(json_array_size(json_object_get(j, "items")), 2);
    assert_true(json_is_null(json_object_get(j, "next")));
    json_decref(j);
    j = get_json("/api/v1/ledger", (const char *[]){"limit", "1", NULL});
    assert_string_equal(json_string_value(json_object_get(j, "next")), "1");
    json_decref(j);
    j = get_json("/api/v1/devices", (const char *[]){"limit", "1", "after", "1", NULL});
    json_t *office = json_array_get(json_object_get(j, "items"), 0);
    assert_string_equal(json_string_value(json_object_get(office, "device")), "office");
    assert_string_equal(json_string_value(json_object_get(office, "time_source")),
                        "arrival_implausible_time");
    assert_true(json_is_null(json_object_get(office, "status")));
    assert_true(json_is_null(json_object_get(j, "next")));
    struct device *d = ledger_find(app.ledger, "office");
    assert_true(json_is_null(json_object_get(office, "late")));
    json_decref(j);
    ledger_late(app.ledger, d, INT64_C(1795132800000), 3600000);
    char *text = call("GET", "/api/v1/devices",
                      (const char *[]){"device", "office", NULL}, "", &(int){0});
    assert_non_null(strstr(text, "\"late\":{\"readings\":1,\"last\":\"2026-11-20T00:00:"
                                 "00.000Z\",\"age_s\":3600}"));
    free(text);
    j = get_json("/api/v1/devices", (const char *[]){"device", "nobody", NULL});
    assert_int_equal(json_array_size(json_object_get(j, "items")), 0);
    json_decref(j);
    expect("GET", "/api/v1/ledger", (const char *[]){"limit", "0", NULL}, "", 400,
           "parameter \"limit\" must be a whole number from 1 to 10000, not \"0\"");
}

static void test_explain(void **unused)
{
    (void)unused;
    int status;
    char *text = call("POST", "/api/v1/explain", NULL,
                      "{\"topic\":\"sensors/p/data\",\"payload\":{\"sensor_id\":\"p\","
                      "\"sensor_type\":\"pressure\",\"value\":101.3,\"unit\":\"kPa\"}}",
                      &status);
    assert_int_equal(status, 200);
    assert_non_null(
        strstr(text, "\"decoder\":\"system3\",\"accepted\":true,\"reason\":null"));
    assert_non_null(strstr(text, "\"values\":{\"pressure\":{\"value\":1013.0,\"unit\":"
                                 "\"hectopascal\"}}"));
    assert_non_null(
        strstr(text, "\"line\":\"readings,device=p pressure=1013,received_ms="));
    assert_non_null(strstr(text, "\"late\":false"));
    free(text);
    char body[160]; /* an hour old, beyond the grace */
    snprintf(body, sizeof body,
             "{\"topic\":\"fieldcast/a/readings\",\"payload\":{\"ts_ms\":%lld,"
             "\"values\":{\"co\":1}}}",
             (long long)(NOW - 3600000));
    text = call("POST", "/api/v1/explain", NULL, body, &status);
    assert_non_null(strstr(text, "\"late\":true"));
    assert_non_null(strstr(text, ",quality=1,late=1 "));
    free(text);
    assert_int_equal(ledger_size(app.ledger), 0);
    expect("POST", "/api/v1/explain", NULL,
           "{\"topic\":\"x\",\"payload\":\"{\\\"a\\\":1}\"}", 200,
           "{\"decoder\":null,\"accepted\":false,\"reason\":\"unknown_topic\",\"detail\":"
           "\"no "
           "decoder knows the topic \\\"x\\\"\",\"items\":[],\"subscribed\":false}");
    expect("POST", "/api/v1/explain", NULL,
           "{\"topic\":\"fieldcast/a/status\",\"payload\":\"online\"}", 200,
           "{\"decoder\":\"status\",\"accepted\":true,\"reason\":null,\"detail\":null,"
           "\"items\":[{\"device\":\"a\",\"accepted\":true,\"status\":\"online\"}],"
           "\"subscribed\":true}");
    expect(
        "POST", "/api/v1/explain", NULL,
        "{\"topic\":\"fieldcast/a/readings\",\"payload\":{\"values\":{\"co\":1}},"
        "\"retain\":true}",
        200,
        "{\"decoder\":\"native\",\"accepted\":false,\"reason\":\"retained_without_time\","
        "\"detail\":\"the broker had kept this message and it has no time of its own: it "
        "may be old\",\"items\":[{\"device\":\"a\",\"accepted\":false,\"reason\":"
        "\"retained_without_time\"}],\"subscribed\":true}");
    text = call("POST", "/api/v1/explain", NULL,
                "{\"topic\":\"kafka/x\",\"payload\":\"{}\"}", &status);
    assert_non_null(strstr(text, "\"subscribed\":null"));
    free(text);
    expect("POST", "/api/v1/explain", NULL, "{\"payload\":1}", 400,
           "field \"topic\" is missing: a string is expected");
    expect("POST", "/api/v1/explain", NULL, "{\"topic\":\"a\"}", 400,
           "field \"payload\" is missing: a text or JSON is expected");
}

static void test_the_rest(void **unused)
{
    (void)unused;
    expect("GET", "/api/v1/hours", (const char *[]){"after", "a:1", NULL}, "", 200,
           "{\"after\":\"a:1\"}");
    expect("GET", "/api/v1/hours", (const char *[]){"after", "junk", NULL}, "", 400,
           "after is junk");
    expect("GET", "/api/v1/deadletters", NULL, "", 200, "{\"items\":[],\"next\":null}");
    expect("GET", "/api/v1/deadletters", (const char *[]){"reason", "bad_time", NULL}, "",
           200, "{\"items\":[],\"next\":null}");
    expect("GET", "/api/v1/deadletters", (const char *[]){"reason", "bad_tmie", NULL}, "",
           400, "there is no reason \"bad_tmie\"");
    expect("GET", "/api/v1/deadletters", (const char *[]){"before", "x", NULL}, "", 400,
           "parameter \"before\" must be a whole number from 0 to "
           "9223372036854775807, not "
           "\"x\"");
}

/* ---- while the disk takes its time
 * ------------------------------------------------------------------ */

static int get_alive(void *unused, const struct req *q, struct res *s, struct err *e)
{
    (void)unused;
    (void)q;
    (void)e;
    return buf_adds(&s->body, "alive");
}

struct asked {
    struct http_server *h;
    const char *path, *body; /* NULL: GET */
    int status;
};

static void *ask(void *arg)
{
    struct asked *a = arg;
    struct err e = ERR_INIT;
    struct http_answer got;
    char url[100];
    struct http_client *c = http_client_new(NULL, NULL, NULL);
    snprintf(url, sizeof url, "http://127.0.0.1:%d%s", http_server_port(a->h), a->path);
    if (http_request(c, a->body ? "POST" : "GET", url, NULL, a->body,
                     a->body ? strlen(a->body) : 0, 20000, 1 << 20, &got, &e) == 0) {
        a->status = got.status;
        http_answer_done(&got);
    }
    http_client_free(c);
    return NULL;
}

/* A server that answers one after the other never gets there. */
static void wait_in_flight(int n)
{
    const struct metric *g =
        metric_gauge(app.service.metrics, "fieldcast_http_requests_in_flight", "", NULL);
    for (int ms = 0; metric_value(g) < n && ms < 5000; ms++)
        clock_sleep_ms(1);
}

static void test_others_are_answered_while_the_log_is_written(void **unused)
{
    (void)unused;
    static const struct route alive[] = {
        {"GET", "/alive", ROLE_NONE, false, 0, get_alive, "", NULL}, {0}};
    struct err e = ERR_INIT;
    expect(POST, "{\"device\":\"a\",\"values\":{\"t\":1}}", 200, "{\"accepted\":1}");
    struct auth *auth = auth_open("", "", false, "127.0.0.1", &e);
    struct http_server_opts o = {.addr = "127.0.0.1",
                                 .threads = 1,
                                 .workers = 4,
                                 .routes = ingest_routes,
                                 .more = alive,
                                 .app = &app,
                                 .auth = auth,
                                 .metrics = app.service.metrics};
    struct http_server *h = http_server_open(&o, &e);
    if (!h)
        fail_msg("%s", e.text);
    http_client_global_init();
    struct asked waits[] = {
        {h, "/api/v1/ledger", NULL, 0},
        {h, "/api/v1/devices", NULL, 0},
        {h, "/api/v1/explain",
         "{\"topic\":\"fieldcast/a/readings\",\"payload\":{\"values\":{\"t\":1}}}", 0},
    };
    struct asked other = {h, "/alive", NULL, 0};
    pthread_t thread[N_OF(waits)];
    pthread_mutex_lock(&app.intake->lock); /* as an append does */
    for (size_t i = 0; i < N_OF(waits); i++) {
        assert_int_equal(pthread_create(&thread[i], NULL, ask, &waits[i]), 0);
        wait_in_flight((int)i + 1);
    }
    ask(&other);
    pthread_mutex_unlock(&app.intake->lock);
    for (size_t i = 0; i < N_OF(waits); i++)
        pthread_join(thread[i], NULL);
    http_server_close(h);
    auth_close(auth);
    assert_int_equal(other.status, 200);
    for (size_t i = 0; i < N_OF(waits); i++)
        assert_int_equal(waits[i].status, 200);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(test_post),
        T(test_post_refuses_all_or_nothing),
        T(test_post_when_the_log_is_full),
        T(test_ledger_and_devices),
        T(test_explain),
        T(test_the_rest),
        T(test_others_are_answered_while_the_log_is_written),
    };
    log_init("test", LOG_FATAL);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
