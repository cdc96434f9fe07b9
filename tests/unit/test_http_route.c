/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/unit/unit.h"

#include "common/http_server.h"
#include "common/json.h"

struct app {
    const char *called, *first, *second;
};

static int note(void *app, const struct req *q, const char *name)
{
    struct app *a = app;
    a->called = name;
    a->first = q->params[0];
    a->second = q->params[1];
    return 0;
}
static int get_jobs(void *app, const struct req *q, struct res *s, struct err *e)
{
    (void)s;
    (void)e;
    return note(app, q, "get_jobs");
}
static int post_jobs(void *app, const struct req *q, struct res *s, struct err *e)
{
    (void)s;
    (void)e;
    return note(app, q, "post_jobs");
}
static int get_job(void *app, const struct req *q, struct res *s, struct err *e)
{
    (void)s;
    (void)e;
    return note(app, q, "get_job");
}
static int get_version(void *app, const struct req *q, struct res *s, struct err *e)
{
    (void)s;
    (void)e;
    return note(app, q, "get_version");
}

/* Answers by itself on a worker thread only. */
static int get_later(void *app, const struct req *q, struct res *s, struct err *e)
{
    (void)s;
    (void)e;
    if (!q->worker)
        return HTTP_LATER;
    return note(app, q, "get_later");
}

static const struct route routes[] = {
    {"GET", "/later", ROLE_VIEWER, false, 0, get_later, "what may have to wait", NULL},
    {"GET", "/jobs", ROLE_VIEWER, false, 0, get_jobs, "all jobs", NULL},
    {"POST", "/jobs", ROLE_OPERATOR, true, 0, post_jobs, "a new job", NULL},
    {"GET", "/jobs/open", ROLE_VIEWER, true, 0, get_jobs, "open jobs", NULL},
    {"GET", "/jobs/{id}", ROLE_VIEWER, true, 0, get_job, "one job", NULL},
    {"GET", "/models/{name}/versions/{v}", ROLE_ADMIN, true, 0, get_version,
     "one version", NULL},
    {0},
};

static void test_dispatch(void **unused)
{
    (void)unused;
    static const struct {
        const char *method, *path, *called, *first, *second;
    } rows[] = {
        {"GET", "/later", "get_later", NULL, NULL},
        {"GET", "/jobs", "get_jobs", NULL, NULL},
        {"HEAD", "/jobs", "get_jobs", NULL, NULL},
        {"POST", "/jobs", "post_jobs", NULL, NULL},
        {"GET", "/jobs/17", "get_job", "17", NULL},
        {"GET", "/models/a.b/versions/3", "get_version", "a.b", "3"},
    };
    static const struct {
        const char *method, *path, *error;
        enum err_code code;
    } misses[] = {
        {"GET", "/", "there is nothing at /", ERR_NOT_FOUND},
        {"GET", "/jobs/", "there is nothing at /jobs/", ERR_NOT_FOUND},
        {"GET", "/job", "there is nothing at /job", ERR_NOT_FOUND},
        {"GET", "/jobs/1/2", "there is nothing at /jobs/1/2", ERR_NOT_FOUND},
        {"GET", "/models/a.b/versions/", "there is nothing at /models/a.b/versions/",
         ERR_NOT_FOUND},
        {"GET", "/models//versions/3", "there is nothing at /models//versions/3",
         ERR_NOT_FOUND},
        {"DELETE", "/jobs", "/jobs does not take DELETE; it takes GET, POST", ERR_METHOD},
        {"POST", "/jobs/17", "/jobs/17 does not take POST; it takes GET", ERR_METHOD},
        {"POST", "/jobs/open", "/jobs/open does not take POST; it takes GET", ERR_METHOD},
    };
    for (size_t i = 0; i < N_OF(rows); i++) {
        struct app app = {0};
        struct req q = {.method = rows[i].method, .path = rows[i].path, .body = ""};
        struct res s;
        struct err e = ERR_INIT;
        res_init(&s);
        assert_ok(http_dispatch(routes, &app, &q, &s, &e), e);
        assert_string_equal(app.called, rows[i].called);
        res_done(&s);
    }
    for (size_t i = 0; i < N_OF(misses); i++) {
        struct app app = {0};
        struct req q = {.method = misses[i].method, .path = misses[i].path, .body = ""};
        struct res s;
        struct err e = ERR_INIT;
        res_init(&s);
        assert_failed(http_dispatch(routes, &app, &q, &s, &e), e, misses[i].code,
                      misses[i].error);
        assert_null(app.called);
        res_done(&s);
    }
    static char longer[2000];
    memset(longer, 'x', sizeof longer - 1);
    memcpy(longer, "/jobs/", 6);
    struct req q = {.method = "GET", .path = longer, .body = ""};
    struct res s;
    struct err e = ERR_INIT;
    res_init(&s);
    assert_int_equal(http_dispatch(routes, NULL, &q, &s, &e), -1);
    res_done(&s);
}

static int params_seen(void *app, const struct req *q, struct res *s, struct err *e)
{
    (void)e;
    (void)app;
    for (int i = 0; i < HTTP_PARAMS_MAX && q->params[i]; i++)
        buf_addf(&s->body, "[%s]", q->params[i]);
    return 0;
}

static void test_parameters_of_the_path(void **unused)
{
    (void)unused;
    static const struct route four[] = {
        {"GET", "/{a}/x/{b}/{c}/{d}", ROLE_NONE, false, 0, params_seen, "", NULL}, {0}};
    struct req q = {.method = "GET", .path = "/1/x/22/333/4.4", .body = ""};
    struct res s;
    struct err e = ERR_INIT;
    res_init(&s);
    assert_ok(http_dispatch(four, NULL, &q, &s, &e), e);
    assert_string_equal(s.body.data, "[1][22][333][4.4]");
    res_done(&s);
}

static void test_query(void **unused)
{
    (void)unused;
    static const char *const query[] = {
        "n",    "24",         "horizon", "48h",
        "bad",  "4x",         "real",    "0.95",
        "nan",  "nan",        "empty",   "",
        "time", "1795168800", "far",     "99999999999999999999",
        "odd",  "24h",        NULL};
    struct req q = {.method = "GET", .path = "/", .test_query = query};
    struct err e = ERR_INIT;
    int64_t n = -1, t = -1;
    double x = -1;
    assert_ok(req_query_int(&q, "absent", &n, 1, 48, &e), e);
    assert_ok(req_query_real(&q, "absent", &x, 0, 1, &e), e);
    assert_ok(req_query_time(&q, "absent", &t, &e), e);
    assert_true(n == -1 && x == -1 && t == -1);
    assert_ok(req_query_int(&q, "n", &n, 1, 48, &e), e);
    assert_int_equal(n, 24);
    assert_ok(req_query_int(&q, "horizon", &n, 1, 48, &e), e);
    assert_int_equal(n, 48);
    assert_ok(req_query_real(&q, "real", &x, 0, 1, &e), e);
    assert_true(x == 0.95);
    assert_ok(req_query_time(&q, "time", &t, &e), e);
    assert_true(t == INT64_C(1795168800000));

    assert_failed(req_query_int(&q, "bad", &n, 1, 48, &e), e, ERR_INVALID,
                  "parameter \"bad\" must be a whole number from 1 to 48, not \"4x\"");
    assert_failed(req_query_int(&q, "n", &n, 1, 23, &e), e, ERR_INVALID,
                  "parameter \"n\" must be a whole number from 1 to 23, not \"24\"");
    assert_failed(req_query_real(&q, "nan", &x, 0, 1, &e), e, ERR_INVALID,
                  "parameter \"nan\" must be a number from 0 to 1, not \"nan\"");
    static const char *const refused[] = {"empty", "far", "odd"};
    for (size_t i = 0; i < N_OF(refused); i++)
        assert_int_equal(req_query_int(&q, refused[i], &n, 1, 48, &e), -1);
    assert_int_equal(req_query_real(&q, "empty", &x, 0, 1, &e), -1);
    assert_int_equal(req_query_time(&q, "empty", &t, &e), -1);
}

static void test_bodies(void **unused)
{
    (void)unused;
    struct err e = ERR_INIT;
    struct req q = {.body = "{\"a\":1}", .body_len = 7};
    json_t *j = req_json_object(&q, &e);
    assert_non_null(j);
    json_decref(j);
    q = (struct req){.body = "[1]", .body_len = 3};
    assert_null(req_json_object(&q, &e));
    assert_string_equal(e.text, "the body must be a JSON object");
    q = (struct req){.body = "", .body_len = 0};
    assert_null(req_json_object(&q, &e));
    assert_string_equal(e.text, "the body is empty: a JSON value is expected");
}

static void test_answers(void **unused)
{
    (void)unused;
    struct res s;
    struct err e = ERR_INIT;
    res_init(&s);
    assert_ok(res_items(&s, json_pack("[i,i]", 1, 2), NULL, &e), e);
    assert_string_equal(s.body.data, "{\"items\":[1,2],\"next\":null}");
    buf_reset(&s.body);
    assert_ok(res_items(&s, json_array(), "n/2", &e), e);
    assert_string_equal(s.body.data, "{\"items\":[],\"next\":\"n/2\"}");

    err_kind(&e, ERR_CONFLICT, "no_model_yet", "a \"text\"");
    strcpy(s.location, "/x");
    res_problem(&s, &e);
    assert_int_equal(s.status, 409);
    assert_string_equal(s.type, "application/problem+json");
    assert_string_equal(s.location, "");
    assert_string_equal(
        s.body.data,
        "{\"type\":\"urn:fieldcast:problem:no_model_yet\",\"title\":\"no_model_yet\","
        "\"status\":409,\"detail\":\"a \\\"text\\\"\",\"message\":\"a \\\"text\\\"\","
        "\"error\":{\"code\":\"no_model_yet\",\"message\":\"a \\\"text\\\"\"}}");
    err_set(&e, ERR_INVALID, "\xff\xfe"); /* broken UTF-8 from outside */
    res_problem(&s, &e);
    assert_non_null(strstr(s.body.data, "\"message\":\"??\""));
    e = (struct err)ERR_INIT; /* a handler that forgot to say why */
    res_problem(&s, &e);
    assert_int_equal(s.status, 500);
    res_done(&s);
}

static void test_print(void **unused)
{
    (void)unused;
    char *text = NULL;
    size_t n;
    FILE *f = open_memstream(&text, &n);
    http_routes_print(routes, f);
    fclose(f);
    assert_non_null(strstr(text, "POST   /jobs"));
    assert_non_null(strstr(text, " operator a new job\n"));
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_dispatch), cmocka_unit_test(test_parameters_of_the_path),
        cmocka_unit_test(test_query),    cmocka_unit_test(test_bodies),
        cmocka_unit_test(test_answers),  cmocka_unit_test(test_print),
    };
    return cmocka_run_group_tests_name("http_route", tests, NULL, NULL);
}
