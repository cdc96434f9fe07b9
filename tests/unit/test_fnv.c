/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Known answers: Fowler, Noll and Vo's test vectors for FNV-1a. */
#include "tests/unit/unit.h"

#include "common/fnv.h"

static const struct {
    const char *text;
    uint32_t h32;
    uint64_t h64;
} table[] = {
    {"", 0x811c9dc5, UINT64_C(0xcbf29ce484222325)},
    {"a", 0xe40c292c, UINT64_C(0xaf63dc4c8601ec8c)},
    {"foobar", 0xbf9cf968, UINT64_C(0x85944171f73967e8)},
    {"chongo was here!\n", 0xd49930d5, UINT64_C(0x46810940eff5f915)},
};

static void test_known_answers(void **unused)
{
    (void)unused;
    for (size_t i = 0; i < N_OF(table); i++) {
        assert_int_equal(fnv32_text(FNV32_BASIS, table[i].text), table[i].h32);
        assert_true(fnv_text(FNV_BASIS, table[i].text) == table[i].h64);
        assert_true(fnv_add(FNV_BASIS, table[i].text, strlen(table[i].text)) ==
                    table[i].h64);
    }
}

static void test_one_after_the_other(void **unused)
{
    (void)unused;
    assert_true(fnv_text(fnv_add(FNV_BASIS, "fo", 2), "obar") == table[2].h64);
    assert_int_equal(fnv32_text(fnv32_text(FNV32_BASIS, "foo"), "bar"), table[2].h32);
    assert_int_equal(fnv32_end(fnv32_text(FNV32_BASIS, "foobar")), 0x0c1c9eb8);
    assert_true(fnv_add(FNV_BASIS, "foobar", 7) == UINT64_C(0x34531ca7168b8f38));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known_answers),
        cmocka_unit_test(test_one_after_the_other),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
