/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/unit/unit.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/stop.h"

/* In a child, since a stop lasts for ever. Returns the child's exit code. */
static int in_child(int (*fn)(void))
{
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        stop_init();
        _exit(fn());
    }
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static int waits(void)
{
    int64_t t = clock_mono_ms();
    return stop_wait(30) && clock_mono_ms() - t >= 29 ? 0 : 1;
}
static int on_term(void)
{
    kill(getpid(), SIGPIPE); /* ignored */
    kill(getpid(), SIGTERM);
    int64_t t = clock_mono_ms();
    return !stop_wait(10000) && !stop_wait(10000) && clock_mono_ms() - t < 5000 ? 0 : 1;
}
static int on_int(void)
{
    kill(getpid(), SIGINT);
    return stop_wait(10000) ? 1 : 0;
}
static int on_request(void)
{
    stop_request();
    int64_t t = clock_mono_ms();
    return !stop_wait(10000) && clock_mono_ms() - t < 5000 ? 0 : 1;
}

/* A thread in a call sees a signal that nobody has awaited yet, and has some seconds. */
static int overdue(void)
{
    if (stop_overdue())
        return 1;
    kill(getpid(), SIGTERM);
    int64_t t = clock_mono_ms();
    while (!stop_overdue() && clock_mono_ms() - t < 10000)
        clock_sleep_ms(20);
    int64_t took = clock_mono_ms() - t;
    return took >= 2900 && took < 5000 && stop_overdue() ? 0 : 2;
}

static void test_stop(void **unused)
{
    (void)unused;
    assert_int_equal(in_child(waits), 0);
    assert_int_equal(in_child(on_term), 0);
    assert_int_equal(in_child(on_int), 0);
    assert_int_equal(in_child(on_request), 0);
    assert_int_equal(in_child(overdue), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_stop)};
    return cmocka_run_group_tests_name("stop", tests, NULL, NULL);
}
