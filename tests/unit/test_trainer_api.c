/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/unit/unit.h"

#include <time.h>

#include "common/json.h"
#include "services/trainer/api.h"

/* No Postgres listens there: what reaches it was found good. */
#define NOWHERE "host=127.0.0.1 port=1 dbname=none"

static struct trainer app;

static int setup(void **state)
{
    (void)state;
    app.pool = pg_pool_new(NOWHERE, 1);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    pg_pool_free(app.pool);
    return 0;
}

static int call(const char *method, const char *path, const char *body, struct res *s,
                struct err *e)
{
    struct req q = {.method = method,
                    .path = path,
                    .body = body,
                    .body_len = strlen(body),
                    .who = ROLE_OPERATOR};
    static const char *const no_query[] = {NULL};
    q.test_query = no_query;
    *e = (struct err)ERR_INIT;
    res_init(s);
    return http_dispatch(trainer_routes, &app, &q, s, e);
}

struct refusal {
    const char *body, *text;
    enum err_code code;
};

static void check_refusals(const char *path, const struct refusal *t, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct res s;
        struct err e;
        int rc = call("POST", path, t[i].body, &s, &e);
        if (rc != -1 || e.code != t[i].code || strcmp(e.text, t[i].text))
            fail_msg("%s %s: %d \"%s\" instead of \"%s\"", path, t[i].body, e.code,
                     e.text, t[i].text);
        res_done(&s);
    }
}

static void test_train_refuses(void **state)
{
    (void)state;
    static const struct refusal table[] = {
        {"", "the body is empty: a JSON value is expected", ERR_INVALID},
        {"[]", "the body must be a JSON object", ERR_INVALID},
        {"{}", "field \"series\" must be an array of names, or \"all\"", ERR_INVALID},
        {"{\"series\":\"some\"}",
         "field \"series\" must be an array of names, or \"all\"", ERR_INVALID},
        {"{\"series\":{}}", "field \"series\" must be an array of names, or \"all\"",
         ERR_INVALID},
        {"{\"series\":null}", "field \"series\" must be an array of names, or \"all\"",
         ERR_INVALID},
        {"{\"series\":[]}", "field \"series\" must hold 1 to 10000 names, not 0",
         ERR_INVALID},
        {"{\"series\":[\"a.b\",7]}", "field \"series\": item 1 must be a string",
         ERR_INVALID},
        {"{\"series\":\"all\",\"reason\":5}",
         "field \"reason\" must be a string, not a number", ERR_INVALID},
        {"{\"series\":\"all\",\"preset\":\"system9\"}",
         "field \"preset\" must be null, \"system0\", \"boost\", \"forest\", "
         "\"holt_winters\" or \"theta\", not \"system9\"",
         ERR_INVALID},
        {"{\"series\":\"all\",\"preset\":true}",
         "field \"preset\" must be a string, not a boolean", ERR_INVALID},
        {"{\"series\":\"all\",\"presett\":null}", "field \"presett\" is not known here",
         ERR_INVALID},
    };
    check_refusals("/api/v1/train", table, N_OF(table));
}

static void test_train_names_the_bad_series(void **state)
{
    (void)state;
    static const char *const bad[] = {"",      "kitchen", ".",
                                      "a.",    ".b",      "a.b.c",
                                      "a b.c", "a.B",     "k\\u00fcche.temperature",
                                      "a.b\\n"};
    for (size_t i = 0; i < N_OF(bad); i++) {
        char body[200];
        struct res s;
        struct err e;
        snprintf(body, sizeof body, "{\"series\":[\"a.b\",\"%s\"]}", bad[i]);
        assert_int_equal(call("POST", "/api/v1/train", body, &s, &e), -1);
        if (e.code != ERR_INVALID || strncmp(e.text, "field \"series\": item 1: ", 24))
            fail_msg("\"%s\": %d \"%s\"", bad[i], e.code, e.text);
        res_done(&s);
    }
}

static void test_train_limits(void **state)
{
    (void)state;
    struct buf b;
    struct res s;
    struct err e;
    buf_init(&b, 4 << 20);
    buf_adds(&b, "{\"series\":[");
    for (int i = 0; i <= API_SERIES_MAX; i++)
        buf_addf(&b, "%s\"a.b%d\"", i ? "," : "", i);
    buf_adds(&b, "]}");
    assert_failed(call("POST", "/api/v1/train", b.data, &s, &e), e, ERR_INVALID,
                  "field \"series\" must hold 1 to 10000 names, not 10001");
    res_done(&s);
    buf_reset(&b);
    buf_adds(&b, "{\"series\":\"all\",\"reason\":\"");
    for (int i = 0; i < 501; i++)
        buf_addc(&b, 'x');
    buf_adds(&b, "\"}");
    assert_int_equal(call("POST", "/api/v1/train", b.data, &s, &e), -1);
    assert_int_equal(e.code, ERR_INVALID);
    assert_non_null(strstr(e.text, "\"reason\""));
    res_done(&s);
    buf_done(&b);
}

static void parse(const char *body, struct train_request *r)
{
    struct err e = ERR_INIT;
    struct req q = {.body = body, .body_len = strlen(body), .who = ROLE_SERVICE};
    assert_ok(train_request_parse(&q, r, &e), e);
}

static void test_train_takes(void **state)
{
    (void)state;
    struct train_request r;
    parse("{\"series\":\"all\"}", &r);
    assert_null(r.series);
    assert_null(r.preset);
    assert_string_equal(r.reason, "asked by service");
    assert_int_equal(r.priority, PRIORITY_ALL);
    train_request_done(&r);
    parse("{\"series\":[\"a.b\",\"c\\\\.d_2\"],\"reason\":\"why\",\"preset\":\"system0\","
          "\"priority\":-3}",
          &r);
    assert_int_equal(json_array_size(r.series), 2);
    assert_string_equal(json_string_value(json_array_get(r.series, 1)), "c.d_2");
    assert_string_equal(r.reason, "why");
    assert_string_equal(r.preset, "system0");
    assert_int_equal(r.priority, -3);
    train_request_done(&r);
    parse("{\"series\":\"all\",\"preset\":\"holt_winters\"}", &r);
    assert_string_equal(r.preset, "holt_winters");
    train_request_done(&r);
    parse("{\"series\":[\"a.b\"],\"reason\":null,\"preset\":null}", &r);
    assert_null(r.preset);
    assert_int_equal(r.priority, 0); /* the monitor */
    train_request_done(&r);
    struct err e = ERR_INIT;
    const char *body = "{\"series\":[\"a.b\"]}";
    struct req q = {.body = body, .body_len = strlen(body), .who = ROLE_OPERATOR};
    assert_ok(train_request_parse(&q, &r, &e), e);
    assert_int_equal(r.priority, PRIORITY_PERSON);
    train_request_done(&r);
}

static void test_cancel_refuses(void **state)
{
    (void)state;
    static const struct refusal table[] = {
        {"{}", "field \"series\" must be an array of names, or \"all\"", ERR_INVALID},
        {"{\"series\":\"all\",\"id\":7}", "field \"id\" is not known here", ERR_INVALID},
        {"{\"series\":[]}", "field \"series\" must hold 1 to 10000 names, not 0",
         ERR_INVALID},
    };
    check_refusals("/api/v1/jobs/cancel", table, N_OF(table));
}

static void test_promote_refuses(void **state)
{
    (void)state;
    static const struct refusal table[] = {
        {"{}", "field \"reason\" is missing: a string is expected", ERR_INVALID},
        {"{\"reason\":\"\"}", "field \"reason\" must not be empty", ERR_INVALID},
        {"{\"reason\":\"x\",\"force\":true}", "field \"force\" is not known here",
         ERR_INVALID},
    };
    check_refusals("/api/v1/models/a.b/versions/1/promote", table, N_OF(table));
}

static void test_paths_refuse(void **state)
{
    (void)state;
    static const struct {
        const char *method, *path, *text;
        enum err_code code;
    } table[] = {
        {"GET", "/api/v1/jobs/x", "a job's id is a whole number from 1, not \"x\"",
         ERR_INVALID},
        {"GET", "/api/v1/jobs/0", "a job's id is a whole number from 1, not \"0\"",
         ERR_INVALID},
        {"GET", "/api/v1/jobs/99999999999999999999",
         "a job's id is a whole number from 1, not \"99999999999999999999\"",
         ERR_INVALID},
        {"GET", "/api/v1/models/a.b/versions/0",
         "a version is a whole number from 1, or an alias, not \"0\"", ERR_INVALID},
        {"GET", "/api/v1/models/a.b/versions/3000000000",
         "a version is a whole number from 1, or an alias, not \"3000000000\"",
         ERR_INVALID},
        {"GET", "/api/v1/models/a.b/versions/1x",
         "a version is a whole number from 1, or an alias, not \"1x\"", ERR_INVALID},
        {"DELETE", "/api/v1/jobs/1", "/api/v1/jobs/1 does not take DELETE; it takes GET",
         ERR_METHOD},
    };
    for (size_t i = 0; i < N_OF(table); i++) {
        struct res s;
        struct err e;
        assert_failed(call(table[i].method, table[i].path, "", &s, &e), e, table[i].code,
                      table[i].text);
        res_done(&s);
    }
}

static void test_queries_refuse(void **state)
{
    (void)state;
    static const struct {
        const char *path, *key, *value, *begins;
    } table[] = {
        {"/api/v1/jobs", "state", "gone", "parameter \"state\" must be queued"},
        {"/api/v1/jobs", "limit", "0", "parameter \"limit\" must be"},
        {"/api/v1/jobs", "limit", "1001", "parameter \"limit\" must be"},
        {"/api/v1/jobs", "cursor", "x", "parameter \"cursor\" must be"},
        {"/api/v1/jobs", "series", "kitchen", ""},
        {"/api/v1/runs", "limit", "many", "parameter \"limit\" must be"},
    };
    for (size_t i = 0; i < N_OF(table); i++) {
        const char *const query[] = {table[i].key, table[i].value, NULL};
        struct req q = {
            .method = "GET", .path = table[i].path, .body = "", .test_query = query};
        struct res s;
        struct err e = ERR_INIT;
        res_init(&s);
        assert_int_equal(http_dispatch(trainer_routes, &app, &q, &s, &e), -1);
        if (e.code != ERR_INVALID ||
            strncmp(e.text, table[i].begins, strlen(table[i].begins)))
            fail_msg("%s=%s: %d \"%s\"", table[i].key, table[i].value, e.code, e.text);
        res_done(&s);
    }
}

/* What is well-formed goes on to Postgres, which is away here. */
static void test_good_requests_need_postgres(void **state)
{
    (void)state;
    static const char *const table[][3] = {
        {"POST", "/api/v1/train", "{\"series\":[\"a.b\"]}"},
        {"GET", "/api/v1/jobs", ""},
        {"GET", "/api/v1/jobs/open", ""},
        {"POST", "/api/v1/jobs/cancel", "{\"series\":\"all\"}"},
        {"GET", "/api/v1/jobs/17", ""},
        {"POST", "/api/v1/jobs/17/cancel", ""},
        {"GET", "/api/v1/runs", ""},
        {"GET", "/api/v1/runs/0123456789abcdef0123456789abcdef", ""},
        {"GET", "/api/v1/models", ""},
        {"GET", "/api/v1/models/a.b", ""},
        {"GET", "/api/v1/models/a.b/versions/1", ""},
        {"GET", "/api/v1/models/a.b/versions/champion", ""},
        {"GET", "/api/v1/models/a.b/versions/2/rows", ""},
        {"POST", "/api/v1/models/a.b/versions/2/promote", "{\"reason\":\"x\"}"},
        {"POST", "/api/v1/models/a.b/versions/2/verify", ""},
    };
    for (size_t i = 0; i < N_OF(table); i++) {
        struct res s;
        struct err e;
        assert_int_equal(call(table[i][0], table[i][1], table[i][2], &s, &e), -1);
        if (e.code != ERR_UNAVAILABLE ||
            strncmp(e.text, "could not connect to postgres", 29))
            fail_msg("%s %s: %d \"%s\"", table[i][0], table[i][1], e.code, e.text);
        res_done(&s);
    }
}

static void test_algorithms(void **state)
{
    (void)state;
    struct res s;
    struct err e;
    assert_int_equal(call("GET", "/api/v1/algorithms", "", &s, &e), 0);
    json_t *j = json_parse(s.body.data, s.body.len, "answer", &e);
    assert_non_null(j);
    json_t *items = json_object_get(j, "items"), *a;
    size_t i;
    bool ridge = false;
    json_array_foreach(items, i, a)
    {
        assert_true(json_is_string(json_object_get(a, "sentence")));
        assert_true(json_is_array(json_object_get(a, "parameters")));
        ridge |= !strcmp(json_string_value(json_object_get(a, "name")), "ridge");
    }
    assert_true(ridge);
    json_decref(j);
    res_done(&s);
}

static void test_mlflow_health(void **state)
{
    (void)state;
    struct res s;
    struct err e;
    assert_int_equal(call("GET", "/health", "", &s, &e), 0);
    assert_string_equal(s.body.data, "OK");
    res_done(&s);
    assert_int_equal(call("GET", "/version", "", &s, &e), 0);
    assert_true(s.body.len > 2);
    res_done(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_train_refuses),
        cmocka_unit_test(test_train_names_the_bad_series),
        cmocka_unit_test(test_train_limits),
        cmocka_unit_test(test_train_takes),
        cmocka_unit_test(test_cancel_refuses),
        cmocka_unit_test(test_promote_refuses),
        cmocka_unit_test(test_paths_refuse),
        cmocka_unit_test(test_queries_refuse),
        cmocka_unit_test(test_good_requests_need_postgres),
        cmocka_unit_test(test_algorithms),
        cmocka_unit_test(test_mlflow_health),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
