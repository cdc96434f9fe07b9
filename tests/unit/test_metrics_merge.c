/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/unit/unit.h"

#include "common/metrics_merge.h"

static void test_merge(void **unused)
{
    (void)unused;
    static const char a[] = "# HELP x X.\n# TYPE x gauge\nx{service=\"a\"} 1\n"
                            "# HELP y Y.\n# TYPE y counter\ny{service=\"a\"} 2\n";
    static const char b[] = "# HELP y Y.\n# TYPE y counter\ny{service=\"b\"} 3\n"
                            "# HELP z Z.\n# TYPE z gauge\nz{service=\"b\"} 4\n";
    static const char c[] = "# HELP x X.\n# TYPE x gauge\nx{service=\"c\"} 5\n"
                            "# HELP xx XX.\n# TYPE xx gauge\nxx{service=\"c\"} 6\n";
    const char *texts[] = {a, NULL, b, "", c};
    struct buf out;
    buf_init(&out, 65536);
    metrics_merge(texts, N_OF(texts), &out);
    assert_string_equal(
        out.data,
        "# HELP x X.\n# TYPE x gauge\nx{service=\"a\"} 1\nx{service=\"c\"} 5\n"
        "# HELP y Y.\n# TYPE y counter\ny{service=\"a\"} 2\ny{service=\"b\"} 3\n"
        "# HELP z Z.\n# TYPE z gauge\nz{service=\"b\"} 4\n"
        "# HELP xx XX.\n# TYPE xx gauge\nxx{service=\"c\"} 6\n");
    buf_reset(&out);
    metrics_merge(NULL, 0, &out);
    assert_int_equal(out.len, 0);
    buf_done(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_merge),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
