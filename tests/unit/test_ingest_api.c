/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Ingest's routes and the way into the log, on a real log. What lies behind the log (the
 * sink and the roll-up) is not there: their headers are implemented below. */
#include "tests/unit/unit.h"

#include <dirent.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/json.h"
#include "common/log.h"
#include "services/ingest/api.h"
#include "services/ingest/ingest.h"

#define NOW clock_now_ms()

/* ---- stand-ins: sink_influx.h, rollup.h
 * --------------------------------------------------- */

struct sink_influx *sink_influx_open(const struct sink_influx_opts *o, struct err *e)
{
    (void)o;
    (void)e;
    return NULL;
}

void sink_influx_close(struct sink_influx *s)
{
    (void)s;
}

int64_t sink_influx_written(const struct sink_influx *s)
{
    (void)s;
    return 0;
}

void sink_influx_flush(struct sink_influx *s)
{
    (void)s;
}

struct rollup *rollup_open(const struct rollup_opts *o, struct err *e)
{
    (void)o;
    (void)e;
    return NULL;
}

void rollup_close(struct rollup *r)
{
    (void)r;
}

json_t *rollup_changes(struct rollup *r, const char *after, struct err *e)
{
    (void)r;
    if (after && !strcmp(after, "junk")) {
        err_set(e, ERR_INVALID, "after is junk");
        return NULL;
    }
    return json_pack("{s:s?}", "after", after);
}

int64_t rollup_hour(struct rollup *r)
{
    (void)r;
    return INT64_MIN;
}

/* ---- the app
 * -------------------------------------------------------------------------------- */

static char dir[64];
static struct ingest app;
static int64_t log_max;

static void open_app(void)
{
    struct err e = ERR_INIT;
    char path[128];
    struct wal_opts w = {.dir = dir, .max_bytes = log_max, .segment_bytes = 1 << 20};
    app.how.fix =
        (struct timefix){.past_ms = INT64_C(400) * 86400000, .future_ms = 600000};
    app.service.metrics = metrics_new("ingest");
    app.log = service_dep(&app.service, "log", true);
    dep_up(app.log);
    app.wal = wal_open(&w, &e);
    snprintf(path, sizeof path, "%s/devices.jsonl", dir);
    app.ledger = ledger_open(path, 4, app.service.metrics, &e);
    app.letters = deadletter_open(dir, 1 << 20, 0, &e);
    app.how.ledger = app.ledger;
    app.intake = intake_new(app.wal, &app.how, NULL, app.service.metrics);
    app.set.mqtt_filters = (char *)"fieldcast/#";
    app.started_ms = 0;
    if (!app.wal || !app.ledger || !app.letters || intake_remember(app.intake, 0, &e))
        fail_msg("%s", e.text);
}

static void close_app(void)
{
    intake_free(app.intake);
    deadletter_close(app.letters);
    ledger_close(app.ledger);
    wal_close(app.wal);
    service_close(&app.service);
}

static int setup(void **unused)
{
    (void)unused;
    log_max = 4 << 20;
    strcpy(dir, "/tmp/fieldcast-api-XXXXXX");
    if (!mkdtemp(dir))
        return -1;
    open_app();
    return 0;
}

static int teardown(void **unused)
{
    (void)unused;
    close_app();
    DIR *d = opendir(dir);
    for (struct dirent *f; d && (f = readdir(d));)
        unlinkat(dirfd(d), f->d_name, 0);
    closedir(d);
    return rmdir(dir);
}

/* The answer's body, owned; *status from the error if there was one. */
static char *call(const char *method, const char *path, const char *const *query,
                  const char *body, int *status)
{
    struct err e = ERR_INIT;
    struct res s;
    struct req q = {.method = method,
                    .path = path,
                    .body = body,
                    .body_len = strlen(body),
                    .test_query = query};
    res_init(&s);
    bool failed = http_dispatch(ingest_routes, &app, &q, &s, &e) != 0;
    *status = failed ? err_http_status(e.code) : s.status;
    char *text = strdup(failed ? e.text : s.body.data);
    res_done(&s);
    return text;
}

static void expect(const char *method, const char *path, const char *const *query,
                   const char *body, int want_status, const char *want)
{
    int status;
    char *text = call(method, path, query, body, &status);
    if (status != want_status || strcmp(text, want))
        fail_msg("%s %s %s: %d %s", method, path, body, status, text);
    free(text);
}

#define POST "POST", "/api/v1/readings", NULL

static json_t *get_json(const char *path, const char *const *query)
{
    int status;
    char *text = call("GET", path, query, "", &status);
    json_t *j = json_loads(text, 0, NULL);
    if (status != 200 || !j)
        fail_msg("GET %s: %d %s", path, status, text);
    free(text);
    return j;
}

static int log_records(void)
{
    struct err e = ERR_INIT;
    struct wal_reader *r = wal_reader_open(app.wal, "", 0, &e);
    struct wal_record rec;
    int64_t pos;
    int n = 0;
    while (wal_read(r, &rec, &pos, &e) > 0)
        n++;
    wal_reader_close(r);
    return n;
}

/* ---- */

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

static void take(const char *topic, const char *payload, unsigned flags)
{
    struct err e = ERR_INIT;
    struct arrival a = {
        .topic = topic, .payload = payload, .len = strlen(payload), .flags = flags};
    assert_ok(intake_take(app.intake, &a, &e), e);
}

static void test_arrival_times_grow_and_survive(void **unused)
{
    (void)unused;
    struct err e = ERR_INIT;
    for (int i = 0; i < 100; i++) {
        take("home/office/dht22", "{\"temp_c\":20,\"hum\":40}", 1);
        if (i == 50) {
            close_app();
            open_app();
        }
    }
    struct wal_reader *r = wal_reader_open(app.wal, "", 0, &e);
    struct wal_record rec;
    int64_t pos, last = 0;
    int n = 0;
    while (wal_read(r, &rec, &pos, &e) > 0) {
        assert_true(rec.assigned_ms > last);
        assert_true(rec.assigned_ms >= rec.receive_ms);
        last = rec.assigned_ms;
        n++;
    }
    wal_reader_close(r);
    assert_int_equal(n, 100);
}

/* The clock was in 2030 and is put right: times made of arrivals are of now again, and
 * what lies in the log keeps its own. The last test: the clock stays virtual. */
static void test_a_clock_that_was_ahead(void **unused)
{
    (void)unused;
    static const int64_t times[] = {INT64_C(1893456000000), INT64_C(1893456000000),
                                    INT64_C(1795132800000), INT64_C(1795132800000),
                                    INT64_C(1795132795000)};
    static const int64_t want[] = {0, 1, 0, 1, 5002}; /* 5 s back is no reason */
    struct err e = ERR_INIT;
    struct wal_record rec;
    char path[64], text[64];
    int64_t pos;
    size_t n = 0;
    for (size_t i = 0; i < N_OF(times); i++) {
        snprintf(text, sizeof text, "%lld 0\n", (long long)times[i]);
        temp_file(path, text);
        assert_int_equal(clock_init(path, &e), 0);
        take("home/office/dht22", "{\"temp_c\":20,\"hum\":40}", 1);
        unlink(path);
        close_app(); /* the same after a restart */
        open_app();
    }
    struct wal_reader *r = wal_reader_open(app.wal, "", 0, &e);
    while (wal_read(r, &rec, &pos, &e) > 0)
        if (!(rec.flags & WAL_ACCOUNT)) {
            assert_true(n < N_OF(want) && rec.assigned_ms == times[n] + want[n]);
            n++;
        }
    wal_reader_close(r);
    assert_int_equal(n, N_OF(want));
    ledger_received(app.ledger, ledger_find(app.ledger, "office"), times[0]);
    ledger_received(app.ledger, ledger_find(app.ledger, "office"), times[2]);
    assert_true(ledger_view(app.ledger, ledger_find(app.ledger, "office")).last_seen_ms ==
                times[2]);
}

static void test_duplicates(void **unused)
{
    (void)unused;
    const char *numbered = "{\"boot\":1,\"seq\":5,\"values\":{\"temperature\":1}}";
    const char *bare = "{\"temp_c\":20,\"hum\":40}";
    char timed[128];
    snprintf(timed, sizeof timed, "{\"ts_ms\":%lld,\"values\":{\"temperature\":1}}",
             (long long)NOW);
    take("fieldcast/a/readings", numbered, 1);
    take("fieldcast/a/readings", numbered, 1); /* out */
    take("fieldcast/b/readings", numbered, 1); /* another device */
    take("fieldcast/a/readings", timed, 1);
    take("home/office/dht22", bare, 1);
    take("home/office/dht22", bare, 1); /* a sensor may say the same again */
    close_app();
    open_app(); /* the window comes from the log */
    take("fieldcast/a/readings", numbered, 1 | WAL_DUP); /* out */
    take("fieldcast/a/readings", timed, 1);              /* out */
    take("home/office/dht22", bare, 1);
    take("home/office/dht22", bare, 1 | WAL_DUP); /* out: the broker sends it again */
    assert_int_equal(log_records(), 6);
    struct counts c = ledger_totals(app.ledger);
    assert_int_equal(c.received, 4);
    assert_int_equal(c.duplicate, 3);
    assert_int_equal(counts_pending(&c), 1);
}

static int acked(void *arg, const char *device, int64_t boot, int64_t upto)
{
    char *text = arg;
    sprintf(text + strlen(text), "%s %lld %lld;", device, (long long)boot,
            (long long)upto);
    return strcmp(device, "b") ? 0 : -1;
}

static void test_acknowledgements(void **unused)
{
    (void)unused;
    char text[200] = "", payload[100];
    for (int i = 1; i <= 5; i++) {
        snprintf(payload, sizeof payload, "{\"boot\":2,\"seq\":%d,\"values\":{\"co\":1}}",
                 i);
        take("fieldcast/a/readings", payload, 1);
    }
    take("fieldcast/b/readings", payload, 1); /* 1 to 4 are missing */
    intake_acks(app.intake, acked, text);
    assert_string_equal(text, "a 2 5;b 2 0;");
    text[0] = '\0';
    intake_acks(app.intake, acked, text); /* b could not be told */
    assert_string_equal(text, "b 2 0;");
    close_app();
    open_app();
    text[0] = '\0';
    intake_acks(app.intake, acked, text); /* after a restart all are told again */
    assert_string_equal(text, "a 2 5;b 2 0;");
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
    expect("GET", "/api/v1/deadletters", (const char *[]){"before", "x", NULL}, "", 400,
           "parameter \"before\" must be a whole number from 0 to "
           "9223372036854775807, not "
           "\"x\"");
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(test_post),
        T(test_post_refuses_all_or_nothing),
        T(test_post_when_the_log_is_full),
        T(test_arrival_times_grow_and_survive),
        T(test_duplicates),
        T(test_acknowledgements),
        T(test_ledger_and_devices),
        T(test_explain),
        T(test_the_rest),
        T(test_a_clock_that_was_ahead),
    };
    log_init("test", LOG_FATAL);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
