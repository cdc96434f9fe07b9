/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/unit/unit.h"

#include <math.h>
#include <pthread.h>

#include "common/clock.h"
#include "common/pg.h"

#define NOWHERE "host=127.0.0.1 port=1 dbname=none"

static void test_arguments_as_text(void **state)
{
    (void)state;
    assert_string_equal(pg_int(INT64_MIN).number, "-9223372036854775808");
    assert_string_equal(pg_real(0.1).number, "0.10000000000000001");
    assert_string_equal(pg_real(INFINITY).number, "Infinity");
    assert_string_equal(pg_real(-INFINITY).number, "-Infinity");
    assert_string_equal(pg_time(1795132800123).number, "2026-11-20T00:00:00.123Z");
    assert_null(pg_text(NULL).text);
    /* NULL is an argument with neither text nor length */
    assert_int_equal(pg_real(NAN).len, 0);
    assert_int_not_equal(pg_real(0).len, 0);
    struct pg_arg b = pg_bytes("\0\1", 2);
    assert_true(b.binary);
    assert_int_equal(b.len, 2);
}

static void test_away_is_said_and_costs_no_time(void **state)
{
    (void)state;
    struct pg *p = pg_new(NOWHERE);
    struct err e = ERR_INIT;
    struct pg_rows *r;
    int64_t began = clock_mono_ms();
    for (int i = 0; i < 5; i++) {
        assert_int_equal(pg_exec(p, "SELECT 1", PG_NONE, &r, &e), -1);
        assert_int_equal(e.code, ERR_UNAVAILABLE);
        assert_non_null(strstr(e.text, "could not connect to postgres: "));
        assert_null(strchr(e.text, '\n'));
        assert_null(r);
    }
    assert_in_range(clock_mono_ms() - began, 0, 2000);
    assert_int_equal(pg_begin(p, &e), -1);
    assert_failed(pg_commit(p, &e), e, ERR_INTERNAL,
                  "postgres: there is no whole transaction to commit");
    pg_rollback(p); /* nothing to undo */
    assert_int_equal(pg_check_schema(p, &e), -1);
    assert_int_equal(e.code, ERR_UNAVAILABLE);
    assert_int_equal(pg_listen(p, "channel", &e), -1);
    assert_int_equal(pg_wait_notify(p, 10, &e), -1);
    pg_free(p);
}

static void test_conninfo(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    assert_ok(pg_check_conninfo("host=a dbname=b password='x y'", &e), e);
    assert_ok(pg_check_conninfo("postgresql://user:pw@host:5432/db", &e), e);
    static const char *const bad[] = {"this is none", "hots=a", "host=a password='x"};
    for (size_t i = 0; i < N_OF(bad); i++)
        assert_failed(pg_check_conninfo(bad[i], &e), e, ERR_INVALID,
                      "FC_PG_CONNINFO must be \"key=value ...\" or an address "
                      "\"postgresql://...\", as libpq reads them");
}

static void *give_back(void *arg)
{
    void **two = arg;
    clock_sleep_ms(50);
    pg_pool_put(two[0], two[1]);
    return NULL;
}

static void test_pool_waits_for_a_free_one(void **state)
{
    (void)state;
    struct pg_pool *pool = pg_pool_new(NOWHERE, 2);
    struct err e = ERR_INIT;
    struct pg *a = pg_pool_get(pool, &e), *b = pg_pool_get(pool, &e);
    assert_non_null(a);
    assert_non_null(b);
    assert_ptr_not_equal(a, b);
    pthread_t t;
    void *two[] = {pool, a};
    assert_int_equal(pthread_create(&t, NULL, give_back, two), 0);
    assert_ptr_equal(pg_pool_get(pool, &e), a);
    pthread_join(t, NULL);
    pg_pool_put(pool, a);
    pg_pool_put(pool, b);
    pg_pool_free(pool);
}

static void test_batches_have_a_limit(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    struct pg *p = pg_new(NOWHERE);
    json_t *rows = json_array();
    assert_ok(pg_exec_batch(p, "SELECT 1", rows, "rows", &e), e);
    char *text = malloc(1 << 20);
    memset(text, 'x', (1 << 20) - 1);
    text[(1 << 20) - 1] = '\0';
    for (int i = 0; i < 33; i++)
        json_array_append_new(rows, json_string(text));
    assert_int_equal(pg_exec_batch(p, "SELECT 1", rows, "decisions", &e), -1);
    assert_int_equal(e.code, ERR_TOO_LARGE);
    assert_string_equal(e.text, "33 decisions make more than 33554432 bytes");
    free(text);
    json_decref(rows);
    pg_free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_arguments_as_text),
        cmocka_unit_test(test_away_is_said_and_costs_no_time),
        cmocka_unit_test(test_conninfo),
        cmocka_unit_test(test_pool_waits_for_a_free_one),
        cmocka_unit_test(test_batches_have_a_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
