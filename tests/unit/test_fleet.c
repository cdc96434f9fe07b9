/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The order of the series, whatever they come in. */
#include "tests/unit/unit.h"

#include "services/monitor/fleet.h"

static void check(const struct fleet *f, size_t n)
{
    assert_int_equal(f->n, n);
    for (size_t i = 1; i < n; i++)
        if (strcmp(f->all[i - 1]->name, f->all[i]->name) >= 0)
            fail_msg("%s stands before %s", f->all[i - 1]->name, f->all[i]->name);
    for (size_t i = 0; i < n; i++)
        assert_ptr_equal(fleet_find(f, f->all[i]->name), f->all[i]);
}

static void test_added_here_and_there(void **unused)
{
    (void)unused;
    static const char *const batches[][5] = {
        {"m.a", "k.a"},                      /* into nothing */
        {"z.a", "y.a", "x.b"},               /* all behind */
        {"a.a", "b.a"},                      /* all before */
        {"l.a", "a.b", "zz.a", "k.b", "m.b"} /* between */
    };
    struct fleet f, other;
    size_t n = 0;
    fleet_init(&f);
    fleet_init(&other);
    fleet_sort(&f);
    for (size_t b = 0; b < 4; b++) {
        for (size_t i = 0; i < 5 && batches[b][i]; i++, n++)
            fleet_add(&f, batches[b][i]);
        fleet_sort(&f);
        check(&f, n);
    }
    fleet_sort(&f);
    check(&f, n);
    fleet_swap(&f, &other);
    fleet_add(&other, "c.a");
    fleet_sort(&other);
    check(&other, n + 1);
    fleet_add(&f, "c.a");
    fleet_sort(&f);
    check(&f, 1);
    fleet_clear(&other);
    fleet_add(&other, "d.a");
    fleet_sort(&other);
    check(&other, 1);
    fleet_done(&f);
    fleet_done(&other);
}

static void test_many(void **unused)
{
    (void)unused;
    struct fleet f;
    char name[40];
    fleet_init(&f);
    uint32_t x = 1;
    for (int batch = 0; batch < 1000; batch++) {
        for (int i = 0; i < 100; i++) {
            x = x * 1664525 + 1013904223;
            snprintf(name, sizeof name, "%08x-%d.temperature", x, batch * 100 + i);
            fleet_add(&f, name);
        }
        fleet_sort(&f);
    }
    check(&f, 100000);
    fleet_done(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_added_here_and_there),
        cmocka_unit_test(test_many),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
