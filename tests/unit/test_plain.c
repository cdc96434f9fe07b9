/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Texts from outside on a terminal; also through the tools that print them. */
#include "tests/unit/unit.h"

#include <jansson.h>
#include <stdio.h>

#include "common/plain.h"
#include "tools/explain.h"
#include "tools/options.h"

static void test_characters(void **unused)
{
    (void)unused;
    static const struct {
        const char *in, *out;
    } rows[] = {
        {"", ""},
        {"21.5 °C, é, 漢, 😀 \\ \"", "21.5 °C, é, 漢, 😀 \\ \""},
        {"\x1b[31mred\x1b[0m", "\\u001b[31mred\\u001b[0m"},
        {"a\r\nb\tc\a\b", "a\\u000d\\u000ab\\u0009c\\u0007\\u0008"},
        {"\x7f", "\\u007f"},
        {"\xc2\x9b"
         "2J \xc2\x80\xc2\x9f\xc2\xa0",
         "\\u009b2J \\u0080\\u009f\xc2\xa0"},
        {"\x9b"
         "2J \xff \xc2",
         "\\x9b2J \\xff \\xc2"},
        {"\xe2\x80\xaegnp\xe2\x80\xac \xe2\x81\xa6 \xe2\x80\xa8 \xd8\x9c",
         "\\u202egnp\\u202c \\u2066 \\u2028 \\u061c"},
        {"\xe2\x80\x93 \xe2\x82\xac", "\xe2\x80\x93 \xe2\x82\xac"},
        {"\xef\xbf\xbd \xef\xbf\xbe\xef\xbf\xbf", "\xef\xbf\xbd \\ufffe\\uffff"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char *text;
        size_t len;
        FILE *to = open_memstream(&text, &len);
        plain_put(to, rows[i].in);
        fclose(to);
        assert_string_equal(text, rows[i].out);
        free(text);
    }
}

static void test_lines(void **unused)
{
    (void)unused;
    char *text;
    size_t len;
    FILE *to = open_memstream(&text, &len);
    plain_put_lines(to, "{\n  \"a\": \"\xc2\x9b\"\r\n}\n");
    fclose(to);
    assert_string_equal(text, "{\n  \"a\": \"\\u009b\"\\u000d\n}\n");
    free(text);
}

static void test_utf8(void **unused)
{
    (void)unused;
    char *text = plain_utf8("a\x1b\xc3\xbc\n\xfc\xe2\x82");
    assert_string_equal(text, "a\x1b\xc3\xbc\n\\xfc\\xe2\\x82");
    free(text);
}

/* Every text that an answer can have says something to the terminal. */
static void test_explain(void **unused)
{
    (void)unused;
    static const char *const answers[] = {
        "{'accepted':true,'decoder':'d\\u001b','items':[{'accepted':true,'device':"
        "'a\\u001b','time':'t\\u001b','time_source':'s\\u001b','values':{'q\\u001b':{"
        "'value':1,'unit':'u\\u001b'}},'line':'l\\u001b\\u009b'}]}",
        "{'accepted':true,'decoder':'d','items':[{'accepted':true,'device':'a','time':'t'"
        ","
        "'why':'w\\u001b','values':{},'line':'l'},{'accepted':true,'device':'a','status':"
        "'s\\u001b'},{'accepted':false,'device':'a','reason':'r\\u001b'}],'reason':"
        "'r\\u001b','detail':'\\u001b[2J\\n\\u007f'}",
        "{'accepted':false,'decoder':null,'items':[],'reason':'bad_json','detail':"
        "'\\u001b]0;owned\\u0007'}",
    };
    static const char *const has[] = {"l\\u001b\\u009b\n", ": \\u001b[2J\\u000a\\u007f\n",
                                      "refused: bad_json: \\u001b]0;owned\\u0007\n"};
    for (size_t i = 0; i < 3; i++) {
        char json[600], *text;
        size_t len;
        snprintf(json, sizeof json, "%s", answers[i]);
        for (char *p = json; *p; p++)
            *p = *p == '\'' ? '"' : *p;
        json_t *answer = json_loads(json, 0, NULL);
        assert_non_null(answer);
        FILE *to = open_memstream(&text, &len);
        assert_int_equal(explain_print(answer, to), i == 2);
        fclose(to);
        for (const char *p = text; *p; p++)
            if (((unsigned char)*p < 0x20 && *p != '\n') || *p == 0x7f)
                fail_msg("0x%02x in: %s", *p, text);
        assert_null(strstr(text, "\xc2\x9b"));
        if (!strstr(text, has[i]))
            fail_msg("%s is not in: %s", has[i], text);
        free(text);
        json_decref(answer);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_characters),
        cmocka_unit_test(test_lines),
        cmocka_unit_test(test_utf8),
        cmocka_unit_test(test_explain),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
