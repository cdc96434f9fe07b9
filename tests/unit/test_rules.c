/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The settings of a series: what holds without them, what they change, what is refused.
 */
#include "tests/unit/unit.h"

#include "common/json.h"
#include "services/monitor/rules.h"

static int apply(struct rules *r, const char *quantity, const char *text, struct err *e)
{
    json_t *j = json_loads(text, JSON_DECODE_ANY, NULL);
    assert_non_null(j);
    rules_default(r, quantity, 6, 4);
    int rc = rules_apply(r, quantity, j, e);
    json_decref(j);
    return rc;
}

static void test_defaults(void **state)
{
    (void)state;
    struct rules r;
    rules_default(&r, "temperature_3", 6, 4);
    assert_true(r.forecast && !r.system0);
    assert_true(r.skill_min == 0 && r.error_factor == 3 && r.cooldown_h == 6);
    assert_true(r.per_day == 4 && r.gap_h == 3 && r.stuck_h == 12);
    assert_true(r.mae_12h == 0.6 && r.ewma == 0.7 && r.z == 3);
    rules_default(&r, "motion", 6, 4);
    assert_false(r.forecast);
    rules_default(&r, "never_heard_of", 6, 4);
    assert_false(r.forecast);
    rules_default(&r, "fan_speed", 6, 4);
    assert_true(r.forecast && r.stuck_h == 0);
}

static void test_settings_win(void **state)
{
    (void)state;
    struct rules r;
    struct err e = ERR_INIT;
    assert_ok(
        apply(
            &r, "temperature",
            "{\"preset\":\"system0\",\"thresholds\":{\"mae_12h\":0.3},\"skill_min\":-0.5,"
            "\"cooldown_h\":1.5,\"per_day\":2,\"gap_h\":8,\"stuck_h\":0,\"forecast\":"
            "true,"
            "\"error_factor\":5}",
            &e),
        e);
    assert_true(r.system0 && r.mae_12h == 0.3 && r.ewma == 0.7 && r.skill_min == -0.5);
    assert_true(r.cooldown_h == 1.5 && r.per_day == 2 && r.gap_h == 8 && r.stuck_h == 0);
    assert_true(r.error_factor == 5);
    assert_ok(apply(&r, "motion", "{\"forecast\":true,\"preset\":null}", &e), e);
    assert_true(r.forecast && !r.system0);
    assert_ok(apply(&r, "motion", "{}", &e), e);
    assert_false(r.forecast);
}

/* What PUT answers as "effective" can be PUT again and means the same. */
static void test_round_trip(void **state)
{
    (void)state;
    struct rules r, again;
    struct err e = ERR_INIT;
    assert_ok(apply(&r, "temperature", "{\"preset\":\"system0\",\"skill_min\":0.25}", &e),
              e);
    json_t *j = rules_json(&r);
    rules_default(&again, "temperature", 1, 1);
    assert_ok(rules_apply(&again, "temperature", j, &e), e);
    json_decref(j);
    assert_true(again.system0 && again.skill_min == 0.25 && again.cooldown_h == 6);
    assert_true(again.per_day == 4 && again.stuck_h == 12 && again.forecast);
}

static void test_refusals(void **state)
{
    (void)state;
    static const struct {
        const char *quantity, *text, *why;
    } rows[] = {
        {"temperature", "[1]", "the settings of a series must be a JSON object"},
        {"temperature", "{\"skil_min\":1}",
         "field \"skil_min\" is not a setting of a series"},
        {"temperature", "{\"forecast\":1}", "field \"forecast\" must be true or false"},
        {"temperature", "{\"preset\":\"system1\"}",
         "field \"preset\" must be \"system0\" or null, not \"system1\""},
        {"temperature", "{\"preset\":1}",
         "field \"preset\" must be a string, not a number"},
        {"humidity", "{\"preset\":\"system0\"}",
         "the preset \"system0\" is for temperature; its thresholds are in degrees "
         "Celsius and "
         "mean nothing for humidity"},
        {"temperature", "{\"skill_min\":2}",
         "field \"skill_min\" must be from -100 to 0.99, not 2"},
        {"temperature", "{\"cooldown_h\":-1}",
         "field \"cooldown_h\" must be from 0 to 720, not -1"},
        {"temperature", "{\"per_day\":1.5}",
         "field \"per_day\" must be a whole number, not one with a fraction"},
        {"temperature", "{\"gap_h\":0}", "field \"gap_h\" must be from 1 to 720, not 0"},
        {"temperature", "{\"stuck_h\":2}",
         "field \"stuck_h\" must be 0 (never) or from 3 to 36"},
        {"temperature", "{\"exogenous\":\"a.b\"}",
         "field \"exogenous\" must be an array of at most 8 series"},
        {"temperature", "{\"exogenous\":[\"a.b\",\"garden\"]}",
         "field \"exogenous[1]\" must be the name of a series, like "
         "\"garden.temperature\""},
        {"temperature", "{\"thresholds\":[]}", "field \"thresholds\" must be an object"},
        {"temperature", "{\"thresholds\":{\"mae\":1}}",
         "thresholds: field \"mae\" is not a setting of a series"},
        {"temperature", "{\"thresholds\":{\"z\":0}}",
         "thresholds: field \"z\" must be from 0.1 to 100, not 0"},
    };
    for (size_t i = 0; i < N_OF(rows); i++) {
        struct rules r;
        struct err e = ERR_INIT;
        assert_failed(apply(&r, rows[i].quantity, rows[i].text, &e), e, ERR_INVALID,
                      rows[i].why);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_settings_win),
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_refusals),
    };
    return cmocka_run_group_tests_name("rules", tests, NULL, NULL);
}
