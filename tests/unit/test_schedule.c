/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which hours the monitor scores: as a table, in hours from some midnight. */
#include "tests/unit/unit.h"

#include "common/clock.h"
#include "services/monitor/schedule.h"

#define T0 INT64_C(1793577600000) /* 2026-11-02T00:00:00Z */
#define H(n) (T0 + (n)*HOUR_MS)
#define NONE (-100000)

static int64_t at(int hour)
{
    return hour == NONE ? NO_HOUR : H(hour);
}

struct row {
    const char *what;
    int scored, rolled_up, born, oldest;
    int n_late;
    int late[3][2];
    int n_due;
    int due[3][2];
};

static const struct row table[] = {
    {"nothing is complete yet", NONE, NONE, NONE, -99, 0, {{0}}, 0, {{0}}},
    {"nothing new", 10, 10, 0, -99, 0, {{0}}, 0, {{0}}},
    {"the first look takes the newest hour", NONE, 10, 0, -99, 0, {{0}}, 1, {{10, 10}}},
    {"an hour closed", 9, 10, 0, -99, 0, {{0}}, 1, {{10, 10}}},
    {"five hours closed while it was away", 5, 10, 0, -99, 0, {{0}}, 1, {{6, 10}}},
    {"its own hour is no late data", 9, 10, 0, -99, 1, {{10, 10}}, 1, {{10, 10}}},
    {"no model: only the newest hour, to show it",
     5,
     10,
     NONE,
     -99,
     0,
     {{0}},
     1,
     {{10, 10}}},
    {"a model since hour 8", 5, 10, 8, -99, 0, {{0}}, 1, {{8, 10}}},
    {"a model from now on", 9, 10, 11, -99, 0, {{0}}, 1, {{10, 10}}},
    {"late data touch 24 hours more",
     50,
     50,
     0,
     -99,
     1,
     {{10, 12}},
     2,
     {{10, 36}, {50, 50}}},
    {"as far as there are hours", 50, 50, 0, -99, 1, {{40, 41}}, 1, {{40, 50}}},
    {"late and new together", 49, 50, 0, -99, 1, {{5, 5}}, 2, {{5, 29}, {50, 50}}},
    {"late data from before the model",
     50,
     50,
     20,
     -99,
     1,
     {{0, 3}},
     2,
     {{20, 27}, {50, 50}}},
    {"late data that no model could know", 50, 50, 45, -99, 1, {{0, 3}}, 1, {{50, 50}}},
    {"late data without a model", 50, 50, NONE, -99, 1, {{0, 3}}, 1, {{50, 50}}},
    {"two late spans meet",
     90,
     90,
     0,
     -99,
     2,
     {{30, 30}, {10, 12}},
     2,
     {{10, 54}, {90, 90}}},
    {"two do not",
     90,
     90,
     0,
     -99,
     2,
     {{50, 50}, {10, 12}},
     3,
     {{10, 36}, {50, 74}, {90, 90}}},
    {"older than is scored again", 90, 90, 0, 20, 1, {{1, 3}}, 2, {{20, 27}, {90, 90}}},
    {"written ahead of what is complete", 50, 50, 0, -99, 1, {{51, 51}}, 1, {{50, 50}}},
};

static void test_table(void **state)
{
    (void)state;
    for (size_t i = 0; i < N_OF(table); i++) {
        const struct row *r = &table[i];
        struct span late[3], due[5];
        for (int k = 0; k < r->n_late; k++)
            late[k] = (struct span){at(r->late[k][0]), at(r->late[k][1])};
        struct schedule_in in = {at(r->scored), at(r->rolled_up),
                                 at(r->born),   at(r->oldest),
                                 late,          (size_t)r->n_late};
        size_t n = schedule_due(&in, due);
        if (n != (size_t)r->n_due)
            fail_msg("%s: %zu spans", r->what, n);
        for (size_t k = 0; k < n; k++)
            if (due[k].from != at(r->due[k][0]) || due[k].to != at(r->due[k][1]))
                fail_msg("%s: span %zu is %lld..%lld", r->what, k,
                         (long long)((due[k].from - T0) / HOUR_MS),
                         (long long)((due[k].to - T0) / HOUR_MS));
    }
}

static void test_pieces(void **state)
{
    (void)state;
    struct span s = {H(0), H(49)}, p;
    assert_true(schedule_piece(&s, 0, &p));
    assert_true(p.from == H(26) && p.to == H(49));
    assert_true(schedule_piece(&s, 1, &p));
    assert_true(p.from == H(2) && p.to == H(25));
    assert_true(schedule_piece(&s, 2, &p));
    assert_true(p.from == H(0) && p.to == H(1));
    assert_false(schedule_piece(&s, 3, &p));
    s = (struct span){H(7), H(7)};
    assert_true(schedule_piece(&s, 0, &p));
    assert_true(p.from == H(7) && p.to == H(7));
    assert_false(schedule_piece(&s, 1, &p));
}

/* Whatever comes in: spans are sorted, apart, inside the limits, and cover what is new.
 */
static void test_any_input(void **state)
{
    (void)state;
    srand(7);
    for (int round = 0; round < 20000; round++) {
        struct span late[8], due[10];
        int scored = rand() % 100, up = scored + rand() % 5, born = rand() % 120;
        struct schedule_in in = {H(scored), H(up), H(born),
                                 H(20),     late,  (size_t)(rand() % 9)};
        for (size_t i = 0; i < in.n_late; i++) {
            int from = rand() % 100;
            late[i] = (struct span){H(from), H(from + rand() % 30)};
        }
        size_t n = schedule_due(&in, due);
        assert_true(n <= in.n_late + 2);
        for (size_t i = 0; i < n; i++) {
            assert_true(due[i].from <= due[i].to && due[i].to <= H(up));
            assert_true(!i || due[i].from > due[i - 1].to + HOUR_MS);
        }
        for (int h = scored + 1; h <= up; h++)
            if (h >= born && h >= 20)
                assert_true(spans_have(due, n, H(h)));
        if (n)
            assert_true(spans_have(due, n, H(up)));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_table),
        cmocka_unit_test(test_pieces),
        cmocka_unit_test(test_any_input),
    };
    return cmocka_run_group_tests_name("schedule", tests, NULL, NULL);
}
