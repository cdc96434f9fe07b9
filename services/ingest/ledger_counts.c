/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Where the messages have gone: counting, and telling it. */
#include "services/ingest/ledger_internal.h"

#include "common/clock.h"

uint64_t counts_rejected(const struct counts *c)
{
    uint64_t n = 0;
    for (int i = 0; i < REJECT_N; i++)
        n += c->rejected[i];
    return n;
}

uint64_t counts_pending(const struct counts *c)
{
    uint64_t done = c->stored + c->duplicate + counts_rejected(c);
    return c->received > done ? c->received - done : 0;
}

static struct counts *counts_of(struct ledger *l, struct device *d)
{
    return d ? &d->counts : &l->none;
}

void ledger_received(struct ledger *l, struct device *d, int64_t seen_ms)
{
    pthread_mutex_lock(&l->lock);
    l->total.received++;
    counts_of(l, d)->received++;
    if (d && (seen_ms > d->last_seen_ms ||
              (clock_was_ahead(d->last_seen_ms, seen_ms) &&
               clock_was_ahead(d->last_seen_ms, clock_now_ms())))) {
        d->last_seen_ms = seen_ms;
        if (d->seen_metric)
            metric_set(d->seen_metric, (double)seen_ms / 1000);
    }
    pthread_mutex_unlock(&l->lock);
}

void ledger_source(struct ledger *l, struct device *d, enum time_source s)
{
    pthread_mutex_lock(&l->lock);
    d->source = s;
    pthread_mutex_unlock(&l->lock);
}

void ledger_duplicate(struct ledger *l, struct device *d)
{
    pthread_mutex_lock(&l->lock);
    l->total.duplicate++;
    counts_of(l, d)->duplicate++;
    pthread_mutex_unlock(&l->lock);
}

void ledger_rejected(struct ledger *l, struct device *d, enum reject why)
{
    pthread_mutex_lock(&l->lock);
    l->total.rejected[why]++;
    counts_of(l, d)->rejected[why]++;
    pthread_mutex_unlock(&l->lock);
}

void ledger_stored(struct ledger *l, struct device *d, bool misread)
{
    pthread_mutex_lock(&l->lock);
    l->total.stored++;
    l->total.misread += misread;
    counts_of(l, d)->stored++;
    counts_of(l, d)->misread += misread;
    pthread_mutex_unlock(&l->lock);
}

void ledger_misread_undone(struct ledger *l, struct device *d, unsigned n)
{
    pthread_mutex_lock(&l->lock);
    n = n < d->counts.misread ? n : (unsigned)d->counts.misread;
    l->total.misread -= n;
    d->counts.misread -= n;
    pthread_mutex_unlock(&l->lock);
}

void ledger_late(struct ledger *l, struct device *d, int64_t received_ms, int64_t age_ms)
{
    pthread_mutex_lock(&l->lock);
    l->total.late++;
    d->counts.late++;
    d->late_at_ms = received_ms;
    d->late_age_ms = age_ms;
    pthread_mutex_unlock(&l->lock);
}

void ledger_online(struct ledger *l, struct device *d, bool online)
{
    pthread_mutex_lock(&l->lock);
    d->online = online;
    pthread_mutex_unlock(&l->lock);
}

struct counts ledger_totals(struct ledger *l)
{
    pthread_mutex_lock(&l->lock);
    struct counts c = l->total;
    pthread_mutex_unlock(&l->lock);
    return c;
}

struct counts ledger_of_none(struct ledger *l)
{
    pthread_mutex_lock(&l->lock);
    struct counts c = l->none;
    pthread_mutex_unlock(&l->lock);
    return c;
}

size_t ledger_snapshot(struct ledger *l, struct counts *each, size_t n,
                       struct counts *totals, struct counts *none, size_t *devices)
{
    pthread_mutex_lock(&l->lock);
    n = n < l->n ? n : l->n;
    for (size_t i = 0; i < n; i++)
        each[i] = l->at[i]->counts;
    *totals = l->total;
    *none = l->none;
    *devices = l->n;
    pthread_mutex_unlock(&l->lock);
    return n;
}

struct device_view ledger_view(struct ledger *l, const struct device *d)
{
    pthread_mutex_lock(&l->lock);
    struct device_view v = {d->counts, d->last_seen_ms, d->source,
                            d->online, d->late_at_ms,   d->late_age_ms};
    pthread_mutex_unlock(&l->lock);
    return v;
}
