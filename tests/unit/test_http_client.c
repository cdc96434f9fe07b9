/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the client reads in an answer's headers, and sends in its own: a server with one
 * canned answer. */
#include "tests/unit/unit.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <unistd.h>

#include "common/http_client.h"
#include "common/mem.h"

struct canned {
    int fd;
    char url[64];
    char *answer;       /* owned */
    char request[4096]; /* what came */
    pthread_t thread;
};

static void *serve(void *arg)
{
    struct canned *c = arg;
    size_t len = 0;
    int fd = accept(c->fd, NULL, NULL);
    while (!strstr(c->request, "\r\n\r\n") && len + 1 < sizeof c->request) {
        ssize_t n = read(fd, c->request + len, sizeof c->request - len - 1);
        if (n <= 0)
            break;
        len += (size_t)n;
    }
    for (const char *s = c->answer, *end = s + strlen(s); s < end;) {
        ssize_t n = send(fd, s, (size_t)(end - s), MSG_NOSIGNAL);
        if (n <= 0)
            break;
        s += n;
    }
    close(fd);
    return NULL;
}

static void start(struct canned *c, char *answer)
{
    struct sockaddr_in a = {.sin_family = AF_INET,
                            .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof a;
    *c = (struct canned){.fd = socket(AF_INET, SOCK_STREAM, 0), .answer = answer};
    assert_int_equal(bind(c->fd, (struct sockaddr *)&a, sizeof a), 0);
    assert_int_equal(listen(c->fd, 1), 0);
    assert_int_equal(getsockname(c->fd, (struct sockaddr *)&a, &len), 0);
    snprintf(c->url, sizeof c->url, "http://127.0.0.1:%d/", ntohs(a.sin_port));
    assert_int_equal(pthread_create(&c->thread, NULL, serve, c), 0);
}

/* One request that is answered so. token: NULL for none. */
static int ask(const char *headers, const char *token, struct canned *c,
               struct http_answer *a, struct err *e)
{
    start(c, xasprintf("HTTP/1.1 503 Away\r\nContent-Length: 0\r\n%s\r\n", headers));
    struct http_client *h = http_client_new(NULL, "user", "pass");
    if (token)
        http_client_authorize(h, "Token", token);
    int rc = http_request(h, "GET", c->url, NULL, NULL, 0, 10000, 4096, a, e);
    pthread_join(c->thread, NULL);
    http_client_free(h);
    close(c->fd);
    free(c->answer);
    return rc;
}

static void test_headers(void **unused)
{
    (void)unused;
    static const struct {
        const char *headers;
        int retry_after_s;
        const char *version, *build;
    } table[] = {
        {"", -1, "", ""},
        {"Retry-After: 7\r\nX-Influxdb-Version: v2.7.12\r\nX-Influxdb-Build: OSS\r\n", 7,
         "v2.7.12", "OSS"},
        {"retry-after:0\r\nx-influxdb-version:  1.6.7~rc0 \r\n", 0, "1.6.7~rc0", ""},
        {"Retry-After: 99999\r\n", 3600, "", ""},
        {"Retry-After: Wed, 21 Oct 2026 07:28:00 GMT\r\n", -1, "", ""},
        {"Retry-After: -5\r\n", -1, "", ""},
        {"Retry-After: 1.5\r\n", -1, "", ""},
        {"Retry-After: \r\nX-Influxdb-Version: \r\n", -1, "", ""},
        {"X-Influxdb-Build: 0123456789012345678901234567890123456789\r\n", -1, "",
         "0123456789012345678901234567890"},
    };
    for (size_t i = 0; i < N_OF(table); i++) {
        struct canned c;
        struct http_answer a;
        struct err e = ERR_INIT;
        assert_ok(ask(table[i].headers, NULL, &c, &a, &e), e);
        assert_int_equal(a.status, 503);
        assert_int_equal(a.retry_after_s, table[i].retry_after_s);
        assert_string_equal(a.version, table[i].version);
        assert_string_equal(a.build, table[i].build);
        assert_non_null(strstr(c.request, "Authorization: Basic dXNlcjpwYXNz\r\n"));
        http_answer_done(&a);
    }
}

static void test_a_token_goes_before_a_user(void **unused)
{
    (void)unused;
    struct canned c;
    struct http_answer a;
    struct err e = ERR_INIT;
    assert_ok(ask("", "s3cret", &c, &a, &e), e);
    assert_non_null(strstr(c.request, "Authorization: Token s3cret\r\n"));
    assert_null(strstr(c.request, "Basic"));
    http_answer_done(&a);
}

static void test_a_header_that_is_too_large(void **unused)
{
    (void)unused;
    struct canned c;
    struct http_answer a;
    struct err e = ERR_INIT;
    char *x = xcalloc(400001, 1), *line;
    memset(x, 'x', 400000);
    line = xasprintf("X-Influxdb-Error: %s\r\n", x);
    assert_int_equal(ask(line, NULL, &c, &a, &e), -1);
    assert_int_equal(e.code, ERR_TOO_LARGE);
    assert_non_null(strstr(e.text, "a header of the answer is too large"));
    free(line);
    free(x);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_headers),
        cmocka_unit_test(test_a_token_goes_before_a_user),
        cmocka_unit_test(test_a_header_that_is_too_large),
    };
    http_client_global_init();
    return cmocka_run_group_tests_name("http_client", tests, NULL, NULL);
}
