/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/unit/unit.h"

#include <math.h>

#include "services/trainer/settings.h"
#include "services/trainer/verify.h"

static void test_csv_has_every_digit_and_every_hour(void **state)
{
    (void)state;
    struct hours h;
    struct err e = ERR_INIT;
    struct buf b;
    buf_init(&b, 4096);
    assert_ok(hours_init(&h, 1795132800, 3, &e), e);
    h.y[0] = 0.1 + 0.2;
    h.y[2] = -1e-7;
    assert_int_equal(verify_csv(&b, "kitchen.temperature", &h), 0);
    assert_string_equal(b.data, "series,time,value\n"
                                "kitchen.temperature,2026-11-20T00:00:00.000Z,"
                                "0.30000000000000004\n"
                                "kitchen.temperature,2026-11-20T01:00:00.000Z,\n"
                                "kitchen.temperature,2026-11-20T02:00:00.000Z,-1e-07\n");
    hours_done(&h);
    buf_done(&b);
}

static void test_csv_says_when_it_does_not_fit(void **state)
{
    (void)state;
    struct hours h;
    struct err e = ERR_INIT;
    struct buf b;
    buf_init(&b, 64);
    assert_ok(hours_init(&h, 0, 24, &e), e);
    assert_int_equal(verify_csv(&b, "a.b", &h), -1);
    hours_done(&h);
    buf_done(&b);
}

static void test_settings(void **state)
{
    (void)state;
    struct trainer_settings s = {0};
    struct err e = ERR_INIT;
    unsetenv("FC_PG_CONNINFO");
    unsetenv("FC_PG_CONNINFO_FILE");
    assert_int_equal(trainer_settings_load(&s, &e), -1);
    assert_non_null(strstr(e.text, "FC_PG_CONNINFO is not set: Postgres"));
    trainer_settings_done(&s);
    setenv("FC_PG_CONNINFO", "host=x", 1);
    s = (struct trainer_settings){0};
    assert_ok(trainer_settings_load(&s, &e), e);
    assert_in_range(s.workers, 1, 64); /* the cores */
    assert_int_equal(s.common.http_port, 8102);
    trainer_settings_done(&s);
    setenv("FC_TRAIN_LEASE_S", "1", 1);
    s = (struct trainer_settings){0};
    assert_int_equal(trainer_settings_load(&s, &e), -1);
    assert_non_null(strstr(e.text, "FC_TRAIN_LEASE_S"));
    trainer_settings_done(&s);
    unsetenv("FC_TRAIN_LEASE_S");
    unsetenv("FC_PG_CONNINFO");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_csv_has_every_digit_and_every_hour),
        cmocka_unit_test(test_csv_says_when_it_does_not_fit),
        cmocka_unit_test(test_settings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
