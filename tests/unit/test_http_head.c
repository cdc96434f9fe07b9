/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/unit/unit.h"

#include "common/http_head.h"

static void test_unescape(void **unused)
{
    (void)unused;
    static const char *const table[][2] = {
        {"", ""},
        {"plain", "plain"},
        {"a%20b%2Fc", "a b/c"},
        {"%c3%A9", "\xc3\xa9"},
        {"50%", "50%"},
        {"%4", "%4"},
        {"%zz", "%zz"},
        {"a%00b", "a%00b"},
        {"%2520", "%20"},
    };
    for (size_t i = 0; i < N_OF(table); i++) {
        char text[32];
        strcpy(text, table[i][0]);
        assert_int_equal(head_unescape(text), strlen(table[i][1]));
        assert_string_equal(text, table[i][1]);
    }
}

static void test_path(void **unused)
{
    (void)unused;
    struct err e = ERR_INIT;
    char path[HTTP_PATH_MAX + 2];
    memset(path, '/', sizeof path);
    path[HTTP_PATH_MAX] = '\0';
    assert_ok(head_path(path, &e), e);
    path[HTTP_PATH_MAX] = '/';
    path[HTTP_PATH_MAX + 1] = '\0';
    assert_int_equal(head_path(path, &e), -1);
    assert_string_equal(e.text, "the path is longer than 500 bytes");
    assert_int_equal(head_path("/a\xff", &e), -1);
    assert_non_null(strstr(e.text, " is not UTF-8"));
    assert_int_equal(e.code, ERR_INVALID);
}

static void test_params_are_kept(void **unused)
{
    (void)unused;
    char copy[16] = "one\0two";
    struct req q = {.params = {copy, copy + 4}};
    char *kept = head_keep_params(&q, copy);
    memset(copy, 'x', sizeof copy);
    assert_string_equal(q.params[0], "one");
    assert_string_equal(q.params[1], "two");
    assert_null(q.params[2]);
    free(kept);
    q = (struct req){0};
    assert_null(head_keep_params(&q, copy));
}

static void test_query(void **unused)
{
    (void)unused;
    static const struct route route = {.path = "/here", .query = "a b"};
    static const struct {
        const char *key, *value, *error; /* NULL: taken */
    } table[] = {
        {"a", "1", NULL},
        {"", NULL, NULL}, /* a & too many */
        {"b", NULL, "parameter \"b\" has no value"},
        {"b", "\xff", "parameter \"b\" is not UTF-8"},
        {"c", "1", "parameter \"c\" is not known: /here has a b"},
        {"a", "2", "parameter \"a\" is given twice"},
        {"b", "", NULL},
    };
    struct head_query q = {.route = &route};
    for (size_t i = 0; i < N_OF(table); i++) {
        struct err e = ERR_INIT;
        int rc = head_query_add(&q, table[i].key, table[i].value, &e);
        assert_int_equal(rc, table[i].error ? -1 : 0);
        assert_string_equal(e.text, table[i].error ? table[i].error : "");
    }
    assert_int_equal(q.n, 2);
    struct err e = ERR_INIT;
    q.n = HTTP_QUERY_MAX;
    assert_int_equal(head_query_add(&q, "b", "1", &e), -1);
    assert_string_equal(e.text, "the query has more than 64 parameters");
}

static void test_trim_query(void **unused)
{
    (void)unused;
    static const char *const table[][2] = {
        {"/a", "/a"},
        {"/a?", "/a?"},
        {"/a?&&&", "/a?"},
        {"/a?b=1&c=?", "/a?b=1&c=?"},
        {"/a?&b=?&&c&", "/a?b=?&c"},
        {"/a&&?b&&=&?&&c", "/a&&?b&=&?&c"},
    };
    char text[1000] = "/a?";
    for (size_t i = 0; i < N_OF(table); i++) {
        char one[32];
        strcpy(one, table[i][0]);
        head_trim_query(one);
        assert_string_equal(one, table[i][1]);
    }
    /* the one that is too many stays, to be refused */
    for (size_t i = 0; i < 400; i++)
        strcat(text, "b&");
    head_trim_query(text);
    assert_int_equal(strlen(text), 3 + 2 * (HTTP_QUERY_MAX + 1) - 1);
    assert_string_equal(text + strlen(text) - 4, "&b&b");
}

static void test_body(void **unused)
{
    (void)unused;
    static const struct {
        struct head_body head;
        enum err_code code;
        const char *error;
    } table[] = {
        {{NULL, NULL, NULL}, ERR_NONE, ""},
        {{"Identity", NULL, "100"}, ERR_NONE, ""},
        {{NULL, "Chunked", NULL}, ERR_NONE, ""},
        {{"gzip", NULL, "1"},
         ERR_MEDIA_TYPE,
         "a body in Content-Encoding gzip is not read: send it as it is"},
        {{NULL, "gzip, chunked", NULL},
         ERR_MEDIA_TYPE,
         "a body in Transfer-Encoding gzip, chunked is not read: chunked is, or "
         "Content-Length"},
        {{NULL, NULL, "101"},
         ERR_TOO_LARGE,
         "the body may have at most 100 bytes; this has 101"},
        {{NULL, NULL, "1234567890123456789012"},
         ERR_TOO_LARGE,
         "the body may have at most 100 bytes; this has 12345678901234567890"},
    };
    for (size_t i = 0; i < N_OF(table); i++) {
        struct err e = ERR_INIT;
        int rc = head_body(&table[i].head, 100, &e);
        assert_int_equal(rc, table[i].code ? -1 : 0);
        assert_int_equal(e.code, table[i].code);
        assert_string_equal(e.text, table[i].error);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_unescape),        cmocka_unit_test(test_path),
        cmocka_unit_test(test_params_are_kept), cmocka_unit_test(test_query),
        cmocka_unit_test(test_trim_query),      cmocka_unit_test(test_body),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
