/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/unit/unit.h"

#include "common/sha256.h"

/* FIPS 180-4's examples. */
static void test_known_answers(void **unused)
{
    (void)unused;
    char out[SHA256_HEX_SIZE];
    sha256_hex("", 0, out);
    assert_string_equal(
        out, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    sha256_hex("abc", 3, out);
    assert_string_equal(
        out, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    char *million = malloc(1000000);
    memset(million, 'a', 1000000);
    sha256_hex(million, 1000000, out);
    free(million);
    assert_string_equal(
        out, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

static void test_equal(void **unused)
{
    (void)unused;
    char a[SHA256_HEX_SIZE], b[SHA256_HEX_SIZE];
    sha256_hex("a", 1, a);
    sha256_hex("a", 1, b);
    assert_true(sha256_equal(a, b));
    b[63] = b[63] == '0' ? '1' : '0';
    assert_false(sha256_equal(a, b));
}

static void test_random(void **unused)
{
    (void)unused;
    char a[129], b[129];
    assert_int_equal(random_hex(a, 64), 0);
    assert_int_equal(random_hex(b, 64), 0);
    assert_int_equal(strlen(a), 128);
    assert_int_equal(strspn(a, "0123456789abcdef"), 128);
    assert_string_not_equal(a, b);
    assert_int_equal(random_hex(a, 65), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known_answers),
        cmocka_unit_test(test_equal),
        cmocka_unit_test(test_random),
    };
    return cmocka_run_group_tests_name("sha256", tests, NULL, NULL);
}
