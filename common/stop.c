/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/stop.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <time.h>
#include <unistd.h>

static sigset_t awaited;
static atomic_bool stopped;

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

void stop_request(void)
{
    atomic_store(&stopped, true);
    kill(getpid(), SIGTERM);
}
