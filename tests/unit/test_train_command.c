/* SPDX-License-Identifier: GPL-3.0-or-later */
/* fieldcast train: what it refuses before it asks anybody. */
#include "tests/unit/subcommand.h"

#include "tools/train.h"

#define RUN(...) run(train_main, (const char *const[]){__VA_ARGS__, NULL})

static void command_line(void **state)
{
    (void)state;
    assert_int_equal(RUN("a.b", "--preset", "foo"), 2);
    said("--preset must be \"system0\", \"boost\", \"forest\", \"holt_winters\" or "
         "\"theta\", not \"foo\"\n");
    assert_int_equal(RUN("a.b", "--output", "xml"), 2);
    said("--output must be csv or json, not \"xml\"");
    assert_int_equal(RUN("a.b", "--all"), 2);
    said("give either names of series or --all, not both");
    assert_int_equal(RUN("a.b", "--token", "x", "--token-file", in_path), 2);
    said("--token and --token-file exclude each other");
}

static void empty_token(void **state)
{
    (void)state;
    static const char *const texts[] = {"", "\n", "\r\nabc\n"};
    for (size_t i = 0; i < N_OF(texts); i++) {
        write_input(texts[i]);
        assert_int_equal(RUN("a.b", "--token-file", in_path), 1);
        said("/in.csv holds no token: its first line is empty\n");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(command_line),
        cmocka_unit_test(empty_token),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
