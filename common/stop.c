/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/stop.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <time.h>
#include <unistd.h>

#include "common/clock.h"

#define LAST_MS 3000 /* what calls to neighbours get after a stop was asked for */

static sigset_t awaited;
static atomic_bool stopped;
static atomic_llong asked_ms; /* when that was first seen (monotonic); 0: not yet */

void stop_init(void)
{
    sigemptyset(&awaited);
    sigaddset(&awaited, SIGTERM);
    sigaddset(&awaited, SIGINT);
    pthread_sigmask(SIG_BLOCK, &awaited, NULL);
    signal(SIGPIPE, SIG_IGN);
}

bool stop_wait(int64_t ms)
{
    if (atomic_load(&stopped))
        return false;
    struct timespec t = {ms / 1000, (ms % 1000) * 1000000L};
    if (sigtimedwait(&awaited, NULL, &t) > 0)
        atomic_store(&stopped, true);
    return !atomic_load(&stopped);
}

/* The thread that awaits the signal may itself be in the call that hangs: a signal that
 * only waits counts too. */
static bool asked(void)
{
    sigset_t waiting;
    if (atomic_load(&stopped))
        return true;
    return sigpending(&waiting) == 0 &&
           (sigismember(&waiting, SIGTERM) == 1 || sigismember(&waiting, SIGINT) == 1);
}

bool stop_overdue(void)
{
    long long first = 0;
    if (!asked())
        return false;
    int64_t now_ms = clock_mono_ms();
    if (atomic_compare_exchange_strong(&asked_ms, &first, now_ms))
        return false;
    return now_ms - first >= LAST_MS;
}

void stop_request(void)
{
    atomic_store(&stopped, true);
    kill(getpid(), SIGTERM);
}
