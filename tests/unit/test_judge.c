/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The fleet, and one series at the newest hour: what it wants done, once. */
#include "tests/unit/unit.h"

#include <math.h>

#include "common/clock.h"
#include "common/json.h"
#include "services/monitor/fleet.h"
#include "services/monitor/judge.h"
#include "services/monitor/load.h"

#define HOUR INT64_C(1793620800000) /* 2026-11-02T12:00:00Z */

struct world {
    struct fleet fleet;
    struct tracked *t;
    struct cell cell;
    struct actions a;
    int64_t left;
};

static int open_world(void **state)
{
    struct world *w = calloc(1, sizeof *w);
    fleet_init(&w->fleet);
    w->t = fleet_add(&w->fleet, "kitchen.temperature");
    rules_default(&w->t->rules, w->t->quantity, 6, 4);
    w->t->champion->version = 3;
    w->t->champion->rows = 1000;
    strcpy(w->t->algorithm, "ridge");
    w->left = 10;
    actions_init(&w->a);
    *state = w;
    return 0;
}

static int close_world(void **state)
{
    struct world *w = *state;
    actions_done(&w->a);
    fleet_done(&w->fleet);
    free(w);
    return 0;
}

/* Truth up by 1 an hour, forecasts off by error. */
static void fill(struct world *w, double error)
{
    window_init(&w->cell.w);
    for (int i = 0; i < WINDOW_HOURS; i++) {
        w->cell.w.y[i] = i;
        w->cell.w.yhat[i] = i + error;
        w->cell.w.version[i] = 3;
    }
    w->cell.t = w->t;
    w->cell.next = *w->t;
    w->cell.next.last_hour = HOUR;
    w->cell.next.last_value = 47;
    w->cell.next.live = true;
}

static bool run_while(struct world *w, int64_t hour, bool arriving, bool jumped)
{
    struct judge_in in = {.hour = hour,
                          .now_ms = hour + HOUR_MS,
                          .arriving = arriving,
                          .jumped = jumped,
                          .fleet_left = &w->left};
    return judge(&w->cell, &in, &w->a);
}

static bool run(struct world *w, int64_t hour)
{
    return run_while(w, hour, false, false);
}

static const char *text(const json_t *rows, size_t i, const char *key)
{
    return json_string_value(json_object_get(json_array_get(rows, i), key));
}

static void test_all_is_well(void **state)
{
    struct world *w = *state;
    fill(w, 0.1);
    assert_false(run(w, HOUR));
    assert_int_equal(json_array_size(w->a.decisions), 0);
    assert_int_equal(json_array_size(w->a.firing), 0);
}

static void test_skill_lost_asks_and_alerts_once(void **state)
{
    struct world *w = *state;
    fill(w, 2);
    assert_true(run(w, HOUR));
    assert_int_equal(w->left, 9);
    assert_string_equal(text(w->a.decisions, 0, "kind"), "retrain");
    assert_string_equal(text(w->a.decisions, 0, "reason"), "skill_lost");
    assert_string_equal(text(w->a.firing, 0, "alert_id"),
                        "skill_lost:kitchen.temperature:1793620800");
    assert_string_equal(text(w->a.firing, 0, "sensor_id"), "kitchen");
    const json_t *proof = json_object_get(json_array_get(w->a.decisions, 0), "evidence");
    assert_float_equal(
        json_real_value(json_object_get(json_object_get(proof, "quality"), "skill_24h")),
        -1, 1e-12);
    assert_null(w->t->alert_id[ALERT_SKILL]); /* nothing has changed yet */
    judge_take(&w->cell);
    assert_true(w->t->unsent && w->t->loop.open && w->t->asked_for == REASON_SKILL_LOST);
    fill(w, 2); /* the next hour */
    assert_false(run(w, HOUR + HOUR_MS));
    assert_int_equal(json_array_size(w->a.firing), 1);
    fill(w, 0.1); /* good again */
    assert_false(run(w, HOUR + 2 * HOUR_MS));
    assert_string_equal(json_string_value(json_array_get(w->a.resolved, 0)),
                        "skill_lost:kitchen.temperature:1793620800");
    judge_take(&w->cell);
    assert_int_equal(tracked_alerts(w->t), 0);
}

static void test_bad_luck_asks_and_disturbs_nobody(void **state)
{
    struct world *w = *state;
    fill(w, 0);
    for (int i = 0; i < WINDOW_HOURS; i += 2)
        w->cell.w.yhat[i] += 3; /* skill -0.5, but of 24 hours 12 were perfect */
    assert_true(run(w, HOUR));
    assert_string_equal(text(w->a.decisions, 0, "reason"), "skill_lost");
    assert_int_equal(json_array_size(w->a.firing), 0);
}

static void test_a_failed_commit_changes_nothing(void **state)
{
    struct world *w = *state;
    fill(w, 2);
    assert_true(run(w, HOUR));
    judge_drop(&w->cell);
    assert_int_equal(tracked_alerts(w->t), 0);
    assert_false(w->t->unsent || w->t->loop.open);
}

static void test_silence_quarantines_and_releases(void **state)
{
    struct world *w = *state;
    fill(w, 0.1);
    for (int i = WINDOW_HOURS - 5; i < WINDOW_HOURS; i++)
        w->cell.w.y[i] = NAN;
    w->cell.next.last_hour = HOUR - 5 * HOUR_MS;
    assert_false(run(w, HOUR));
    assert_string_equal(text(w->a.states, 0, "state"), "quarantined");
    assert_string_equal(text(w->a.decisions, 0, "kind"), "quarantine");
    assert_string_equal(text(w->a.decisions, 0, "reason"), "sensor_silent");
    assert_string_equal(text(w->a.firing, 0, "type"), "sensor_silent");
    judge_take(&w->cell);
    assert_string_equal(tracked_state(w->t), "quarantined");
    fill(w, 0.1);
    assert_false(run(w, HOUR));
    judge_take(&w->cell);
    assert_string_equal(tracked_state(w->t), "active");
    assert_string_equal(text(w->a.decisions, 1, "kind"), "release");
    assert_int_equal(json_array_size(w->a.resolved), 1);
}

/* As if nothing had come for five hours. */
static void fill_silent(struct world *w)
{
    fill(w, 0.1);
    for (int i = WINDOW_HOURS - 5; i < WINDOW_HOURS; i++)
        w->cell.w.y[i] = NAN;
    w->cell.next.last_hour = HOUR - 5 * HOUR_MS;
}

static void test_no_silence_begins(void **state)
{
    struct world *w = *state;
    static const struct {
        bool live, arriving, jumped, begins;
    } rows[] = {
        {false, false, false, false}, /* only its past was ever heard */
        {true, true, false, false},   /* its past comes in just now */
        {true, false, true, false},   /* nobody had listened */
        {true, false, false, true},
    };
    for (size_t i = 0; i < N_OF(rows); i++) {
        fill_silent(w);
        w->cell.next.live = rows[i].live;
        run_while(w, HOUR, rows[i].arriving, rows[i].jumped);
        assert_int_equal(json_array_size(w->a.firing), rows[i].begins);
        assert_int_equal(json_array_size(w->a.states), rows[i].begins);
        assert_int_equal(w->cell.next.waiting, rows[i].arriving); /* looked at again */
        judge_take(&w->cell);
    }
}

static void test_the_past_does_not_end_a_silence(void **state)
{
    struct world *w = *state;
    fill_silent(w);
    run(w, HOUR);
    judge_take(&w->cell);
    fill_silent(w);
    w->cell.w.y[WINDOW_HOURS - 4] = 3; /* one of its hours came after all */
    w->cell.next.last_hour = HOUR - 4 * HOUR_MS;
    run_while(w, HOUR, true, false);
    judge_take(&w->cell);
    assert_int_equal(json_array_size(w->a.firing), 1);
    assert_int_equal(json_array_size(w->a.resolved), 0);
    assert_string_equal(tracked_state(w->t), "quarantined");
    fill(w, 0.1); /* and now it is back */
    run_while(w, HOUR, true, false);
    judge_take(&w->cell);
    assert_int_equal(json_array_size(w->a.resolved), 1);
    assert_string_equal(tracked_state(w->t), "active");
}

static void test_no_alarm_while_the_past_arrives(void **state)
{
    struct world *w = *state;
    fill(w, 2);
    for (int i = WINDOW_HOURS - 13; i < WINDOW_HOURS; i++)
        w->cell.w.y[i] = 7; /* stuck, and badly forecast */
    assert_false(run_while(w, HOUR, true, false));
    assert_true(w->cell.next.waiting);
    assert_int_equal(json_array_size(w->a.firing) + json_array_size(w->a.states), 0);
    judge_take(&w->cell);
    w->cell.next = *w->t;
    run(w, HOUR); /* it has stopped */
    assert_false(w->cell.next.waiting);
    assert_string_equal(text(w->a.firing, 0, "type"), "sensor_stuck");
    judge_take(&w->cell);
    assert_string_equal(tracked_state(w->t), "quarantined");
}

static void test_what_is_switched_off_is_silent(void **state)
{
    struct world *w = *state;
    w->t->rules.forecast = false;
    w->t->disabled = true;
    fill(w, 2);
    w->cell.next.last_hour = HOUR - 50 * HOUR_MS;
    assert_false(run(w, HOUR));
    assert_int_equal(json_array_size(w->a.firing) + json_array_size(w->a.decisions) +
                         json_array_size(w->a.states),
                     0);
}

static void test_remembered(void **state)
{
    struct world *w = *state;
    loop_asked(&w->t->loop, HOUR, 99, REASON_ERROR_RISEN);
    w->t->job = 17;
    json_t *row = remember_json(w->t), *checks = json_object_get(row, "checks");
    assert_int_equal(json_integer_value(json_object_get(checks, "job")), 17);
    assert_true(json_integer_value(json_object_get(checks, "change")) == HOUR);
    assert_true(json_integer_value(json_object_get(row, "last_asked")) == HOUR);
    assert_int_equal(json_integer_value(json_object_get(row, "asked_today")), 1);
    assert_true(json_is_null(json_object_get(row, "last_hour")));
    assert_true(json_is_null(json_object_get(row, "last_value")));
    json_decref(row);
}

/* Names whose order as text is not that of their devices. */
static void test_fleet(void **state)
{
    struct world *w = *state;
    static const char *const names[] = {"a-b.x", "a.y", "a.x", "a_b.x", "a1.x", "A.x"};
    size_t first;
    for (size_t i = 0; i < N_OF(names); i++)
        fleet_add(&w->fleet, names[i]);
    fleet_sort(&w->fleet);
    for (size_t i = 0; i < N_OF(names); i++)
        assert_string_equal(fleet_find(&w->fleet, names[i])->name, names[i]);
    assert_null(fleet_find(&w->fleet, "a.z"));
    assert_null(fleet_find(&w->fleet, ""));
    assert_int_equal(fleet_device(&w->fleet, "a", &first), 2);
    assert_string_equal(w->fleet.all[first]->name, "a.x");
    assert_string_equal(w->fleet.all[first + 1]->name, "a.y");
    assert_int_equal(fleet_device(&w->fleet, "a-b", &first), 1);
    assert_int_equal(fleet_device(&w->fleet, "b", &first), 0);
    assert_int_equal(fleet_after(&w->fleet, ""), 0);
    assert_int_equal(fleet_after(&w->fleet, "zzz"), N_OF(names) + 1);
    char device[DEVICE_MAX + 1];
    assert_string_equal(tracked_device(fleet_find(&w->fleet, "a-b.x"), device), "a-b");
    assert_string_equal(fleet_find(&w->fleet, "a-b.x")->quantity, "x");
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, open_world, close_world)
    const struct CMUnitTest tests[] = {
        TEST(test_all_is_well),
        TEST(test_skill_lost_asks_and_alerts_once),
        TEST(test_bad_luck_asks_and_disturbs_nobody),
        TEST(test_a_failed_commit_changes_nothing),
        TEST(test_silence_quarantines_and_releases),
        TEST(test_no_silence_begins),
        TEST(test_the_past_does_not_end_a_silence),
        TEST(test_no_alarm_while_the_past_arrives),
        TEST(test_what_is_switched_off_is_silent),
        TEST(test_remembered),
        TEST(test_fleet),
    };
    return cmocka_run_group_tests_name("judge", tests, NULL, NULL);
}
