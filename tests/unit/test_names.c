/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/unit/unit.h"

#include "services/monitor/names.h"

static void test_each_once_in_order(void **unused)
{
    (void)unused;
    struct names s = {0};
    names_clear(&s);
    for (int hour = 0; hour < 3; hour++) {
        names_add(&s, "kitchen", "temperature", 3);
        names_add(&s, "attic", "temperature", 3);
        names_add(&s, "attic", "humidity", 3);
        names_add(&s, "cellar", "humidity", 3); /* one too many */
    }
    assert_int_equal(s.n, 3);
    assert_string_equal(s.all[0], "kitchen.temperature");
    assert_string_equal(s.all[1], "attic.temperature");
    assert_string_equal(s.all[2], "attic.humidity");
    names_clear(&s);
    assert_int_equal(s.n, 0);
    names_add(&s, "cellar", "humidity", 3);
    assert_int_equal(s.n, 1);
    names_clear(&s);
}

/* With a list that is looked through for each, this takes longer than a test may. */
static void test_as_many_as_there_may_be(void **unused)
{
    (void)unused;
    struct names s = {0};
    char device[32];
    for (int hour = 0; hour < 4; hour++)
        for (int i = 0; i < 100000; i++) {
            snprintf(device, sizeof device, "device-of-the-plant-%d", i);
            names_add(&s, device, "temperature", 200000);
        }
    assert_int_equal(s.n, 100000);
    assert_string_equal(s.all[99999], "device-of-the-plant-99999.temperature");
    names_clear(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_once_in_order),
        cmocka_unit_test(test_as_many_as_there_may_be),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
