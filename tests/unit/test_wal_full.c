/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What bounds the log: segments that are closed and deleted by size and by age, and when
 * it takes nothing more, whose fault that is. */
#include "tests/unit/wal_log.h"

#include <signal.h>
#include <sys/resource.h>

#define HOUR INT64_C(3600000)
#define DAY (24 * HOUR)
#define T0 INT64_C(1793577600000) /* 2026-11-02T00:00:00Z */

static void must_append_at(struct wal *w, int n, int64_t t_ms)
{
    struct err e = ERR_INIT;
    if (append_at(w, n, t_ms, &e))
        fail_msg("%s", e.text);
}

static void test_segments_are_closed_by_age(void **unused)
{
    (void)unused;
    opts.segment_ms = HOUR;
    struct wal *w = open_log();
    must_append_at(w, 0, T0);
    must_append_at(w, 1, T0 + HOUR - 1);
    assert_int_equal(count_files(".log"), 1);
    must_append_at(w, 2, T0 + HOUR);
    assert_int_equal(count_files(".log"), 2);
    must_append_at(w, 3, T0 + 20 * DAY); /* a clock that ran ahead */
    assert_int_equal(count_files(".log"), 3);
    must_append_at(w, 4, T0 + 2 * HOUR); /* and was set back */
    must_append_at(w, 5, T0 + 3 * HOUR - 1);
    assert_int_equal(count_files(".log"), 3);
    wal_close(w);
    w = open_log(); /* the age of the newest segment is known again */
    assert_int_equal(wal_last_ms(w), T0 + 3 * HOUR - 1);
    must_append_at(w, 6, T0 + 20 * DAY + 1);
    assert_int_equal(count_files(".log"), 3);
    must_append_at(w, 7, T0 + 20 * DAY + HOUR);
    assert_int_equal(count_files(".log"), 4);
    struct wal_reader *r = open_reader(w, "");
    must_read(r, 0, 8);
    wal_reader_close(r);
    wal_close(w);
}

static void test_what_all_have_is_deleted_by_age(void **unused)
{
    (void)unused;
    opts.segment_ms = HOUR;
    opts.segment_bytes = 1 << 20;
    opts.max_bytes = 4 << 20;
    struct wal *w = open_log();
    struct wal_reader *r = open_reader(w, "influx");
    wal_ready(w);
    for (int n = 0; n < 48; n++)
        must_append_at(w, n, T0 + n * HOUR);
    must_read(r, 0, 48);
    assert_int_equal(count_files(".log"), 48); /* nobody committed */
    must_commit(r, wal_reader_pos(r));
    /* the newest came at 47 h; what has a successor that began at 23 h or before is gone
     */
    assert_int_equal(count_files(".log"), 25);
    wal_reader_close(r);
    wal_close(w);
    w = open_log(); /* the ages of segments are known again */
    r = open_reader(w, "influx");
    must_append_at(w, 48, T0 + 58 * HOUR);
    must_commit(r, wal_end(w));
    assert_int_equal(count_files(".log"), 26); /* not yet wal_ready() */
    wal_ready(w);
    assert_int_equal(count_files(".log"), 15);
    wal_reader_close(r);
    wal_close(w);
}

static void test_what_is_old_goes_though_nothing_comes(void **unused)
{
    (void)unused;
    opts.segment_ms = HOUR;
    opts.segment_bytes = 1 << 20;
    opts.max_bytes = 4 << 20;
    struct wal *w = open_log();
    struct wal_reader *influx = open_reader(w, "influx"),
                      *kafka = open_reader(w, "kafka");
    wal_ready(w);
    for (int n = 0; n < 10; n++)
        must_append_at(w, n, T0 + n * HOUR);
    int64_t half = wal_end(w);
    for (int n = 10; n < 20; n++)
        must_append_at(w, n, T0 + n * HOUR);
    must_commit(influx, wal_end(w));
    must_commit(kafka, half);
    wal_tidy(w, T0 + 30 * HOUR); /* older than a day is what was closed at 6 h */
    assert_int_equal(count_files(".log"), 14);
    wal_tidy(w, T0); /* a clock that was set back */
    assert_int_equal(count_files(".log"), 14);
    wal_tidy(w, T0 + 90 * HOUR);
    assert_int_equal(count_files(".log"), 10); /* Kafka has not got them */
    must_commit(kafka, wal_end(w));
    assert_int_equal(count_files(".log"), 10);
    wal_tidy(w, T0 + 90 * HOUR);
    assert_int_equal(count_files(".log"), 1); /* the newest, for the duplicates */
    must_append_at(w, 20, T0 + 91 * HOUR);
    wal_reader_close(influx);
    wal_reader_close(kafka);
    wal_close(w);
}

static void test_nothing_is_deleted_before_all_readers_are_there(void **unused)
{
    (void)unused;
    struct wal *w = open_log();
    struct wal_reader *influx = open_reader(w, "influx"),
                      *kafka = open_reader(w, "kafka");
    wal_ready(w);
    must_append(w, 0, 200);
    must_commit(influx, wal_end(w));
    wal_reader_close(influx);
    wal_reader_close(kafka);
    wal_close(w);
    w = open_log();
    influx = open_reader(w, "influx");
    must_commit(influx, wal_end(w));
    kafka = open_reader(w, "kafka");
    wal_ready(w);
    must_read(kafka, 0, 200);
    wal_reader_close(influx);
    wal_reader_close(kafka);
    wal_close(w);
}

static void test_a_sink_that_is_switched_off_holds_nothing(void **unused)
{
    (void)unused;
    struct wal *w = open_log();
    struct wal_reader *influx = open_reader(w, "influx"),
                      *kafka = open_reader(w, "kafka");
    wal_ready(w);
    must_append(w, 0, 200);
    wal_reader_close(influx);
    wal_reader_close(kafka);
    wal_close(w);
    w = open_log(); /* without Kafka */
    influx = open_reader(w, "influx");
    wal_ready(w);
    must_commit(influx, wal_end(w));
    assert_int_equal(count_files(".log"), 2);
    assert_int_equal(count_files("kafka.cursor"), 1);
    int64_t first = wal_first(w);
    assert_true(first > 0);
    wal_reader_close(influx);
    wal_close(w);
    w = open_log(); /* with it again: from the oldest record there is */
    kafka = open_reader(w, "kafka");
    assert_int_equal(wal_reader_pos(kafka), first);
    wal_reader_close(kafka);
    wal_close(w);
}

static void test_too_large_names_the_sink(void **unused)
{
    (void)unused;
    struct err e = ERR_INIT;
    opts.max_bytes = 3 << 20;
    opts.segment_bytes = 1 << 20;
    struct wal *w = open_log();
    struct wal_reader *influx = open_reader(w, "influx"),
                      *kafka = open_reader(w, "kafka");
    wal_ready(w);
    int n = 0;
    for (; append(w, n, &e) == 0; n++)
        if (n == 5000)
            must_commit(kafka, wal_end(w));
    must_commit(influx, wal_end(w));
    e = (struct err)ERR_INIT;
    assert_failed(
        append(w, n, &e), e, ERR_BUSY,
        "the log is full: it holds 3.0 of 3.0 MB (FC_LOG_MAX_MB), too much for one "
        "message more; the sink kafka has 2.3 MB of it still to get: see in /readyz and "
        "the log what it waits for, "
        "or set FC_LOG_MAX_MB higher");
    must_commit(kafka, wal_end(w));
    must_append(w, n, n + 1);
    wal_reader_close(influx);
    wal_reader_close(kafka);
    wal_close(w);
}

/* What is asked for is room for the largest record, and asking changes nothing. */
static void test_a_try(void **unused)
{
    (void)unused;
    struct err e = ERR_INIT;
    opts.max_bytes = 3 << 20;
    opts.segment_bytes = 1 << 20;
    struct wal *w = open_log();
    struct wal_reader *r = open_reader(w, "influx");
    wal_ready(w);
    must_append(w, 0, 10);
    int64_t end = wal_end(w);
    assert_ok(wal_try(w, T0, &e), e);
    assert_int_equal(wal_end(w), end);
    char path[160];
    segment_path(0, path);
    assert_int_equal(file_size(path), end);
    int n = 10;
    while (append(w, n, &e) == 0)
        n++;
    e = (struct err)ERR_INIT;
    assert_int_equal(wal_try(w, T0, &e), -1);
    assert_int_equal(e.code, ERR_BUSY);
    assert_non_null(strstr(e.text, "the log is full: it holds 3.0 of 3.0 MB"));
    must_commit(r, wal_end(w));
    assert_ok(wal_try(w, T0, &e), e);
    must_append(w, n, n + 1);
    wal_reader_close(r);
    wal_close(w);
    w = open_log();
    assert_int_equal(count_files(".torn"), 0);
    wal_close(w);
}

/* The limit to a file's size stands for a full disk. */
static void test_a_try_on_a_full_disk(void **unused)
{
    (void)unused;
    struct err e = ERR_INIT;
    struct rlimit was, small = {.rlim_cur = 100000};
    opts.max_bytes = 4 << 20;
    signal(SIGXFSZ, SIG_IGN);
    struct wal *w = open_log();
    must_append(w, 0, 1);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &was), 0);
    small.rlim_max = was.rlim_max;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    int rc = wal_try(w, T0, &e);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &was), 0);
    assert_int_equal(rc, -1);
    assert_int_equal(e.code, ERR_UNAVAILABLE);
    assert_non_null(strstr(e.text, "could not write to the log in "));
    e = (struct err)ERR_INIT;
    assert_ok(wal_try(w, T0, &e), e);
    wal_close(w);
}

static void test_too_old_names_the_sink(void **unused)
{
    (void)unused;
    struct err e = ERR_INIT;
    opts.segment_ms = HOUR;
    opts.max_age_ms = 30 * DAY;
    struct wal *w = open_log();
    struct wal_reader *influx = open_reader(w, "influx"),
                      *kafka = open_reader(w, "kafka");
    wal_ready(w);
    must_append_at(w, 0, T0);
    must_commit(influx, wal_end(w));
    int64_t second = wal_end(w);
    must_append_at(w, 1, T0 + 29 * DAY);
    must_append_at(w, 2, T0 + 30 * DAY - 1);
    must_commit(influx, wal_end(w));
    assert_failed(append_at(w, 3, T0 + 31 * DAY, &e), e, ERR_BUSY,
                  "the log is full: the sink kafka has not got what came since "
                  "2026-11-02T00:00:00.000Z, 31 days ago; FC_LOG_MAX_AGE_D is 30: see in "
                  "/readyz and the log what it waits for, or set FC_LOG_MAX_AGE_D higher "
                  "(0: no limit)");
    struct wal_reader *again = open_reader(w, "");
    must_read(again, 0, 3); /* it was not taken, and nothing was deleted */
    wal_reader_close(again);
    must_commit(kafka, second); /* what it waits for now is two days old */
    must_append_at(w, 3, T0 + 31 * DAY);
    assert_int_equal(append_at(w, 4, T0 + 59 * DAY, &e), -1);
    must_commit(kafka, wal_end(w));
    assert_int_equal(append_at(w, 4, T0 + 90 * DAY, &e), -1); /* now InfluxDB */
    assert_non_null(
        strstr(e.text, "the sink influx has not got what came since 2026-12-03"));
    must_commit(influx, wal_end(w));
    must_append_at(w, 4, T0 + 900 * DAY); /* all have all: no age is too old */
    wal_reader_close(influx);
    wal_reader_close(kafka);
    wal_close(w);
    opts.max_age_ms = 0;
    w = open_log();
    influx = open_reader(w, "influx");
    must_append_at(w, 5, T0 + 9000 * DAY);
    wal_reader_close(influx);
    wal_close(w);
}

static void test_a_clock_that_jumps(void **unused)
{
    (void)unused;
    opts.max_age_ms = 30 * DAY;
    opts.grace_ms = 600000;
    struct wal *w = open_log();
    struct wal_reader *r = open_reader(w, "influx");
    must_append_at(w, 0, 1000); /* in 1970 */
    must_append_at(w, 1, T0);
    must_commit(r, wal_end(w));
    must_append_at(w, 2, T0 + 1);
    wal_reader_close(r);
    wal_close(w);
}

/* A log that was never closed by age: its segments reach over months. */
static void test_the_age_is_the_records_not_the_segments(void **unused)
{
    (void)unused;
    struct err e = ERR_INIT;
    struct wal *w = open_log();
    struct wal_reader *r = open_reader(w, "influx");
    must_append_at(w, 0, T0);
    int64_t second = wal_end(w);
    must_append_at(w, 1, T0 + 50 * DAY);
    must_commit(r, second);
    wal_reader_close(r);
    wal_close(w);
    opts.segment_ms = HOUR;
    opts.max_age_ms = 30 * DAY;
    w = open_log();
    r = open_reader(w, "influx");
    must_append_at(w, 2, T0 + 79 * DAY);
    assert_int_equal(append_at(w, 3, T0 + 80 * DAY, &e), -1);
    assert_non_null(strstr(e.text, "since 2026-12-22T00:00:00.000Z, 30 days ago"));
    wal_reader_close(r);
    wal_close(w);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(test_segments_are_closed_by_age),
        T(test_what_all_have_is_deleted_by_age),
        T(test_what_is_old_goes_though_nothing_comes),
        T(test_nothing_is_deleted_before_all_readers_are_there),
        T(test_a_sink_that_is_switched_off_holds_nothing),
        T(test_too_large_names_the_sink),
        T(test_a_try),
        T(test_a_try_on_a_full_disk),
        T(test_too_old_names_the_sink),
        T(test_a_clock_that_jumps),
        T(test_the_age_is_the_records_not_the_segments),
    };
    log_init("test", LOG_FATAL);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
