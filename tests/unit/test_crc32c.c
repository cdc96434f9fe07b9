/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/unit/unit.h"

#include "services/ingest/crc32c.h"

static void test_crc_known_answers(void **unused)
{
    (void)unused;
    unsigned char zeros[32] = {0}, ones[32], up[32];
    for (int i = 0; i < 32; i++) {
        ones[i] = 0xff;
        up[i] = (unsigned char)i;
    }
    const struct crc32c_way *way;
    size_t n = 0;
    for (; (way = crc32c_way(n)); n++) { /* RFC 3720, B.4 */
        assert_int_equal(way->compute(0, zeros, 32), 0x8a9136aau);
        assert_int_equal(way->compute(0, ones, 32), 0x62a8ab43u);
        assert_int_equal(way->compute(0, up, 32), 0x46dd794eu);
        assert_int_equal(way->compute(0, "123456789", 9), 0xe3069283u);
        assert_int_equal(way->compute(way->compute(0, up, 13), up + 13, 19), 0x46dd794eu);
    }
    assert_true(n >= 1);
    assert_string_equal(crc32c_way(n - 1)->name, "tables");
    assert_int_equal(crc32c(0, "123456789", 9), 0xe3069283u);
}

/* All ways and the definition, bit by bit, agree for each length and alignment. */
static void test_crc_ways_agree(void **unused)
{
    (void)unused;
    unsigned char data[300];
    uint32_t x = 1;
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (unsigned char)((x = x * 1664525 + 1013904223) >> 24);
    for (size_t at = 0; at < 9; at++)
        for (size_t len = 0; at + len <= sizeof data; len++) {
            uint32_t c = ~0x1234u;
            for (size_t i = at; i < at + len; i++) {
                c ^= data[i];
                for (int bit = 0; bit < 8; bit++)
                    c = c & 1 ? c >> 1 ^ 0x82f63b78u : c >> 1;
            }
            const struct crc32c_way *way;
            for (size_t i = 0; (way = crc32c_way(i)); i++)
                if (way->compute(0x1234, data + at, len) != ~c)
                    fail_msg("%s: %zu bytes at %zu", way->name, len, at);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_crc_known_answers),
        cmocka_unit_test(test_crc_ways_agree),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
