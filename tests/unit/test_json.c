/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/unit/unit.h"

#include <math.h>

#include "common/json.h"

static void test_parse_refuses(void **unused)
{
    (void)unused;
    static const struct {
        const char *text, *error;
    } rows[] = {
        {"", "the body is empty: a JSON value is expected"},
        {"{", "the body is not valid JSON: line 1, column 1: string or '}' expected near "
              "end of file"},
        {"{\"a\":1,\"a\":2}", "the body is not valid JSON: line 1, column 10: duplicate "
                              "object key near '\"a\"'"},
        {"[1] x",
         "the body is not valid JSON: line 1, column 5: end of file expected near 'x'"},
        {"{\"a\":NaN}",
         "the body is not valid JSON: line 1, column 6: invalid token near 'N'"},
        {"[1e999]", "the body is not valid JSON: line 1, column 6: real number overflow "
                    "near '1e999'"},
        {"[\"\\u0000\"]", "the body is not valid JSON: line 1, column 9: \\u0000 is not "
                          "allowed without JSON_ALLOW_NUL"},
        {"[99999999999999999999]",
         "the body is not valid JSON: line 1, column 21: too big integer"},
    };
    for (size_t i = 0; i < N_OF(rows); i++) {
        struct err e = ERR_INIT;
        assert_null(json_parse(rows[i].text, strlen(rows[i].text), "the body", &e));
        assert_int_equal(e.code, ERR_INVALID);
        /* jansson's words may change with its version; ours and the place may not */
        char *colon = strstr(rows[i].error, "column");
        size_t n = colon ? (size_t)(colon - rows[i].error) : strlen(rows[i].error);
        assert_memory_equal(e.text, rows[i].error, n);
    }
    static char deep[100000];
    struct err e = ERR_INIT;
    memset(deep, '[', sizeof deep);
    assert_null(json_parse(deep, sizeof deep, "payload", &e));
    assert_null(json_parse("[\"\xff\"]", 5, "payload", &e)); /* broken UTF-8 */
    assert_null(json_parse("[1]\0", 4, "payload", &e));
    json_t *j = json_parse(" [1, 2.5] \n", 11, "payload", &e);
    assert_non_null(j);
    json_decref(j);
}

static json_t *object(const char *text)
{
    struct err e = ERR_INIT;
    json_t *j = json_parse(text, strlen(text), "o", &e);
    assert_non_null(j);
    return j;
}

static void test_nesting(void **unused)
{
    (void)unused;
    char text[70 + 5] = "";
    struct err e = ERR_INIT;
    memset(text, '[', 64);
    assert_null(json_parse(text, 64, "the body", &e)); /* deep enough, only not closed */
    assert_null(strstr(e.text, "nested"));
    memset(text, '[', 65);
    e = (struct err)ERR_INIT;
    assert_null(json_parse(text, 65, "the body", &e));
    assert_string_equal(e.text, "the body is nested deeper than 64 levels");
    /* brackets in strings and side by side are no depth */
    memset(text, '[', 70);
    memcpy(text, "[\"\\\"", 4);
    memcpy(text + 69, "\",1]", 5);
    json_t *j = json_parse(text, 73, "the body", &e);
    assert_non_null(j);
    json_decref(j);
    struct buf b;
    buf_init(&b, 1000);
    buf_addc(&b, '[');
    for (int i = 0; i < 100; i++)
        buf_adds(&b, "{},");
    buf_adds(&b, "[]]");
    assert_non_null(j = json_parse(b.data, b.len, "the body", &e));
    json_decref(j);
    buf_done(&b);
}

static void test_fields(void **unused)
{
    (void)unused;
    json_t *o = object(
        "{\"s\":\"abc\",\"i\":7,\"r\":2.5,\"n\":null,\"t\":\"2026-11-20T10:00:00Z\","
        "\"sec\":1795168800,\"ms\":1795168800123,\"b\":true,\"a\":[],\"o\":{}}");
    struct err e = ERR_INIT;
    const char *s = "before";
    double r = -1;
    int64_t i = -1, t = -1;
    assert_ok(json_get_string(o, "s", &s, 3, &e), e);
    assert_string_equal(s, "abc");
    assert_ok(json_get_int(o, "i", &i, 7, 7, &e), e);
    assert_int_equal(i, 7);
    assert_ok(json_get_real(o, "r", &r, 0, 3, &e), e);
    assert_true(r == 2.5);
    assert_ok(json_get_real(o, "i", &r, 0, 10, &e), e); /* a whole number is a number */
    assert_true(r == 7);
    /* absent or null: as it was */
    s = "before", r = -1, i = -1;
    assert_ok(json_opt_string(o, "n", &s, 3, &e), e);
    assert_ok(json_opt_real(o, "none", &r, 0, 3, &e), e);
    assert_ok(json_opt_int(o, "n", &i, 0, 3, &e), e);
    assert_ok(json_opt_time(o, "none", &t, &e), e);
    assert_string_equal(s, "before");
    assert_true(r == -1 && i == -1 && t == -1);
    assert_ok(json_opt_time(o, "t", &t, &e), e);
    assert_true(t == INT64_C(1795168800000));
    assert_ok(json_opt_time(o, "sec", &t, &e), e);
    assert_true(t == INT64_C(1795168800000));
    assert_ok(json_opt_time(o, "ms", &t, &e), e);
    assert_true(t == INT64_C(1795168800123));

    assert_failed(json_get_string(o, "none", &s, 3, &e), e, ERR_INVALID,
                  "field \"none\" is missing: a string is expected");
    assert_failed(json_get_real(o, "n", &r, 0, 1, &e), e, ERR_INVALID,
                  "field \"n\" is missing: a number is expected");
    assert_failed(json_get_int(o, "none", &i, 0, 1, &e), e, ERR_INVALID,
                  "field \"none\" is missing: a whole number is expected");
    assert_failed(json_get_string(o, "i", &s, 3, &e), e, ERR_INVALID,
                  "field \"i\" must be a string, not a number");
    assert_failed(json_opt_string(o, "s", &s, 2, &e), e, ERR_INVALID,
                  "field \"s\" must have at most 2 bytes; it has 3");
    assert_failed(json_opt_real(o, "b", &r, 0, 3, &e), e, ERR_INVALID,
                  "field \"b\" must be a number, not a boolean");
    assert_failed(json_opt_real(o, "a", &r, 0, 3, &e), e, ERR_INVALID,
                  "field \"a\" must be a number, not an array");
    assert_failed(json_opt_real(o, "r", &r, 0, 2, &e), e, ERR_INVALID,
                  "field \"r\" must be from 0 to 2, not 2.5");
    assert_failed(json_opt_int(o, "r", &i, 0, 2, &e), e, ERR_INVALID,
                  "field \"r\" must be a whole number, not one with a fraction");
    assert_failed(json_opt_int(o, "o", &i, 0, 2, &e), e, ERR_INVALID,
                  "field \"o\" must be a whole number, not an object");
    assert_failed(json_opt_int(o, "i", &i, 8, 9, &e), e, ERR_INVALID,
                  "field \"i\" must be from 8 to 9, not 7");
    assert_failed(
        json_opt_time(o, "b", &t, &e), e, ERR_INVALID,
        "field \"b\" must be a time: RFC 3339, epoch seconds or epoch milliseconds");
    assert_failed(json_opt_time(o, "s", &t, &e), e, ERR_INVALID,
                  "s must be a time such as 2026-11-20T10:00:00Z, epoch seconds or epoch "
                  "milliseconds, not \"abc\"");
    json_decref(o);
}

static void test_write(void **unused)
{
    (void)unused;
    json_t *o = json_object();
    json_object_set_new(o, "z", json_number(0.1 + 0.2));
    json_object_set_new(o, "a", json_number(NAN));
    json_object_set_new(o, "i", json_number(-INFINITY));
    json_object_set_new(o, "t", json_text(NULL));
    json_object_set_new(o, "u", json_text("é\""));
    struct buf b;
    buf_init(&b, 200);
    assert_int_equal(json_write(&b, o), 0);
    assert_string_equal(
        b.data,
        "{\"z\":0.30000000000000004,\"a\":null,\"i\":null,\"t\":null,\"u\":\"é\\\"\"}");
    buf_done(&b);
    buf_init(&b, 10);
    assert_int_equal(json_write(&b, o), -1); /* does not fit */
    buf_done(&b);
    json_decref(o);
}

static void test_real_at(void **state)
{
    (void)state;
    json_t *row = json_pack("[i, f, s, n]", 2, 0.5, "3");
    assert_true(json_real_at(row, 0) == 2);
    assert_true(json_real_at(row, 1) == 0.5);
    for (size_t i = 2; i < 5; i++)
        assert_true(isnan(json_real_at(row, i)));
    assert_true(isnan(json_real_at(NULL, 0)));
    json_decref(row);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parse_refuses), cmocka_unit_test(test_nesting),
        cmocka_unit_test(test_fields),        cmocka_unit_test(test_write),
        cmocka_unit_test(test_real_at),
    };
    return cmocka_run_group_tests_name("json", tests, NULL, NULL);
}
