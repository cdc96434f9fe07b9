/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Waiting for the log to grow. wake_at is the least that any waiting reader waits for, so
 * that an append that nobody waits for looks at one number; a reader that was told is not
 * told again before it waits anew. */
#include "common/cond.h"
#include "services/ingest/wal_internal.h"

static void set_wake_at(struct wal *w)
{
    int64_t least = INT64_MAX;
    for (const struct wal_reader *r = w->waiting; r; r = r->next_waiting)
        least = r->wait_for < least ? r->wait_for : least;
    atomic_store(&w->wake_at, least);
}

void wal_tell(struct wal *w, int64_t end)
{
    pthread_mutex_lock(&w->lock);
    for (struct wal_reader *r = w->waiting; r; r = r->next_waiting)
        if (r->wait_for < end) {
            r->wait_for = INT64_MAX;
            pthread_cond_signal(&r->grown);
        }
    set_wake_at(w);
    pthread_mutex_unlock(&w->lock);
}

static void leave(struct wal *w, const struct wal_reader *r)
{
    struct wal_reader **p = &w->waiting;
    while (*p != r)
        p = &(*p)->next_waiting;
    *p = r->next_waiting;
    set_wake_at(w);
}

void wal_wait(struct wal_reader *r, int64_t pos, int64_t ms)
{
    struct wal *w = r->w;
    struct timespec t = cond_deadline(ms);
    pthread_mutex_lock(&w->lock);
    r->wait_for = pos;
    r->next_waiting = w->waiting;
    w->waiting = r;
    set_wake_at(w); /* before looking at the end: see wal_append() */
    while (!r->woken && atomic_load(&w->end) <= pos)
        if (pthread_cond_timedwait(&r->grown, &w->lock, &t))
            break;
    leave(w, r);
    r->woken = false;
    pthread_mutex_unlock(&w->lock);
}

void wal_wait_for_some(struct wal_reader *r, int64_t ms, int64_t bytes, int64_t more_ms)
{
    wal_wait(r, r->pos, ms);
    if (wal_end(r->w) > r->pos)
        wal_wait(r, r->pos + bytes, more_ms);
}

void wal_wake(struct wal_reader *r)
{
    pthread_mutex_lock(&r->w->lock);
    r->woken = true;
    pthread_cond_signal(&r->grown);
    pthread_mutex_unlock(&r->w->lock);
}
