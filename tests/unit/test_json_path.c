/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/unit/unit.h"

#include <jansson.h>

#include "services/ingest/json_path.h"

static void test_paths(void **unused)
{
    (void)unused;
    static const struct {
        const char *path, *want, *name; /* want: compact JSON, NULL = nothing there */
    } table[] = {
        {"$", NULL, ""}, /* everything: looked at below */
        {"$.a", "1", "a"},
        {"$.b.c", "\"x\"", "c"},
        {"$.list[0].t", "21.5", "t"},
        {"$.list[1]", "[7,8]", "list"},
        {"$.list[1][1]", "8", "list"},
        {"$.list[2]", NULL, "list"},
        {"$[\"a b\"]", "true", "a b"},
        {"$['a b']", "true", "a b"},
        {"$[\"q\\\"\"]", "2", "q\""},
        {"$.b-1_x", "3", "b-1_x"},
        {"$.nowhere.at.all", NULL, "all"},
        {"$.a.b", NULL, "b"},
        {"$.b[0]", NULL, "b"},
        {"$.list.t", NULL, "t"},
        {"$[\"\"]", "4", ""},
    };
    json_t *root =
        json_loads("{\"a\":1,\"b\":{\"c\":\"x\"},\"list\":[{\"t\":21.5},[7,8]],"
                   "\"a b\":true,\"q\\\"\":2,\"b-1_x\":3,\"\":4}",
                   0, NULL);
    assert_non_null(root);
    for (size_t i = 0; i < N_OF(table); i++) {
        struct err e = ERR_INIT;
        struct json_path *p = json_path_parse(table[i].path, &e);
        if (!p)
            fail_msg("%s: %s", table[i].path, e.text);
        const json_t *got = json_path_get(p, root);
        char *text = json_dumps(got, JSON_ENCODE_ANY | JSON_COMPACT);
        if (!i)
            assert_ptr_equal(got, root);
        else if (table[i].want ? !text || strcmp(text, table[i].want) : text != NULL)
            fail_msg("%s gives %s", table[i].path, text ? text : "nothing");
        assert_string_equal(json_path_last_name(p), table[i].name);
        assert_string_equal(json_path_text(p), table[i].path);
        free(text);
        json_path_free(p);
    }
    json_decref(root);
}

static void test_bad_paths(void **unused)
{
    (void)unused;
    static const char *const table[][2] = {
        {"", "\"\": character 1: a path begins with $, as $.meta.id does"},
        {"a.b", "\"a.b\": character 1: a path begins with $, as $.meta.id does"},
        {"$a", "\"$a\": character 2: a . or [ is expected"},
        {"$.", "\"$.\": character 3: a name is expected ([\"…\"] for any other)"},
        {"$..a", "\"$..a\": character 3: a name is expected ([\"…\"] for any other)"},
        {"$.a.*", "\"$.a.*\": character 5: a name is expected ([\"…\"] for any other)"},
        {"$[*]",
         "\"$[*]\": character 3: a number of at most 6 digits or a name in quotes "
         "is expected"},
        {"$[-1]", "\"$[-1]\": character 3: a number of at most 6 digits or a name in "
                  "quotes is expected"},
        {"$[1234567]", "\"$[1234567]\": character 3: a number of at most 6 digits or a "
                       "name in quotes is expected"},
        {"$[0", "\"$[0\": character 4: ] is expected"},
        {"$['a", "\"$['a\": character 5: a quote is missing"},
        {"$.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a",
         "\"$.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a\": character 34: a path has at most 16 "
         "steps"},
    };
    for (size_t i = 0; i < N_OF(table); i++) {
        struct err e = ERR_INIT;
        assert_null(json_path_parse(table[i][0], &e));
        assert_string_equal(e.text, table[i][1]);
    }
    char *long_one = calloc(1, 400);
    struct err e = ERR_INIT;
    memset(long_one, 'a', 399);
    assert_null(json_path_parse(long_one, &e));
    assert_non_null(strstr(e.text, "is longer than 256 bytes"));
    free(long_one);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_paths),
        cmocka_unit_test(test_bad_paths),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
