/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "services/ingest/nap.h"

#include <time.h>

void nap_init(struct nap *n)
{
    pthread_condattr_t attr;
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_mutex_init(&n->lock, NULL);
    pthread_cond_init(&n->cond, &attr);
    pthread_condattr_destroy(&attr);
    n->stopped = false;
}

void nap_done(struct nap *n)
{
    pthread_mutex_destroy(&n->lock);
    pthread_cond_destroy(&n->cond);
}

bool nap_wait(struct nap *n, int64_t ms)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    t.tv_nsec += ms % 1000 * 1000000;
    t.tv_sec += ms / 1000 + t.tv_nsec / 1000000000;
    t.tv_nsec %= 1000000000;
    pthread_mutex_lock(&n->lock);
    while (!n->stopped && pthread_cond_timedwait(&n->cond, &n->lock, &t) == 0)
        ;
    bool go = !n->stopped;
    pthread_mutex_unlock(&n->lock);
    return go;
}

bool nap_stopped(struct nap *n)
{
    pthread_mutex_lock(&n->lock);
    bool stopped = n->stopped;
    pthread_mutex_unlock(&n->lock);
    return stopped;
}

void nap_stop(struct nap *n)
{
    pthread_mutex_lock(&n->lock);
    n->stopped = true;
    pthread_cond_broadcast(&n->cond);
    pthread_mutex_unlock(&n->lock);
}
