/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Readers that wait for the log to grow. They wait for longer than a test may take: one
 * that is not woken is found by that. */
#include "tests/unit/wal_log.h"

#include <stdatomic.h>

#include "common/clock.h"
#include "services/ingest/wal_internal.h"

#define LONG_MS 600000

struct waiter {
    struct wal_reader *r;
    int64_t pos;
    bool some; /* wal_wait_for_some() */
    atomic_int rounds;
    pthread_t thread;
};

static void *wait_once(void *arg)
{
    struct waiter *x = arg;
    if (x->some)
        wal_wait_for_some(x->r, LONG_MS, x->pos, LONG_MS);
    else
        wal_wait(x->r, x->pos, LONG_MS);
    atomic_fetch_add(&x->rounds, 1);
    return NULL;
}

static void begin(struct waiter *x, struct wal *w, const char *name, int64_t pos)
{
    *x = (struct waiter){.r = open_reader(w, name), .pos = pos};
    assert_int_equal(pthread_create(&x->thread, NULL, wait_once, x), 0);
}

static void end(struct waiter *x)
{
    assert_int_equal(pthread_join(x->thread, NULL), 0);
    wal_reader_close(x->r);
}

/* Until the log would tell somebody when it ends behind pos. */
static void until_wake_at(struct wal *w, int64_t pos)
{
    while (atomic_load(&w->wake_at) != pos)
        clock_sleep_ms(1);
}

static void test_two_that_wait_both_wake(void **unused)
{
    (void)unused;
    struct wal *w = open_log();
    struct waiter a, b;
    begin(&a, w, "influx", 0);
    begin(&b, w, "kafka", 0);
    for (int n = 0; n < 2;) { /* until both wait */
        pthread_mutex_lock(&w->lock);
        n = 0;
        for (const struct wal_reader *r = w->waiting; r; r = r->next_waiting)
            n++;
        pthread_mutex_unlock(&w->lock);
    }
    must_append(w, 0, 1);
    end(&a);
    end(&b);
    wal_close(w);
}

static void test_each_wakes_for_its_own(void **unused)
{
    (void)unused;
    struct wal *w = open_log();
    struct waiter far, near;
    begin(&far, w, "influx", 10000);
    until_wake_at(w, 10000);
    must_append(w, 0, 10); /* looks at a number, and tells nobody */
    assert_int_equal(atomic_load(&w->wake_at), 10000);
    begin(&near, w, "kafka", wal_end(w));
    until_wake_at(w, wal_end(w));
    must_append(w, 10, 11);
    end(&near);
    assert_int_equal(atomic_load(&far.rounds), 0);
    assert_int_equal(atomic_load(&w->wake_at), 10000);
    for (int n = 11; wal_end(w) <= 10000; n++)
        must_append(w, n, n + 1);
    end(&far);
    assert_int_equal(atomic_load(&w->wake_at), INT64_MAX);
    wal_close(w);
}

static void test_first_one_then_some(void **unused)
{
    (void)unused;
    struct wal *w = open_log();
    struct waiter x = {.r = open_reader(w, "kafka"), .pos = 5000, .some = true};
    assert_int_equal(pthread_create(&x.thread, NULL, wait_once, &x), 0);
    until_wake_at(w, 0);
    must_append(w, 0, 1);
    until_wake_at(w, 5000);
    assert_int_equal(atomic_load(&x.rounds), 0);
    for (int n = 1; wal_end(w) <= 5000; n++)
        must_append(w, n, n + 1);
    end(&x);
    wal_close(w);
}

static void test_woken_by_name(void **unused)
{
    (void)unused;
    struct wal *w = open_log();
    struct waiter a, b;
    begin(&a, w, "influx", 1000);
    until_wake_at(w, 1000);
    begin(&b, w, "kafka", 2000);
    wal_wake(b.r); /* also before it waits */
    end(&b);
    assert_int_equal(atomic_load(&a.rounds), 0);
    wal_wake(a.r);
    end(&a);
    struct wal_reader *r = open_reader(w, "");
    wal_wait(r, 0, 1); /* there is an end to it */
    must_append(w, 0, 1);
    wal_wait(r, 0, LONG_MS); /* it is there already */
    wal_reader_close(r);
    wal_close(w);
}

#define ROUNDS 2000

static void *follow(void *arg)
{
    struct waiter *x = arg;
    for (int64_t pos = 0; atomic_load(&x->rounds) < ROUNDS;) {
        struct wal_record rec;
        struct err e = ERR_INIT;
        wal_wait(x->r, pos, LONG_MS);
        while (wal_read(x->r, &rec, &pos, &e) > 0)
            atomic_fetch_add(&x->rounds, 1);
        pos = wal_reader_pos(x->r);
    }
    return NULL;
}

/* No append goes unseen, whatever it falls between. */
static void test_nothing_is_missed(void **unused)
{
    (void)unused;
    opts.segment_bytes = opts.max_bytes = 4 << 20;
    struct wal *w = open_log();
    struct waiter x[3];
    for (int i = 0; i < 3; i++) {
        x[i] = (struct waiter){.r = open_reader(w, "")};
        assert_int_equal(pthread_create(&x[i].thread, NULL, follow, &x[i]), 0);
    }
    for (int n = 0; n < ROUNDS; n++) {
        must_append(w, n, n + 1);
        while (n % 7 == 0 && atomic_load(&x[n % 3].rounds) <= n)
            ; /* so that it waits again */
    }
    for (int i = 0; i < 3; i++)
        end(&x[i]);
    wal_close(w);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(test_two_that_wait_both_wake), T(test_each_wakes_for_its_own),
        T(test_first_one_then_some),     T(test_woken_by_name),
        T(test_nothing_is_missed),
    };
    log_init("test", LOG_FATAL);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
