/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/unit/unit.h"

#include <math.h>

#include "common/buf.h"

static void test_grows_to_its_ceiling(void **unused)
{
    (void)unused;
    struct buf b;
    buf_init(&b, 10);
    assert_null(b.data);
    assert_int_equal(buf_adds(&b, "12345"), 0);
    assert_int_equal(buf_adds(&b, "67890"), 0); /* just full: everything fits */
    assert_false(b.full);
    assert_int_equal(buf_addc(&b, 'x'), -1);
    assert_true(b.full);
    assert_string_equal(b.data, "1234567890");
    assert_int_equal(b.len, 10);
    buf_reset(&b);
    assert_false(b.full);
    assert_string_equal(b.data, "");
    assert_int_equal(buf_addf(&b, "%s", "12345678901"), -1); /* nothing of it */
    assert_int_equal(b.len, 0);
    assert_int_equal(buf_addf(&b, "%d", 42), 0);
    assert_string_equal(b.data, "42");
    buf_done(&b);
    buf_done(&b); /* twice is fine */
}

static void test_ceilings_at_the_ends(void **unused)
{
    (void)unused;
    struct buf b;
    buf_init(&b, 0);
    assert_int_equal(buf_add(&b, "", 0), 0);
    assert_string_equal(b.data, "");
    assert_int_equal(buf_addc(&b, 'x'), -1);
    buf_done(&b);
    buf_init(&b, SIZE_MAX);
    assert_int_equal(buf_adds(&b, "no ceiling"), 0);
    assert_string_equal(b.data, "no ceiling");
    buf_done(&b);
}

static void test_long_formats(void **unused)
{
    (void)unused;
    struct buf b;
    buf_init(&b, 100000);
    for (int n = 250; n < 262; n++) { /* around the small buffer on the stack */
        buf_reset(&b);
        assert_int_equal(buf_addf(&b, "%0*d", n, 7), 0);
        assert_int_equal(b.len, n);
        assert_int_equal(strlen(b.data), n);
    }
    buf_done(&b);
}

static void test_real(void **unused)
{
    (void)unused;
    static const struct {
        double x;
        const char *text;
    } rows[] = {
        {0, "0"},
        {-0.0, "-0"},
        {21.4, "21.4"},
        {-40, "-40"},
        {1, "1"},
        {-1024, "-1024"},
        {999999999999999, "999999999999999"},
        {-1e15, "-1e+15"},
        {1125899906842624, "1125899906842624"},
        {0.1, "0.1"},
        {1e300, "1e+300"},
        {5e-324, "4.94065645841247e-324"},
        {1.0 / 3, "0.3333333333333333"},
        {0.1 + 0.2, "0.30000000000000004"},
        {1795132800000, "1795132800000"},
        {NAN, "null"},
        {INFINITY, "null"},
        {-INFINITY, "null"},
    };
    struct buf b;
    buf_init(&b, 100);
    for (size_t i = 0; i < N_OF(rows); i++) {
        buf_reset(&b);
        assert_int_equal(buf_add_real(&b, rows[i].x), 0);
        assert_string_equal(b.data, rows[i].text);
        if (isfinite(rows[i].x)) {
            double back = strtod(b.data, NULL);
            assert_memory_equal(&back, &rows[i].x, sizeof back);
        }
    }
    buf_done(&b);
}

/* What it writes is what printf says, with as many digits as it takes. */
static void test_real_like_printf(void **unused)
{
    (void)unused;
    static const double scales[] = {1, 10, 100, 1000, 1e5, 1e9};
    uint64_t r = 88172645463325252u;
    struct buf b;
    buf_init(&b, 100);
    for (int i = 0; i < 200000; i++) {
        r ^= r << 13;
        r ^= r >> 7;
        r ^= r << 17;
        uint64_t bits = (r & 0x800fffffffffffffu) | (uint64_t)(1011 + r / 64 % 64) << 52;
        double x;
        char want[64];
        memcpy(&x, &bits, sizeof x);
        if (i % 4 == 1)
            x = (double)(int64_t)(r % 2000000) / scales[r / 32 % 6];
        else if (i % 4 == 2)
            x = nextafter(pow(10, (int)(r % 20) - 4), r & 1024 ? 1e300 : 0);
        else if (i % 4 == 3 && i % 8 == 3)
            x = ldexp(1 + (double)(r / 128 % 3) * 0x1p-52, (int)(r % 70) - 12);
        for (int digits = 15; digits <= 17; digits++) {
            snprintf(want, sizeof want, "%.*g", digits, x);
            if (strtod(want, NULL) == x)
                break;
        }
        buf_reset(&b);
        buf_add_real(&b, x);
        assert_string_equal(b.data, want);
    }
    buf_done(&b);
}

static void test_json_string(void **unused)
{
    (void)unused;
    struct buf b;
    buf_init(&b, 100);
    buf_add_json_string(&b, "a\"b\\c\nd\x01é");
    assert_string_equal(b.data, "\"a\\\"b\\\\c\\u000ad\\u0001é\"");
    buf_done(&b);
}

static void test_take(void **unused)
{
    (void)unused;
    struct buf b;
    size_t len;
    buf_init(&b, 100);
    char *empty = buf_take(&b, &len);
    assert_string_equal(empty, "");
    assert_int_equal(len, 0);
    free(empty);
    buf_add(&b, "a\0b", 3);
    char *p = buf_take(&b, &len);
    assert_int_equal(len, 3);
    assert_memory_equal(p, "a\0b", 4);
    assert_null(b.data);
    free(p);
    assert_int_equal(buf_adds(&b, "again"), 0);
    buf_done(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_grows_to_its_ceiling),
        cmocka_unit_test(test_ceilings_at_the_ends),
        cmocka_unit_test(test_long_formats),
        cmocka_unit_test(test_real),
        cmocka_unit_test(test_real_like_printf),
        cmocka_unit_test(test_json_string),
        cmocka_unit_test(test_take),
    };
    return cmocka_run_group_tests_name("buf", tests, NULL, NULL);
}
