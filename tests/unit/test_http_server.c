/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The server and the client of common/ talking to each other over loopback: what is
 * checked before a handler runs, slow routes, and an orderly end. */
#include "tests/unit/unit.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/http_client.h"
#include "common/http_server.h"
#include "common/json.h"
#include "common/sha256.h"

static atomic_int slow_under_way, slow_done;

static int get_hello(void *app, const struct req *q, struct res *s, struct err *e)
{
    (void)e;
    const char *name = req_query(q, "name");
    buf_addf(&s->body, "%s %s %s", (const char *)app, name ? name : "-",
             role_name(q->who));
    s->type = "text/plain";
    return 0;
}
static int post_echo(void *app, const struct req *q, struct res *s, struct err *e)
{
    (void)app;
    (void)e;
    s->status = 202;
    strcpy(s->location, "/here");
    return buf_add(&s->body, q->body, q->body_len);
}
static int get_slow(void *app, const struct req *q, struct res *s, struct err *e)
{
    (void)app;
    (void)e;
    atomic_fetch_add(&slow_under_way, 1);
    clock_sleep_ms(20);
    atomic_fetch_add(&slow_done, 1);
    return buf_adds(&s->body, q->params[0]);
}
static int get_error(void *app, const struct req *q, struct res *s, struct err *e)
{
    (void)app;
    (void)q;
    (void)s;
    return err_kind(e, ERR_CONFLICT, "no_model_yet", "12 of 24 hours are there");
}
static int get_empty(void *app, const struct req *q, struct res *s, struct err *e)
{
    (void)app;
    (void)q;
    (void)e;
    s->status = 204;
    return 0;
}

static const struct route routes[] = {
    {"GET", "/hello", ROLE_NONE, false, 0, get_hello, "", "name x"},
    {"GET", "/view", ROLE_VIEWER, false, 0, get_hello, "", NULL},
    {"POST", "/echo", ROLE_OPERATOR, false, 100, post_echo, "", NULL},
    {"POST", "/echo/slow", ROLE_OPERATOR, true, 0, post_echo, "", NULL},
    {"GET", "/slow/{n}", ROLE_NONE, true, 0, get_slow, "", NULL},
    {"GET", "/error", ROLE_NONE, true, 0, get_error, "", NULL},
    {"GET", "/empty", ROLE_NONE, false, 0, get_empty, "", NULL},
    {0},
};

struct fixture {
    struct metrics *metrics;
    struct auth *auth;
    struct http_server *h;
    char base[64];
};

static int setup(void **state)
{
    http_client_global_init();
    struct fixture *f = calloc(1, sizeof *f);
    struct err e = ERR_INIT;
    char path[64], text[200], hash[2][SHA256_HEX_SIZE];
    sha256_hex("view", 4, hash[0]);
    sha256_hex("oper", 4, hash[1]);
    snprintf(text, sizeof text, "viewer %s\noperator %s\n", hash[0], hash[1]);
    temp_file(path, text);
    f->metrics = metrics_new("test");
    f->auth = auth_open(path, "", false, "127.0.0.1", &e);
    unlink(path);
    struct http_server_opts o = {.addr = "127.0.0.1",
                                 .threads = 2,
                                 .workers = 2,
                                 .routes = routes,
                                 .app = (void *)"hi",
                                 .auth = f->auth,
                                 .metrics = f->metrics};
    f->h = http_server_open(&o, &e);
    if (!f->h)
        fail_msg("%s", e.text);
    snprintf(f->base, sizeof f->base, "http://127.0.0.1:%d", http_server_port(f->h));
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    http_server_close(f->h);
    auth_close(f->auth);
    metrics_free(f->metrics);
    free(f);
    return 0;
}

/* Status and body of one request; body into out. */
static int ask(const struct fixture *f, const char *token, const char *method,
               const char *path, const char *body, char out[1000])
{
    struct err e = ERR_INIT;
    struct http_answer a;
    char url[1200];
    snprintf(url, sizeof url, "%s%s", f->base, path);
    struct http_client *c = http_client_new(token, NULL, NULL);
    int rc = http_request(c, method, url, body ? "application/json" : NULL, body,
                          body ? strlen(body) : 0, 5000, 1 << 20, &a, &e);
    if (rc)
        fail_msg("%s", e.text);
    snprintf(out, 1000, "%s", a.body.data);
    int status = a.status;
    http_answer_done(&a);
    http_client_free(c);
    return status;
}

#define PROBLEM(text)                                                                    \
    "{\"type\":\"urn:fieldcast:problem:invalid\",\"title\":\"invalid\",\"status\":400,"  \
    "\"detail\":\"" text "\",\"message\":\"" text                                        \
    "\",\"error\":{\"code\":\"invalid\",\"message\":\"" text "\"}}"

static void test_table(void **state)
{
    static char big[101] = "", huge[900] = "/";
    memset(big, 'x', 101);
    big[100] = '\0';
    memset(huge + 1, 'x', sizeof huge - 2);
    static const struct {
        const char *token, *method, *path, *body;
        int status;
        const char *answer; /* NULL: not looked at */
    } rows[] = {
        {"", "GET", "/hello?name=bob", NULL, 200, "hi bob none"},
        {"", "GET", "/hello", NULL, 200, "hi - none"},
        {"", "GET", "/hello?name=a%20b%2F", NULL, 200, "hi a b/ none"},
        {"", "GET", "/hello?name=a%00b", NULL, 200, "hi a%00b none"},
        {"", "GET", "/hello%00", NULL, 404, NULL},
        {"", "GET", "/hello?name=50%&x=%4", NULL, 200, "hi 50% none"},
        {"", "GET", "/hello?name=bob&", NULL, 200, "hi bob none"},
        {"", "GET", "/hello?name=", NULL, 200, "hi  none"},
        {"", "GET", "/hello?name=bob&name=ann", NULL, 400,
         PROBLEM("parameter \\\"name\\\" is given twice")},
        {"", "GET", "/hello?name=bob&n%61me=ann", NULL, 400,
         PROBLEM("parameter \\\"name\\\" is given twice")},
        {"", "GET", "/hello?nam=bob", NULL, 400,
         PROBLEM("parameter \\\"nam\\\" is not known: /hello has name x")},
        {"", "GET", "/hello?name=%ff", NULL, 400,
         PROBLEM("parameter \\\"name\\\" is not UTF-8")},
        {"", "GET", "/empty?a=1", NULL, 400,
         PROBLEM("parameter \\\"a\\\" is not known: /empty has none")},
        {"", "GET", "/hel%fflo", NULL, 400, PROBLEM("the path /hel?lo is not UTF-8")},
        {"", "GET", "/hello?name", NULL, 400,
         PROBLEM("parameter \\\"name\\\" has no value")},
        {"view", "GET", "/view", NULL, 200, "hi - viewer"},
        {"oper", "GET", "/view", NULL, 200, "hi - operator"},
        {"", "GET", "/view", NULL, 401, NULL},
        {"nope", "GET", "/view", NULL, 401, NULL},
        {"nope", "GET", "/hello", NULL, 401, NULL},
        {"view", "POST", "/echo", "x", 403, NULL},
        {"oper", "POST", "/echo", "{\"a\":1}", 202, "{\"a\":1}"},
        {"oper", "POST", "/echo", "", 202, ""},
        {"oper", "POST", "/echo", big, 202, NULL},
        {"oper", "POST", "/echo/slow", "{\"a\":1}", 202, "{\"a\":1}"},
        {"", "DELETE", "/hello", NULL, 405, NULL},
        {"", "GET", "/nothing", NULL, 404, NULL},
        {"", "GET", huge, NULL, 400, NULL},
        {"", "GET", "/slow/7", NULL, 200, "7"},
        {"", "GET", "/empty", NULL, 204, ""},
        {"", "GET", "/error", NULL, 409,
         "{\"type\":\"urn:fieldcast:problem:no_model_yet\",\"title\":\"no_model_yet\","
         "\"status\":409,\"detail\":\"12 of 24 hours are there\","
         "\"message\":\"12 of 24 hours are there\",\"error\":{\"code\":\"no_model_yet\","
         "\"message\":\"12 of 24 hours are there\"}}"},
    };
    for (size_t i = 0; i < N_OF(rows); i++) {
        char out[1000];
        int status =
            ask(*state, rows[i].token, rows[i].method, rows[i].path, rows[i].body, out);
        if (status != rows[i].status)
            fail_msg("%s %.60s: HTTP %d, not %d: %s", rows[i].method, rows[i].path,
                     status, rows[i].status, out);
        if (rows[i].answer)
            assert_string_equal(out, rows[i].answer);
    }
}

/* Raw bytes to the server; the answer until it closes or a second has passed. */
static void raw(const struct fixture *f, const char *request, size_t len, char *out,
                size_t cap)
{
    struct sockaddr_in sa = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)http_server_port(f->h)),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    struct timeval limit = {.tv_sec = 1};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    assert_int_equal(connect(fd, (struct sockaddr *)&sa, sizeof sa), 0);
    ssize_t sent = send(fd, request, len, MSG_NOSIGNAL);
    (void)sent;
    size_t n = 0;
    for (ssize_t k; n + 1 < cap && (k = recv(fd, out + n, cap - 1 - n, 0)) > 0;)
        n += (size_t)k;
    out[n] = '\0';
    close(fd);
}

static void test_raw_requests(void **state)
{
    static const struct {
        const char *request, *starts;
    } rows[] = {
        /* told before the body is sent */
        {"POST /echo HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer "
         "oper\r\nContent-Length: 101\r\n"
         "Connection: close\r\n\r\n",
         "HTTP/1.1 413"},
        {"POST /echo HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer oper\r\n"
         "Content-Length: 99999999999999999999999\r\nConnection: close\r\n\r\n",
         "HTTP/1.1 413"},
        /* chunked: the size shows only on the way */
        {"POST /echo HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer "
         "oper\r\nTransfer-Encoding: "
         "chunked\r\nConnection: close\r\n\r\n"
         "40\r\naaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n"
         "40\r\naaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n0\r\n"
         "\r\n",
         "HTTP/1.1 413"},
        {"POST /echo HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer "
         "oper\r\nTransfer-Encoding: "
         "chunked\r\nConnection: close\r\n\r\n2\r\nab\r\n0\r\n\r\n",
         "HTTP/1.1 202"},
        {"HEAD /hello HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "HTTP/1.1 200"},
        {"GET /hello HTTP/1.1\r\nConnection: close\r\n\r\n",
         "HTTP/1.1 400"}, /* no Host */
        /* its end could not be known */
        {"POST /echo HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer oper\r\n"
         "Transfer-Encoding: gzip\r\n\r\nab",
         "HTTP/1.1 415"},
    };
    static char out[100000];
    for (size_t i = 0; i < N_OF(rows); i++) {
        raw(*state, rows[i].request, strlen(rows[i].request), out, sizeof out);
        if (strncmp(out, rows[i].starts, strlen(rows[i].starts)))
            fail_msg("request %zu answered \"%.200s\", not %s", i, out, rows[i].starts);
    }
    raw(*state, "HEAD /hello HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", 53, out,
        sizeof out);
    assert_non_null(strstr(out, "Content-Length: 9\r\n"));
    const char *end = strstr(out, "\r\n\r\n");
    assert_non_null(end);
    assert_string_equal(end, "\r\n\r\n"); /* and no body */

    static const char with_id[] =
        "GET /nothing HTTP/1.1\r\nHost: x\r\nX-Request-Id: r-1\r\n"
        "Connection: close\r\n\r\n";
    raw(*state, with_id, strlen(with_id), out, sizeof out);
    assert_non_null(strstr(out, "X-Request-Id: r-1\r\n"));
    assert_non_null(strstr(out, "Content-Type: application/problem+json\r\n"));
    static const char refused[] =
        "GET /view HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    raw(*state, refused, strlen(refused), out, sizeof out);
    assert_non_null(strstr(out, "WWW-Authenticate: Bearer\r\n"));
}

/* More than libmicrohttpd has memory for. */
static void test_many_parameters(void **state)
{
    struct buf b;
    static char out[10000];
    for (int with_names = 0; with_names < 2; with_names++) {
        buf_init(&b, 16000);
        buf_adds(&b, "GET /hello?");
        for (int i = 0; i < 2000; i++)
            buf_adds(&b, with_names ? "x=1&" : "&");
        buf_adds(&b, "name=me HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        raw(*state, b.data, b.len, out, sizeof out);
        buf_done(&b);
        assert_non_null(strstr(out, with_names ? "is given twice" : "hi me "));
    }
}

static void *ask_slow(void *arg)
{
    char out[1000];
    return ask(arg, "", "GET", "/slow/1", NULL, out) == 200 ? arg : NULL;
}

static void test_slow_routes_run_beside(void **state)
{
    pthread_t t[6];
    for (size_t i = 0; i < N_OF(t); i++)
        assert_int_equal(pthread_create(&t[i], NULL, ask_slow, *state), 0);
    char out[1000];
    int64_t began = clock_mono_ms();
    assert_int_equal(ask(*state, "", "GET", "/hello", NULL, out),
                     200); /* not behind them */
    assert_true(clock_mono_ms() - began < 1000);
    for (size_t i = 0; i < N_OF(t); i++) {
        void *ok;
        pthread_join(t[i], &ok);
        assert_non_null(ok);
    }
}

static void test_metrics(void **state)
{
    struct fixture *f = *state;
    struct buf b;
    buf_init(&b, 1 << 20);
    metrics_render(f->metrics, &b);
    assert_non_null(strstr(b.data,
                           "fieldcast_http_requests_total{service=\"test\",route=\"/slow/"
                           "{n}\",method=\"GET\",code=\"200\"} 7\n"));
    assert_non_null(strstr(b.data, "route=\"none\",method=\"any\",code=\"404\"}"));
    /* the server is done with a request a little after its client */
    struct metric *in_flight =
        metric_gauge(f->metrics, "fieldcast_http_requests_in_flight", "", NULL);
    for (int i = 0; i < 2000 && metric_value(in_flight) > 0; i++)
        clock_sleep_ms(1);
    assert_true(metric_value(in_flight) == 0);
    buf_done(&b);
}

static void *close_server(void *h)
{
    http_server_close(h);
    return NULL;
}

/* A request under way is finished when the server is closed. */
static void test_close_finishes_what_runs(void **state)
{
    struct fixture *f = *state;
    while (atomic_load(&slow_under_way) != atomic_load(&slow_done))
        clock_sleep_ms(1); /* an earlier test has given one up */
    atomic_store(&slow_under_way, 0);
    atomic_store(&slow_done, 0);
    pthread_t asks, closes;
    pthread_create(&asks, NULL, ask_slow, f);
    while (!atomic_load(&slow_under_way))
        clock_sleep_ms(1);
    pthread_create(&closes, NULL, close_server, f->h);
    f->h = NULL;
    void *ok;
    pthread_join(asks, &ok);
    pthread_join(closes, NULL);
    assert_non_null(ok);
    assert_int_equal(atomic_load(&slow_done), 1);
}

static void test_open_refuses(void **state)
{
    struct err e = ERR_INIT;
    struct metrics *m = metrics_new("test");
    struct http_server_opts o = {.addr = "localhost.example",
                                 .threads = 1,
                                 .workers = 1,
                                 .routes = routes,
                                 .metrics = m};
    assert_null(http_server_open(&o, &e));
    assert_string_equal(e.text,
                        "FC_HTTP_ADDR must be an IP address, not \"localhost.example\"");
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in sa = {.sin_family = AF_INET,
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof sa;
    assert_int_equal(bind(fd, (struct sockaddr *)&sa, sizeof sa), 0);
    assert_int_equal(listen(fd, 1), 0);
    getsockname(fd, (struct sockaddr *)&sa, &len);
    o.addr = "127.0.0.1";
    o.port = ntohs(sa.sin_port);
    assert_null(http_server_open(&o, &e));
    char want[100];
    snprintf(want, sizeof want,
             "could not listen on 127.0.0.1 port %d: Address already in use", o.port);
    assert_string_equal(e.text, want);
    close(fd);
    o.port =
        http_server_port(((struct fixture *)*state)->h); /* nor a port of one of us */
    assert_null(http_server_open(&o, &e));
    metrics_free(m);
}

static void test_client_errors(void **state)
{
    struct fixture *f = *state;
    struct err e = ERR_INIT;
    struct http_answer a;
    char url[100], want[200];
    struct http_client *c = http_client_new(NULL, "user", "pass");
    snprintf(url, sizeof url, "%s/hello?name=secret", f->base);
    snprintf(want, sizeof want, "GET %s/hello: the answer is larger than 3 bytes",
             f->base);
    struct http_client *plain = http_client_new("", "", "");
    assert_failed(http_request(plain, "GET", url, NULL, NULL, 0, 1000, 3, &a, &e), e,
                  ERR_TOO_LARGE, want);
    assert_int_equal(http_request(plain, "GET", "http://127.0.0.1:1/x?p=s", NULL, NULL, 0,
                                  1000, 100, &a, &e),
                     -1);
    assert_int_equal(e.code, ERR_UNAVAILABLE);
    assert_non_null(strstr(e.text, "GET http://127.0.0.1:1/x: "));
    assert_int_equal(http_request(plain, "GET", "file:///etc/passwd", NULL, NULL, 0, 1000,
                                  9999, &a, &e),
                     -1);
    snprintf(url, sizeof url, "%s/slow/1", f->base);
    assert_int_equal(http_request(plain, "GET", url, NULL, NULL, 0, 5, 100, &a, &e), -1);
    assert_int_equal(e.code, ERR_TIMEOUT);
    /* Basic authorization is not a bearer token */
    snprintf(url, sizeof url, "%s/hello", f->base);
    assert_ok(http_request(c, "GET", url, NULL, NULL, 0, 1000, 1000, &a, &e), e);
    assert_int_equal(a.status, 401);
    http_answer_done(&a);
    http_client_free(c);
    http_client_free(plain);
    http_client_free(NULL);
    struct buf b;
    buf_init(&b, 100);
    http_escape(&b, "a b&c=d/\xc3\xa9~-_.%+");
    assert_string_equal(b.data, "a%20b%26c%3Dd%2F%C3%A9~-_.%25%2B");
    buf_done(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_table),
        cmocka_unit_test(test_raw_requests),
        cmocka_unit_test(test_many_parameters),
        cmocka_unit_test(test_slow_routes_run_beside),
        cmocka_unit_test(test_metrics),
        cmocka_unit_test(test_client_errors),
        cmocka_unit_test(test_open_refuses),
        cmocka_unit_test(test_close_finishes_what_runs),
    };
    return cmocka_run_group_tests_name("http_server", tests, setup, teardown);
}
