/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/unit/unit.h"

#include "services/ingest/gaps.h"

static void run(struct gaps *g, int64_t boot, int64_t from, int64_t to)
{
    for (int64_t s = from; s <= to; s++)
        gaps_note(g, boot, s);
}

static void expect(const struct gaps *g, uint64_t missing, size_t n,
                   const struct gap *want)
{
    assert_int_equal(g->missing, missing);
    assert_int_equal(g->n, n);
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(g->gap[i].boot, want[i].boot);
        assert_int_equal(g->gap[i].from, want[i].from);
        assert_int_equal(g->gap[i].to, want[i].to);
    }
}

static void test_what_is_missing(void **unused)
{
    (void)unused;
    struct gaps g = {0};
    run(&g, 1, 500, 510); /* first heard in the middle: nothing is missing */
    expect(&g, 0, 0, NULL);
    assert_null(g.gap);
    assert_int_equal(gaps_note(&g, 1, 520), 9);
    run(&g, 1, 510, 510); /* again */
    run(&g, 1, 499, 499); /* before all */
    expect(&g, 9, 1, (struct gap[]){{1, 511, 519}});
    assert_int_equal(gaps_note(&g, 1, 515), -1);
    expect(&g, 8, 2, (struct gap[]){{1, 511, 514}, {1, 516, 519}});
    assert_int_equal(gaps_note(&g, 1, 511), -1);
    assert_int_equal(gaps_note(&g, 1, 519), -1);
    assert_int_equal(gaps_note(&g, 1, 519), 0);
    expect(&g, 6, 2, (struct gap[]){{1, 512, 514}, {1, 516, 518}});
    run(&g, 1, 512, 518);
    expect(&g, 0, 0, NULL);
    gaps_done(&g);
}

static void test_starts(void **unused)
{
    (void)unused;
    struct gaps g = {0};
    run(&g, 1, 0, 5);
    run(&g, 2, 0, 3); /* from 0 */
    run(&g, 3, 1, 3); /* from 1 */
    expect(&g, 0, 0, NULL);
    run(&g, 4, 3, 3); /* 1 and 2 are still to come */
    expect(&g, 2, 1, (struct gap[]){{4, 1, 2}});
    run(&g, 9, 7, 7); /* what was between is not known: the device may have been new */
    expect(&g, 2, 1, (struct gap[]){{4, 1, 2}});
    run(&g, 4, 1, 2); /* of an earlier start, after all */
    run(&g, 4, 9, 9); /* and what nobody missed */
    expect(&g, 0, 0, NULL);
    gaps_done(&g);
}

static void test_many(void **unused)
{
    (void)unused;
    struct gaps g = {0};
    for (int64_t s = 0; s <= 200; s += 2)
        gaps_note(&g, 1, s);
    assert_int_equal(g.missing, 100);
    assert_int_equal(g.n, GAPS_MAX);
    assert_int_equal(g.gap[0].from, 201 - 2 * GAPS_MAX);
    run(&g, 1, 0, 200); /* the older ones are not known any more */
    assert_int_equal(g.missing, 100 - GAPS_MAX);
    gaps_note(&g, 1, INT64_MAX);
    assert_int_equal(g.missing, 100 - GAPS_MAX + (uint64_t)INT64_MAX - 201);
    gaps_done(&g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_missing),
        cmocka_unit_test(test_starts),
        cmocka_unit_test(test_many),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
