/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "services/ingest/nap.h"

#include "common/cond.h"

void nap_init(struct nap *n)
{
    pthread_mutex_init(&n->lock, NULL);
    cond_init(&n->cond);
    n->stopped = false;
}

void nap_done(struct nap *n)
{
    pthread_mutex_destroy(&n->lock);
    pthread_cond_destroy(&n->cond);
}

bool nap_wait(struct nap *n, int64_t ms)
{
    struct timespec t = cond_deadline(ms);
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
