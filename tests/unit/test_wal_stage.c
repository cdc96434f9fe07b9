/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Group commit: nobody sees what is staged; all of it is appended, or none. */
#include "tests/unit/wal_log.h"

static void stage(struct wal *w, int n)
{
    char text[256];
    struct wal_record r = numbered(n, 1000 + n, text);
    wal_stage(w, &r);
}

static void must_flush(struct wal *w)
{
    struct err e = ERR_INIT;
    assert_ok(wal_flush(w, &e), e);
    assert_int_equal(wal_staged(w), 0);
}

static void test_all_at_once(void **unused)
{
    (void)unused;
    struct wal *w = open_log();
    struct wal_reader *r = open_reader(w, "");
    must_flush(w);
    assert_int_equal(wal_end(w), 0);
    for (int n = 0; n < 50; n++)
        stage(w, n);
    must_read(r, 0, 0);
    size_t bytes = wal_staged(w);
    assert_int_equal(wal_end(w), 0);
    must_flush(w);
    assert_int_equal(wal_end(w), bytes);
    must_read(r, 0, 50);
    stage(w, 50); /* goes with what is appended behind it */
    must_append(w, 51, 52);
    assert_int_equal(wal_staged(w), 0);
    assert_int_equal(wal_last_ms(w), 1051);
    must_read(r, 50, 52);
    wal_reader_close(r);
    wal_close(w);
}

/* What is not flushed is not there after a start. */
static void test_lost_unless_flushed(void **unused)
{
    (void)unused;
    struct wal *w = open_log();
    must_append(w, 0, 2);
    stage(w, 2);
    wal_close(w);
    w = open_log();
    struct wal_reader *r = open_reader(w, "");
    must_read(r, 0, 2);
    wal_reader_close(r);
    wal_close(w);
}

static void test_full(void **unused)
{
    (void)unused;
    struct wal *w = open_log();
    struct wal_reader *r = open_reader(w, "influx");
    struct err e = ERR_INIT;
    int n = 0, staged;
    wal_ready(w);
    while (append(w, n, &e) == 0)
        n++;
    assert_int_equal(e.code, ERR_BUSY);
    int64_t end = wal_end(w);
    for (staged = 0; staged < 5; staged++)
        stage(w, n + staged);
    size_t bytes = wal_staged(w);
    for (int i = 0; i < 3; i++) { /* as often as one likes */
        e = (struct err)ERR_INIT;
        assert_int_equal(wal_flush(w, &e), -1);
        assert_int_equal(e.code, ERR_BUSY);
        assert_int_equal(append(w, 1000, &e), -1); /* and it does not stay behind */
        assert_int_equal(wal_staged(w), bytes);
        assert_int_equal(wal_end(w), end);
    }
    must_read(r, 0, n);
    must_commit(r, wal_reader_pos(r));
    must_flush(w);
    must_read(r, n, n + staged);
    wal_reader_close(r);
    wal_close(w);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
int main(void)
{
    log_init("test", LOG_FATAL);
    const struct CMUnitTest tests[] = {T(test_all_at_once), T(test_lost_unless_flushed),
                                       T(test_full)};
    return cmocka_run_group_tests_name("wal_stage", tests, NULL, NULL);
}
