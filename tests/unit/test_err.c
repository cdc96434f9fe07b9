/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/unit/unit.h"

static void test_set(void **unused)
{
    (void)unused;
    struct err e = ERR_INIT;
    assert_int_equal(err_set(&e, ERR_INVALID, "field \"%s\" is odd", "x"), -1);
    assert_int_equal(e.code, ERR_INVALID);
    assert_string_equal(e.text, "field \"x\" is odd");
    assert_string_equal(err_slug(&e), "invalid");
    assert_int_equal(err_set(NULL, ERR_INVALID, "nobody listens"), -1);
    assert_int_equal(err_prefix(NULL, "nobody"), -1);
}

static void test_kind(void **unused)
{
    (void)unused;
    struct err e = ERR_INIT;
    err_kind(&e, ERR_CONFLICT, "no_model_yet", "%d hours", 3);
    assert_string_equal(err_slug(&e), "no_model_yet");
    err_set(&e, ERR_CONFLICT, "again"); /* the slug does not outlive its error */
    assert_string_equal(err_slug(&e), "conflict");
    err_kind(&e, ERR_CONFLICT, "a_slug_that_is_much_longer_than_its_place_allows_it",
             "x");
    assert_int_equal(strlen(err_slug(&e)), sizeof e.slug - 1);
}

static void test_prefix(void **unused)
{
    (void)unused;
    struct err e = ERR_INIT;
    err_kind(&e, ERR_UPSTREAM, "odd", "HTTP 503");
    assert_int_equal(err_prefix(&e, "could not write %d points", 500), -1);
    assert_string_equal(e.text, "could not write 500 points: HTTP 503");
    assert_int_equal(e.code, ERR_UPSTREAM);
    assert_string_equal(err_slug(&e), "odd");
}

static void test_long_texts_are_cut(void **unused)
{
    (void)unused;
    struct err e = ERR_INIT;
    char text[2000];
    memset(text, 'a', sizeof text);
    text[sizeof text - 1] = '\0';
    err_set(&e, ERR_INVALID, "%s", text);
    assert_int_equal(strlen(e.text), sizeof e.text - 1);
    err_prefix(&e, "front");
    assert_int_equal(strlen(e.text), sizeof e.text - 1);
    assert_memory_equal(e.text, "front: aaa", 10);
    for (size_t n = sizeof e.text - 6; n < sizeof e.text + 3; n++) { /* around the edge */
        err_set(&e, ERR_INVALID, "old");
        err_prefix(&e, "%.*s", (int)n, text);
        assert_true(strlen(e.text) < sizeof e.text);
    }
}

static void test_texts_are_utf8(void **unused)
{
    (void)unused;
    static const struct {
        const char *from, *text;
    } rows[] = {
        {"caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80",
         "caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80"},
        {"\xff\xfe", "??"},
        {"cut \xc3", "cut ?"},
        {"cut \xf0\x9f\x98", "cut ???"},
        {"\xc3(", "?("},
        {"\xed\xa0\x80", "???"},      /* half a surrogate pair */
        {"\xc0\xaf", "??"},           /* longer than it need be */
        {"\xe0\x80\xaf", "???"},      /* the same */
        {"\xf4\x90\x80\x80", "????"}, /* beyond U+10FFFF */
        {"\x80", "?"},
    };
    struct err e = ERR_INIT;
    for (size_t i = 0; i < N_OF(rows); i++) {
        err_set(&e, ERR_INVALID, "%s", rows[i].from);
        assert_string_equal(e.text, rows[i].text);
        err_set(&e, ERR_INVALID, "x");
        err_prefix(&e, "%s", rows[i].from);
        assert_memory_equal(e.text, rows[i].text, strlen(rows[i].text));
    }
    err_set(&e, ERR_INVALID, "\"%.2s\" is odd", "a\xc3\xa9");
    assert_string_equal(e.text, "\"a?\" is odd");
}

static void test_http(void **unused)
{
    (void)unused;
    static const struct {
        enum err_code code;
        int status;
        const char *slug;
    } rows[] = {
        {ERR_NONE, 200, "none"},
        {ERR_INVALID, 400, "invalid"},
        {ERR_UNAUTHORIZED, 401, "unauthorized"},
        {ERR_FORBIDDEN, 403, "forbidden"},
        {ERR_NOT_FOUND, 404, "not_found"},
        {ERR_METHOD, 405, "method_not_allowed"},
        {ERR_CONFLICT, 409, "conflict"},
        {ERR_TOO_LARGE, 413, "too_large"},
        {ERR_MEDIA_TYPE, 415, "unsupported_media_type"},
        {ERR_BUSY, 429, "busy"},
        {ERR_INTERNAL, 500, "internal"},
        {ERR_UPSTREAM, 502, "upstream"},
        {ERR_UNAVAILABLE, 503, "unavailable"},
        {ERR_TIMEOUT, 504, "timeout"},
    };
    for (size_t i = 0; i < N_OF(rows); i++) {
        struct err e = {.code = rows[i].code};
        assert_int_equal(err_http_status(rows[i].code), rows[i].status);
        assert_string_equal(err_slug(&e), rows[i].slug);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_set),
        cmocka_unit_test(test_kind),
        cmocka_unit_test(test_prefix),
        cmocka_unit_test(test_long_texts_are_cut),
        cmocka_unit_test(test_texts_are_utf8),
        cmocka_unit_test(test_http),
    };
    return cmocka_run_group_tests_name("err", tests, NULL, NULL);
}
