/* SPDX-License-Identifier: GPL-3.0-or-later */
/* From verdicts to one action, as a table; and the bound on trainings under any input. */
#include "tests/unit/unit.h"

#include "common/clock.h"
#include "services/monitor/diagnose.h"

#define NOW INT64_C(1793620800000) /* 2026-11-02T12:00:00Z */
#define NEVER INT64_MIN
#define AGO_H(n) (NOW - (n)*HOUR_MS)
#define DAY_MS (24 * HOUR_MS)
#define TODAY (NOW / DAY_MS)

struct row {
    const char *what;
    int version; /* of the champion; 0: none */
    struct verdicts v;
    struct loop_state loop;
    int hours;
    bool arriving;
    int64_t fleet_left;
    enum reason reason;
    enum held held;
    bool quarantine;
};

static const struct loop_state rested = {.last_asked_ms = NEVER, .change_ms = NEVER};
#define RESTED                                                                           \
    {                                                                                    \
        .last_asked_ms = NEVER, .change_ms = NEVER                                       \
    }
#define ASKED(h, n, lost)                                                                \
    {                                                                                    \
        .change_ms = NEVER, .last_asked_ms = AGO_H(h), .day = TODAY, .asked_today = n,   \
        .losses = lost                                                                   \
    }

static const struct row table[] = {
    {"all is well", 1, {0}, RESTED, 99, false, 9, REASON_NONE, HELD_NOT, false},
    {"23 hours are too few", 0, {0}, RESTED, 23, false, 9, REASON_NONE, HELD_NOT, false},
    {"24 hours: the first training",
     0,
     {0},
     RESTED,
     24,
     false,
     9,
     REASON_FIRST,
     HELD_NOT,
     false},
    {"the first one needs no budget of the fleet",
     0,
     {0},
     RESTED,
     24,
     false,
     0,
     REASON_FIRST,
     HELD_NOT,
     false},
    {"late hours still come",
     0,
     {0},
     RESTED,
     24,
     true,
     9,
     REASON_FIRST,
     HELD_ARRIVING,
     false},
    {"the first one failed a moment ago",
     0,
     {0},
     ASKED(0, 1, 1),
     24,
     false,
     9,
     REASON_FIRST,
     HELD_COOLDOWN,
     false},
    {"and two hours ago",
     0,
     {0},
     ASKED(2, 1, 1),
     24,
     false,
     9,
     REASON_FIRST,
     HELD_NOT,
     false},
    {"a silent newcomer may have its model",
     0,
     {.silent = true},
     RESTED,
     30,
     false,
     9,
     REASON_FIRST,
     HELD_NOT,
     false},
    {"a stuck one may not",
     0,
     {.stuck = true},
     RESTED,
     30,
     false,
     9,
     REASON_FIRST,
     HELD_FAULT,
     true},
    {"skill lost",
     1,
     {.skill_lost = true},
     RESTED,
     99,
     false,
     9,
     REASON_SKILL_LOST,
     HELD_NOT,
     false},
    {"error before skill",
     1,
     {.skill_lost = true, .error_risen = true},
     RESTED,
     99,
     false,
     9,
     REASON_ERROR_RISEN,
     HELD_NOT,
     false},
    {"system0's thresholds",
     1,
     {.system0 = true, .history_grown = true},
     RESTED,
     99,
     false,
     9,
     REASON_SYSTEM0,
     HELD_NOT,
     false},
    {"more history",
     1,
     {.history_grown = true},
     RESTED,
     99,
     false,
     9,
     REASON_HISTORY_GROWN,
     HELD_NOT,
     false},
    {"a stuck sensor is never learned",
     1,
     {.stuck = true, .skill_lost = true},
     RESTED,
     99,
     false,
     9,
     REASON_SKILL_LOST,
     HELD_FAULT,
     true},
    {"nor a silent one",
     1,
     {.silent = true, .history_grown = true},
     RESTED,
     99,
     false,
     9,
     REASON_HISTORY_GROWN,
     HELD_FAULT,
     true},
    {"a broken sensor with good forecasts",
     1,
     {.stuck = true},
     RESTED,
     99,
     false,
     9,
     REASON_NONE,
     HELD_NOT,
     true},
    {"one at a time",
     1,
     {.skill_lost = true},
     {.last_asked_ms = NEVER, .change_ms = NEVER, .open = true},
     99,
     false,
     9,
     REASON_SKILL_LOST,
     HELD_OPEN,
     false},
    {"five hours after the last",
     1,
     {.skill_lost = true},
     ASKED(5, 1, 0),
     99,
     false,
     9,
     REASON_SKILL_LOST,
     HELD_COOLDOWN,
     false},
    {"six hours after",
     1,
     {.skill_lost = true},
     ASKED(6, 1, 0),
     99,
     false,
     9,
     REASON_SKILL_LOST,
     HELD_NOT,
     false},
    {"six hours after a challenger lost",
     1,
     {.skill_lost = true},
     ASKED(6, 1, 1),
     99,
     false,
     9,
     REASON_SKILL_LOST,
     HELD_COOLDOWN,
     false},
    {"twelve hours after",
     1,
     {.skill_lost = true},
     ASKED(12, 1, 1),
     99,
     false,
     9,
     REASON_SKILL_LOST,
     HELD_NOT,
     false},
    {"twenty losses: a week, not a million years",
     1,
     {.skill_lost = true},
     ASKED(168, 0, 20),
     99,
     false,
     9,
     REASON_SKILL_LOST,
     HELD_NOT,
     false},
    {"four today",
     1,
     {.skill_lost = true},
     ASKED(6, 4, 0),
     99,
     false,
     9,
     REASON_SKILL_LOST,
     HELD_BUDGET,
     false},
    {"four yesterday",
     1,
     {.skill_lost = true},
     {.change_ms = NEVER, .last_asked_ms = AGO_H(13), .day = TODAY - 1, .asked_today = 4},
     99,
     false,
     9,
     REASON_SKILL_LOST,
     HELD_NOT,
     false},
    {"the fleet has had its share",
     1,
     {.skill_lost = true},
     RESTED,
     99,
     false,
     0,
     REASON_SKILL_LOST,
     HELD_FLEET,
     false},
    {"a clock that was set back a year",
     1,
     {.skill_lost = true},
     {.change_ms = NEVER, .last_asked_ms = NOW + 365 * DAY_MS},
     99,
     false,
     9,
     REASON_SKILL_LOST,
     HELD_COOLDOWN,
     false},
};

/* Forecasts went bad an hour ago, a day ago, three days ago. */
static void test_follow_ups(void **state)
{
    (void)state;
    struct rules rules;
    struct champion c = {.version = 1};
    struct verdicts bad = {.skill_lost = true}, good = {0};
    struct loop_state l;
    struct diagnosis d;
    rules_default(&rules, "temperature", 6, 4);
    loop_init(&l);
    struct diagnose_in in = {&bad, &c, &rules, &l, 99, false, NOW, 9};
    diagnose(&in, &d);
    assert_int_equal(d.reason, REASON_SKILL_LOST);
    int asked_at[4], n = 0;
    for (int h = 0; h < 200; h++) {
        in.now_ms = NOW + h * HOUR_MS;
        in.v = h ? &good : &bad;
        diagnose(&in, &d);
        if (d.reason == REASON_NONE || d.held != HELD_NOT)
            continue;
        assert_int_equal(d.reason, h ? REASON_FOLLOW_UP : REASON_SKILL_LOST);
        assert_true(n < 4);
        asked_at[n++] = h;
        loop_asked(&l, in.now_ms, 99, d.reason);
        loop_ended(&l, true);
    }
    assert_int_equal(n, 3);
    assert_int_equal(asked_at[1], 24);
    assert_int_equal(asked_at[2], 72);
    assert_true(l.change_ms == INT64_MIN);
}

/* Bad again on the third day: that is a new episode, with follow-ups of its own. */
static void test_an_episode_that_does_not_end(void **state)
{
    (void)state;
    struct loop_state l;
    loop_init(&l);
    loop_asked(&l, NOW, 99, REASON_ERROR_RISEN);
    loop_asked(&l, AGO_H(-12), 99, REASON_ERROR_RISEN);
    assert_true(l.change_ms == NOW && l.follow_ups == 0);
    loop_asked(&l, AGO_H(-30), 99, REASON_ERROR_RISEN); /* serves as the one after 24 h */
    assert_true(l.change_ms == NOW && l.follow_ups == 1);
    loop_asked(&l, AGO_H(-80), 99, REASON_ERROR_RISEN);
    assert_true(l.change_ms == AGO_H(-80) && l.follow_ups == 0);
    loop_asked(&l, AGO_H(-160), 99, REASON_HISTORY_GROWN);
    assert_true(l.change_ms == INT64_MIN && l.follow_ups == 0);
}

static void test_a_baseline_is_tried_again_daily(void **state)
{
    (void)state;
    struct rules rules;
    struct champion c = {.version = 1, .baseline = true};
    struct verdicts v = {0};
    struct loop_state l = ASKED(24, 1, 0);
    struct diagnosis d;
    rules_default(&rules, "temperature", 6, 4);
    struct diagnose_in in = {&v, &c, &rules, &l, 47, false, NOW, 9};
    diagnose(&in, &d);
    assert_int_equal(d.reason, REASON_NONE); /* too short for anything else */
    in.hours = 48;
    diagnose(&in, &d);
    assert_int_equal(d.reason, REASON_BASELINE);
    assert_int_equal(d.held, HELD_NOT);
    l.losses = 1;
    diagnose(&in, &d);
    assert_int_equal(d.held, HELD_COOLDOWN);
    assert_true(d.until_ms == NOW + 24 * HOUR_MS);
    c.baseline = false;
    diagnose(&in, &d);
    assert_int_equal(d.reason, REASON_NONE);
}

/* Without any other reason there is a week more to learn from in the end. */
static void test_a_week_has_passed(void **state)
{
    (void)state;
    struct rules rules;
    struct champion c = {.version = 1};
    struct verdicts v = {0};
    struct loop_state l;
    struct diagnosis d;
    rules_default(&rules, "temperature", 6, 4);
    loop_init(&l);
    struct diagnose_in in = {&v, &c, &rules, &l, 1000, false, NOW, 9};
    diagnose(&in, &d);
    assert_int_equal(d.reason, REASON_NONE); /* never asked: promoted by hand */
    l.last_asked_ms = AGO_H(167);
    diagnose(&in, &d);
    assert_int_equal(d.reason, REASON_NONE);
    l.last_asked_ms = AGO_H(168);
    diagnose(&in, &d);
    assert_int_equal(d.reason, REASON_WEEK);
    assert_int_equal(d.held, HELD_NOT);
    assert_int_equal(reason_find("week_passed"), REASON_WEEK);
}

static void test_table(void **state)
{
    (void)state;
    for (size_t i = 0; i < N_OF(table); i++) {
        const struct row *r = &table[i];
        struct rules rules;
        struct champion c = {.version = r->version};
        rules_default(&rules, "temperature", 6, 4);
        struct diagnose_in in = {&r->v,    &c,          &rules, &r->loop,
                                 r->hours, r->arriving, NOW,    r->fleet_left};
        struct diagnosis d;
        diagnose(&in, &d);
        if (d.reason != r->reason || d.held != r->held || d.quarantine != r->quarantine)
            fail_msg("%s: %s, held by %s, quarantine %d", r->what, reason_name(d.reason),
                     held_name(d.held), d.quarantine);
    }
}

static void test_what_is_not_forecast_is_left_alone(void **state)
{
    (void)state;
    struct rules rules;
    struct champion c = {0};
    struct verdicts v = {.stuck = true};
    struct diagnosis d;
    rules_default(&rules, "motion", 6, 4);
    struct diagnose_in in = {&v, &c, &rules, &rested, 999, false, NOW, 9};
    diagnose(&in, &d);
    assert_int_equal(d.reason, REASON_NONE);
    assert_false(d.quarantine);
}

static void test_the_end_of_a_cooldown_is_told(void **state)
{
    (void)state;
    struct rules rules;
    struct champion c = {.version = 1};
    struct verdicts v = {.skill_lost = true};
    struct loop_state l = ASKED(1, 1, 1);
    struct diagnosis d;
    rules_default(&rules, "temperature", 6, 4);
    struct diagnose_in in = {&v, &c, &rules, &l, 99, false, NOW, 9};
    diagnose(&in, &d);
    assert_int_equal(d.until_ms, NOW + 11 * HOUR_MS);
}

static void test_names(void **state)
{
    (void)state;
    for (int r = 1; r < N_REASONS; r++)
        assert_int_equal(reason_find(reason_name((enum reason)r)), r);
    assert_int_equal(reason_find("none"), REASON_NONE);
    assert_int_equal(reason_find("whatever"), REASON_NONE);
}

/* A thousand days of verdicts, outcomes and lost answers at random: never more than the
 * budget a day, never two asks closer than the wait that was due, never one while a job
 * is open. */
static void test_bounded_under_any_input(void **state)
{
    (void)state;
    srand(42);
    for (int run = 0; run < 50; run++) {
        struct rules rules;
        struct champion c = {.version = run % 5 != 0};
        struct loop_state l;
        int today = 0, asks = 0;
        int64_t day = -1, last = NEVER;
        loop_init(&l);
        rules_default(&rules, "temperature", run % 7, 1 + run % 4);
        int64_t fleet = 1000000;
        for (int64_t now = NOW; now < NOW + 100 * DAY_MS;
             now += (1 + rand() % 90) * 60000) {
            struct verdicts v = {.skill_lost = rand() % 2,
                                 .error_risen = rand() % 3 == 0,
                                 .history_grown = rand() % 2,
                                 .stuck = rand() % 20 == 0};
            struct diagnosis d;
            struct diagnose_in in = {&v,  &c,   &rules, &l, 100, rand() % 9 == 0,
                                     now, fleet};
            if (l.open && rand() % 2) {
                bool promoted = rand() % 3 == 0;
                loop_ended(&l, promoted);
                c.version += promoted;
            }
            int losses = l.losses;
            bool open = l.open;
            diagnose(&in, &d);
            if (d.reason == REASON_NONE || d.held != HELD_NOT)
                continue;
            assert_false(open || v.stuck);
            if (last != NEVER)
                assert_true(now - last >= diagnose_wait_ms(&rules, d.reason, losses));
            if (now / DAY_MS != day)
                today = 0;
            day = now / DAY_MS;
            last = now;
            assert_true(++today <= rules.per_day);
            loop_asked(&l, now, 100, d.reason);
            fleet--;
            asks++;
        }
        assert_true(asks > 0 && asks <= 101 * rules.per_day);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_table),
        cmocka_unit_test(test_follow_ups),
        cmocka_unit_test(test_an_episode_that_does_not_end),
        cmocka_unit_test(test_a_baseline_is_tried_again_daily),
        cmocka_unit_test(test_a_week_has_passed),
        cmocka_unit_test(test_what_is_not_forecast_is_left_alone),
        cmocka_unit_test(test_the_end_of_a_cooldown_is_told),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_bounded_under_any_input),
    };
    return cmocka_run_group_tests_name("diagnose", tests, NULL, NULL);
}
