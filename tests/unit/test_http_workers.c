/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/unit/unit.h"

#include <pthread.h>
#include <stdatomic.h>

#include "common/http_workers.h"

struct job {
    struct http_job job; /* the first */
    int number;
    bool taken;
};

static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER; /* held: jobs do not go on */
static struct job jobs[HTTP_QUEUE_MAX + 2];
static int order[HTTP_QUEUE_MAX + 2];
static atomic_int begun, done;

static void on_taken(struct http_job *j)
{
    ((struct job *)j)->taken = true;
}

static void run(struct http_job *j)
{
    struct job *one = (struct job *)j;
    assert_true(one->taken);
    atomic_fetch_add(&begun, 1);
    pthread_mutex_lock(&gate);
    order[atomic_fetch_add(&done, 1)] = one->number;
    pthread_mutex_unlock(&gate);
}

static struct http_workers *open_workers(int threads)
{
    struct err e = ERR_INIT;
    struct http_workers *w =
        http_workers_new(&(struct http_workers_opts){threads, on_taken, run}, &e);
    if (!w)
        fail_msg("%s", e.text);
    memset(jobs, 0, sizeof jobs);
    for (size_t i = 0; i < N_OF(jobs); i++)
        jobs[i].number = (int)i;
    begun = done = 0;
    return w;
}

/* One runs, HTTP_QUEUE_MAX wait, the next is refused; all are run, in their order, before
 * the threads end. */
static void test_bounded_and_in_order(void **unused)
{
    (void)unused;
    struct err e = ERR_INIT;
    struct http_workers *w = open_workers(1);
    pthread_mutex_lock(&gate);
    assert_ok(http_workers_put(w, &jobs[0].job, &e), e);
    while (!begun)
        sched_yield();
    for (int i = 1; i <= HTTP_QUEUE_MAX; i++)
        assert_ok(http_workers_put(w, &jobs[i].job, &e), e);
    struct job *last = &jobs[HTTP_QUEUE_MAX + 1];
    assert_int_equal(http_workers_put(w, &last->job, &e), -1);
    assert_int_equal(e.code, ERR_UNAVAILABLE);
    assert_string_equal(e.text, "too many requests are waiting; try again in a second");
    assert_false(last->taken);
    pthread_mutex_unlock(&gate);
    http_workers_stop(w);
    assert_int_equal(done, HTTP_QUEUE_MAX + 1);
    for (int i = 0; i <= HTTP_QUEUE_MAX; i++)
        assert_int_equal(order[i], i);
    assert_int_equal(http_workers_put(w, &last->job, &e), -1);
    assert_string_equal(e.text, "the service is about to end; try again in a second");
    http_workers_free(w);
}

static void test_side_by_side(void **unused)
{
    (void)unused;
    struct err e = ERR_INIT;
    struct http_workers *w = open_workers(3);
    pthread_mutex_lock(&gate);
    for (int i = 0; i < 4; i++)
        assert_ok(http_workers_put(w, &jobs[i].job, &e), e);
    while (begun < 3)
        sched_yield();
    assert_int_equal(done, 0);
    pthread_mutex_unlock(&gate);
    http_workers_stop(w);
    assert_int_equal(done, 4);
    http_workers_free(w);
    http_workers_stop(NULL);
    http_workers_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bounded_and_in_order),
        cmocka_unit_test(test_side_by_side),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
