/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/unit/unit.h"

#include <pthread.h>
#include <stdio.h>

#include "common/clock.h"
#include "services/predictor/waitlist.h"

static struct waitlist w;

struct asker {
    pthread_t thread;
    const char *name;
    int timeout_ms;
    bool looked;
};

static void *ask(void *arg)
{
    struct asker *a = arg;
    a->looked = waitlist_ask(&w, a->name, a->timeout_ms);
    return NULL;
}

static void start(struct asker *a, const char *name, int timeout_ms)
{
    *a = (struct asker){.name = name, .timeout_ms = timeout_ms};
    assert_int_equal(pthread_create(&a->thread, NULL, ask, a), 0);
}

static bool ended(struct asker *a)
{
    pthread_join(a->thread, NULL);
    return a->looked;
}

/* Takes until n names have come in all. */
static void take(char (*names)[SERIES_MAX + 1], size_t n)
{
    for (size_t got = 0; got < n; clock_sleep_ms(1))
        got += waitlist_take(&w, names + got);
}

static size_t waiting(void)
{
    pthread_mutex_lock(&w.lock);
    size_t n = w.n;
    pthread_mutex_unlock(&w.lock);
    return n;
}

static void test_first_come(void **unused)
{
    (void)unused;
    char names[WAITLIST_MAX][SERIES_MAX + 1];
    struct asker a, b, late;
    waitlist_init(&w);
    assert_int_equal(waitlist_take(&w, names), 0);
    start(&a, "attic.temperature", 60000);
    take(names, 1);
    assert_string_equal(names[0], "attic.temperature");
    /* who comes while the first is being looked for waits for the next round */
    start(&late, "cellar.humidity", 60000);
    start(&b, "cellar.humidity", 60000);
    while (!waiting())
        clock_sleep_ms(1);
    waitlist_answer(&w);
    assert_true(ended(&a));
    take(names, 1); /* the name once, whoever asks */
    assert_string_equal(names[0], "cellar.humidity");
    waitlist_answer(&w);
    waitlist_over(&w); /* b may have come after the take */
    assert_true(ended(&late));
    assert_true(ended(&b));
    waitlist_done(&w);
}

static void test_in_vain(void **unused)
{
    (void)unused;
    char names[WAITLIST_MAX][SERIES_MAX + 1];
    waitlist_init(&w);
    assert_false(waitlist_ask(&w, "attic.temperature", 20));
    for (int i = 1; i < WAITLIST_MAX; i++) {
        snprintf(names[0], sizeof names[0], "attic.t%d", i);
        assert_false(waitlist_ask(&w, names[0], 0));
    }
    assert_false(waitlist_ask(&w, "one.more", 60000)); /* no room: at once */
    assert_int_equal(waitlist_take(&w, names), WAITLIST_MAX);
    waitlist_over(&w);
    assert_true(waitlist_ask(&w, "one.more", 60000));
    assert_int_equal(waitlist_take(&w, names), 0);
    waitlist_done(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_first_come),
        cmocka_unit_test(test_in_vain),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
