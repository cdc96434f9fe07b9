/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/unit/unit.h"

#include <unistd.h>

#include "common/auth.h"
#include "common/sha256.h"

static struct auth *opened(bool public_read)
{
    char path[64], text[600], hash[3][SHA256_HEX_SIZE];
    sha256_hex("view-token", 10, hash[0]);
    sha256_hex("oper-token", 10, hash[1]);
    sha256_hex("admin-token", 11, hash[2]);
    snprintf(text, sizeof text,
             "# tokens\n\nviewer %s\n  operator\t%s # bob\r\nadmin %s\nviewer %s\n",
             hash[0], hash[1], hash[2], hash[1]);
    temp_file(path, text);
    struct err e = ERR_INIT;
    struct auth *a = auth_open(path, "svc-token", public_read, "0.0.0.0", &e);
    unlink(path);
    if (!a)
        fail_msg("%s", e.text);
    return a;
}

/* Rows: header, then the least role that is refused (ROLE_SERVICE + 1: none is). */
static void test_roles(void **unused)
{
    (void)unused;
    static const struct {
        const char *header;
        enum role who;
    } rows[] = {
        {"Bearer view-token", ROLE_VIEWER},
        {"Bearer oper-token", ROLE_OPERATOR},
        {"bearer admin-token", ROLE_ADMIN},
        {"Bearer svc-token", ROLE_SERVICE},
    };
    struct auth *a = opened(false);
    for (size_t i = 0; i < N_OF(rows); i++)
        for (int need = ROLE_NONE; need <= ROLE_SERVICE; need++) {
            struct err e = ERR_INIT;
            enum role who;
            int rc = auth_check(a, rows[i].header, (enum role)need, &who, &e);
            assert_int_equal(rc, (int)rows[i].who >= need ? 0 : -1);
            assert_int_equal(e.code, rc ? ERR_FORBIDDEN : ERR_NONE);
            assert_int_equal(who, rows[i].who);
        }
    struct err e = ERR_INIT;
    enum role who;
    assert_failed(auth_check(a, "Bearer view-token", ROLE_ADMIN, &who, &e), e,
                  ERR_FORBIDDEN, "this token's role is viewer; admin is needed");
    auth_close(a);
    auth_close(NULL);
}

static void test_without_token(void **unused)
{
    (void)unused;
    struct err e = ERR_INIT;
    enum role who;
    struct auth *a = opened(false);
    assert_ok(auth_check(a, NULL, ROLE_NONE, &who, &e), e);
    assert_failed(auth_check(a, NULL, ROLE_VIEWER, &who, &e), e, ERR_UNAUTHORIZED,
                  "a bearer token of role viewer is needed: Authorization: Bearer TOKEN");
    auth_close(a);
    a = opened(true);
    e = (struct err)ERR_INIT;
    assert_ok(auth_check(a, NULL, ROLE_VIEWER, &who, &e), e);
    assert_int_equal(who, ROLE_NONE);
    assert_int_equal(auth_check(a, NULL, ROLE_OPERATOR, &who, &e), -1);
    assert_int_equal(e.code, ERR_UNAUTHORIZED);
    auth_close(a);
}

/* A token that is shown must be right, also where none is needed. */
static void test_bad_tokens(void **unused)
{
    (void)unused;
    static char longer[700] = "Bearer ";
    memset(longer + 7, 'x', sizeof longer - 8);
    static const char *const malformed[] = {"", "Basic dXNlcjpwYXNz", "Bearer",
                                            "view-token", longer};
    static const char *const unknown[] = {"Bearer ", "Bearer nope", "Bearer view-token ",
                                          "Bearer  view-token", "Bearer VIEW-TOKEN"};
    struct auth *a = opened(true);
    struct err e = ERR_INIT;
    enum role who;
    for (size_t i = 0; i < N_OF(malformed); i++)
        assert_failed(auth_check(a, malformed[i], ROLE_NONE, &who, &e), e,
                      ERR_UNAUTHORIZED,
                      "the Authorization header must be \"Bearer TOKEN\"");
    for (size_t i = 0; i < N_OF(unknown); i++)
        assert_failed(auth_check(a, unknown[i], ROLE_NONE, &who, &e), e, ERR_UNAUTHORIZED,
                      "this token is not known");
    auth_close(a);
}

static void test_open_to_all(void **unused)
{
    (void)unused;
    static const char *const loopback[] = {"127.0.0.1", "127.1.2.3", "::1", "localhost"};
    static const char *const others[] = {"0.0.0.0", "::", "192.168.1.2", "10.127.0.1"};
    struct err e = ERR_INIT;
    enum role who;
    for (size_t i = 0; i < N_OF(loopback); i++) {
        struct auth *a = auth_open("", "", false, loopback[i], &e);
        assert_non_null(a);
        assert_ok(auth_check(a, NULL, ROLE_SERVICE, &who, &e), e);
        assert_ok(auth_check(a, "Bearer anything", ROLE_SERVICE, &who, &e), e);
        auth_close(a);
    }
    for (size_t i = 0; i < N_OF(others); i++)
        assert_null(auth_open("", "svc", false, others[i], &e));
    assert_string_equal(e.text,
                        "FC_HTTP_ADDR is 10.127.0.1 but FC_TOKENS_FILE is not set: "
                        "without tokens a service listens on loopback only");
}

static void test_bad_files(void **unused)
{
    (void)unused;
#define H64 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
    static const struct {
        const char *text;
        int line;
    } rows[] = {
        {"viewer\n", 1},
        {"# x\nroot " H64 "\n", 2},
        {"viewer " H64 "0\n", 1},
        {"viewer 0123\n", 1},
        {"viewer 0123456789ABCDEF0123456789abcdef0123456789abcdef0123456789abcdef\n", 1},
        {"viewer " H64 " bob\n", 1},
        {"none " H64 "\n", 1},
    };
    char path[64], want[300];
    struct err e = ERR_INIT;
    for (size_t i = 0; i < N_OF(rows); i++) {
        temp_file(path, rows[i].text);
        assert_null(auth_open(path, "", false, "127.0.0.1", &e));
        snprintf(
            want, sizeof want,
            "%s line %d: expected \"role sha256\" with role viewer, operator, admin or "
            "service and 64 lower-case hex digits",
            path, rows[i].line);
        assert_string_equal(e.text, want);
        unlink(path);
    }
    temp_file(path, "# nothing\n");
    assert_null(auth_open(path, "", false, "127.0.0.1", &e));
    snprintf(want, sizeof want, "the tokens file %s holds no token", path);
    assert_string_equal(e.text, want);
    unlink(path);
    assert_null(auth_open("/nonexistent", "", false, "127.0.0.1", &e));
    assert_string_equal(
        e.text, "could not read the tokens file /nonexistent: No such file or directory");
    assert_null(auth_open("/", "", false, "127.0.0.1", &e)); /* a folder */

    /* 10001 lines */
    temp_file(path, "");
    FILE *f = fopen(path, "w");
    for (int i = 0; i < 10001; i++)
        fputs("#\n", f);
    fclose(f);
    assert_null(auth_open(path, "", false, "127.0.0.1", &e));
    snprintf(want, sizeof want, "%s has more than 10000 lines", path);
    assert_string_equal(e.text, want);
    unlink(path);
}

/* A comment may be longer than any token line. */
static void test_long_comment(void **unused)
{
    (void)unused;
    char path[64], text[2000];
    memset(text, 'x', 1000);
    text[0] = '#';
    strcpy(text + 1000, "\nviewer " H64 "\n");
    temp_file(path, text);
    struct err e = ERR_INIT;
    struct auth *a = auth_open(path, "", false, "127.0.0.1", &e);
    unlink(path);
    if (!a)
        fail_msg("%s", e.text);
    auth_close(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_roles),      cmocka_unit_test(test_without_token),
        cmocka_unit_test(test_bad_tokens), cmocka_unit_test(test_open_to_all),
        cmocka_unit_test(test_bad_files),  cmocka_unit_test(test_long_comment),
    };
    return cmocka_run_group_tests_name("auth", tests, NULL, NULL);
}
