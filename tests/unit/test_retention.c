/* SPDX-License-Identifier: GPL-3.0-or-later */
/* When the clock is believed enough to delete by it. */
#include "tests/unit/unit.h"

#include "common/clock.h"
#include "services/ingest/retention.h"

#define NOV20 INT64_C(1795132800000)
#define DAY (24 * HOUR_MS)

static void test_believes(void **unused)
{
    (void)unused;
    static const struct {
        int64_t wall, mono; /* since the start */
        int want;
    } table[] = {
        {0, 0, 0},
        {HOUR_MS - 1, HOUR_MS - 1, 0},
        {HOUR_MS, HOUR_MS, 1},
        {100 * DAY, 100 * DAY, 1},
        {100 * DAY + HOUR_MS, 100 * DAY, 1}, /* set right by an hour */
        {-300 * DAY, HOUR_MS, 1},            /* back: deletes less */
        {HOUR_MS + DAY + 1, HOUR_MS, -1},    /* ahead */
        {3650 * DAY, 60000, -1},             /* also in the first hour */
        {3650 * DAY + HOUR_MS, 2 * HOUR_MS, -1},
    };
    struct retention r = {.wall_ms = NOV20, .mono_ms = 5000};
    for (size_t i = 0; i < N_OF(table); i++)
        assert_int_equal(
            retention_believes(&r, NOV20 + table[i].wall, 5000 + table[i].mono),
            table[i].want);
}

static void test_a_boot_in_another_year(void **unused)
{
    (void)unused;
    static const struct {
        int64_t unseen; /* from the newest message to the start */
        int want;
    } table[] = {
        {0, 1},           {RETENTION_UNSEEN_MS, 1}, {RETENTION_UNSEEN_MS + 1, -1},
        {1500 * DAY, -1}, {-1500 * DAY, 1}, /* the log is of 2030, the clock is right */
    };
    for (size_t i = 0; i < N_OF(table); i++) {
        struct retention r = {
            .wall_ms = NOV20, .mono_ms = 5000, .seen_ms = NOV20 - table[i].unseen};
        assert_int_equal(retention_believes(&r, NOV20 + HOUR_MS, 5000 + HOUR_MS),
                         table[i].want);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_believes),
                                       cmocka_unit_test(test_a_boot_in_another_year)};
    return cmocka_run_group_tests_name("retention", tests, NULL, NULL);
}
