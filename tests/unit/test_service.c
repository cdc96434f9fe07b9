/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/unit/unit.h"

#include <sys/wait.h>
#include <unistd.h>

#include "common/http_client.h"
#include "common/json.h"
#include "common/log.h"
#include "common/service.h"
#include "common/version.h"

struct set {
    struct service_settings common;
};

static const struct setting settings[] = {
    SERVICE_SETTINGS(struct set, common, "0", "2"),
    {0},
};

static int get_thing(void *app, const struct req *q, struct res *s, struct err *e)
{
    (void)q;
    (void)e;
    return buf_adds(&s->body, app);
}
static const struct route routes[] = {
    {"GET", "/api/v1/thing", ROLE_VIEWER, false, 0, get_thing, "a thing", NULL}, {0}};

static const struct service_desc desc = {"tester", "answers tests", settings, routes};

/* Runs service_options() in a child; its exit code (100: it says to run), output in out.
 */
static int options(char out[8192], int argc, char **argv)
{
    char path[64];
    temp_file(path, "");
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        FILE *f = fopen(path, "w");
        dup2(fileno(f), STDOUT_FILENO);
        dup2(fileno(f), STDERR_FILENO);
        int code = -1;
        bool ends = service_options(&desc, argc, argv, &code);
        fflush(NULL);
        _exit(ends ? code : 100);
    }
    int status;
    waitpid(pid, &status, 0);
    FILE *f = fopen(path, "r");
    out[fread(out, 1, 8191, f)] = '\0';
    fclose(f);
    unlink(path);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void test_options(void **unused)
{
    (void)unused;
    char out[8192];
    char *run[] = {"fc-tester", NULL};
    assert_int_equal(options(out, 1, run), 100);
    char *set[] = {"fc-tester", "--settings", NULL};
    assert_int_equal(options(out, 2, set), 0);
    assert_non_null(strstr(out, "FC_HTTP_PORT"));
    assert_non_null(strstr(out, "FC_CLOCK_FILE"));
    char *rts[] = {"fc-tester", "--routes", NULL};
    assert_int_equal(options(out, 2, rts), 0);
    assert_non_null(strstr(out, "GET    /api/v1/thing "));
    assert_non_null(strstr(out, "GET    /readyz "));
    char *ver[] = {"fc-tester", "--version", NULL};
    assert_int_equal(options(out, 2, ver), 0);
    assert_memory_equal(out, "fc-tester ", 10);
    assert_non_null(strstr(out, fc_version));
    char *help[] = {"fc-tester", "--help", NULL};
    assert_int_equal(options(out, 2, help), 0);
    assert_non_null(strstr(out, "fc-tester: answers tests"));
    char *odd[] = {"fc-tester", "--frobnicate", NULL};
    assert_int_equal(options(out, 2, odd), 2);
    assert_non_null(strstr(out, "fc-tester: unknown option \"--frobnicate\""));
    char *probe[] = {"fc-tester", "--probe", "http://127.0.0.1:1/readyz", NULL};
    assert_int_equal(options(out, 3, probe), 1);
    assert_non_null(strstr(out, "http://127.0.0.1:1/readyz"));
    char *no_url[] = {"fc-tester", "--probe", NULL};
    assert_int_equal(options(out, 2, no_url), 2);
    assert_non_null(strstr(out, "fc-tester: --probe needs a URL"));
}

static int ask(const struct service *s, const char *path, char out[4096])
{
    struct err e = ERR_INIT;
    struct http_answer a;
    char url[200];
    snprintf(url, sizeof url, "http://127.0.0.1:%d%s", http_server_port(s->http), path);
    struct http_client *c = http_client_new(NULL, NULL, NULL);
    if (http_request(c, "GET", url, NULL, NULL, 0, 5000, 1 << 20, &a, &e))
        fail_msg("%s", e.text);
    int status = a.status;
    snprintf(out, 4096, "%s", a.body.data);
    http_answer_done(&a);
    http_client_free(c);
    return status;
}

static void test_life(void **unused)
{
    (void)unused;
    struct set set = {0};
    struct service s = {0};
    struct err e = ERR_INIT;
    char out[4096];
    service_close(&s); /* a zeroed one is fine */
    assert_ok(settings_load(settings, &set, &e), e);
    assert_ok(service_open(&s, &desc, &set.common, &e), e);
    struct dep *pg = service_dep(&s, "postgres", true);
    struct dep *mail = service_dep(&s, "mail", false);
    assert_ok(service_listen(&s, (void *)"the thing", &e), e);

    assert_int_equal(ask(&s, "/healthz", out), 200);
    assert_string_equal(out, "{\"alive\":true}");
    assert_int_equal(ask(&s, "/readyz", out), 503);
    assert_non_null(strstr(out, "{\"ready\":false,\"waiting_for\":[\"postgres\"]"));
    assert_non_null(strstr(out, "not tried yet"));
    assert_false(dep_is_up(pg));
    uint64_t warns = log_count(LOG_WARN);
    dep_down(pg, "connection \"refused\"");
    dep_down(pg, "connection \"refused\"");
    assert_true(log_count(LOG_WARN) == warns + 1); /* once per change */
    assert_int_equal(ask(&s, "/readyz", out), 503);
    assert_non_null(strstr(out, "connection \\\"refused\\\""));
    dep_up(pg);
    dep_up(pg);
    assert_true(dep_is_up(pg));
    assert_int_equal(ask(&s, "/readyz", out), 200); /* mail is not required */
    assert_non_null(strstr(out, "{\"ready\":true,\"waiting_for\":[]"));
    dep_up(mail);
    dep_down(pg, "gone");
    assert_int_equal(ask(&s, "/readyz", out), 503);

    assert_int_equal(ask(&s, "/metrics", out), 200);
    assert_non_null(strstr(
        out, "fieldcast_dependency_up{service=\"tester\",dependency=\"mail\"} 1\n"));
    assert_int_equal(ask(&s, "/api/v1/version", out), 200);
    assert_non_null(strstr(out, "\"service\":\"tester\""));
    assert_int_equal(ask(&s, "/api/v1/thing", out), 200);
    assert_string_equal(out, "the thing");
    service_unlisten(&s);
    service_close(&s);
    settings_done(settings, &set);
}

static void test_refusals(void **unused)
{
    (void)unused;
    struct set set = {0};
    struct service s = {0};
    struct err e = ERR_INIT;
    setenv("FC_LOG_LEVEL", "loud", 1);
    assert_ok(settings_load(settings, &set, &e), e);
    assert_failed(service_open(&s, &desc, &set.common, &e), e, ERR_INVALID,
                  "FC_LOG_LEVEL must be debug, info, warn or error, not \"loud\"");
    service_close(&s);
    settings_done(settings, &set);
    unsetenv("FC_LOG_LEVEL");
    setenv("FC_HTTP_ADDR", "0.0.0.0", 1);
    assert_ok(settings_load(settings, &set, &e), e);
    assert_int_equal(service_open(&s, &desc, &set.common, &e), -1);
    assert_non_null(strstr(e.text, "without tokens a service listens on loopback only"));
    service_close(&s);
    settings_done(settings, &set);
    unsetenv("FC_HTTP_ADDR");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_options),
        cmocka_unit_test(test_life),
        cmocka_unit_test(test_refusals),
    };
    return cmocka_run_group_tests_name("service", tests, NULL, NULL);
}
