/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What is kept of messages that lie in the log: the window of duplicates, the newest
 * times made of arrivals, the numbers that devices are told. After a restart it is made
 * of the log's newest records. */
#include <stdlib.h>

#include "common/clock.h"
#include "common/mem.h"
#include "services/ingest/intake_internal.h"

#define REMEMBER_RECORDS 20000 /* decoded again after a restart: some 20 ms */
#define REMEMBER_BYTES                                                                   \
    (16 << 20) /* they are looked for this far back, to a segment's start */

static void ack_is_due(struct intake *in, struct device *d)
{
    if (d->ack_due)
        return;
    if (in->n_due == in->cap_due) {
        in->cap_due = in->cap_due ? in->cap_due * 2 : 64;
        in->due = xrealloc(in->due, in->cap_due * sizeof(struct device *));
    }
    in->due[in->n_due++] = d;
    d->ack_due = true;
}

static void note_sequence(struct intake *in, const struct item *it, int64_t mono_ms)
{
    if (!it->device || it->r.boot < 0 || it->r.seq < 0)
        return;
    ack_note(&it->device->ack, it->r.boot, it->r.seq, mono_ms);
    atomic_fetch_add(&in->missing, gaps_note(&it->device->gaps, it->r.boot, it->r.seq));
    ack_is_due(in, it->device);
}

/* Refused readings are in the log too, and a device need not send them again. */
void intake_keep(struct intake *in, const struct item *it, int64_t mono_ms)
{
    note_sequence(in, it, mono_ms);
    if (it->reject || it->known || it->kind != ITEM_READING)
        return;
    recent_add(in->recent, it->id);
    struct device *d = it->device;
    if (time_source_is_arrival(it->source) &&
        (it->r.time_ms > d->arrival_ms || clock_was_ahead(d->arrival_ms, it->r.time_ms)))
        d->arrival_ms = it->r.time_ms;
}

void intake_acks(struct intake *in,
                 int (*publish)(void *arg, const char *device, int64_t boot,
                                int64_t upto),
                 void *arg)
{
    struct due {
        struct device *d;
        int64_t boot, upto;
    } * list;
    struct err e = ERR_INIT;
    pthread_mutex_lock(&in->lock);
    /* a device may forget what is acknowledged to it */
    size_t n = wal_flush(in->wal, &e) ? 0 : in->n_due;
    list = n ? xmalloc(n * sizeof *list) : NULL;
    for (size_t i = 0; i < n; i++) {
        list[i] = (struct due){in->due[i], in->due[i]->ack.boot, in->due[i]->ack.upto};
        in->due[i]->ack_due = false;
    }
    in->n_due -= n;
    pthread_mutex_unlock(&in->lock);
    for (size_t i = 0; i < n; i++)
        if (publish(arg, list[i].d->name, list[i].boot, list[i].upto)) {
            pthread_mutex_lock(&in->lock);
            ack_is_due(in, list[i].d);
            pthread_mutex_unlock(&in->lock);
        }
    free(list);
}

/* A device's clock learns again what it had learnt. */
static void teach(struct intake *in, const struct wal_record *rec, const struct item *it)
{
    int64_t t_ms, said_ms;
    if (it->kind == ITEM_READING && !(rec->flags & WAL_ACCOUNT))
        timefix(&in->how.fix, &it->time, &it->device->clock, rec->receive_ms, &t_ms,
                &said_ms);
}

int intake_remember(struct intake *in, int64_t judged_to, struct err *e)
{
    int64_t pos, restore[QUALITY_SUSTAIN];
    int64_t from = wal_newest(in->wal, REMEMBER_RECORDS, REMEMBER_BYTES);
    struct wal_reader *r = wal_reader_open(in->wal, "", from, e);
    if (!r)
        return -1;
    struct wal_record rec;
    int rc, n;
    pthread_mutex_lock(&in->lock);
    while ((rc = wal_read(r, &rec, &pos, e)) > 0) {
        struct account a;
        struct err why = ERR_INIT;
        if (recall(&in->how, &rec, &in->m, &a, &why) == REJECT_NONE)
            for (size_t i = 0; i < in->m.n; i++) {
                struct item *it = &in->m.item[i];
                intake_keep(in, it, clock_mono_ms());
                teach(in, &rec, it);
                if (it->kind == ITEM_READING && pos < judged_to)
                    quality_judge(&it->device->quality, &it->r, it->r.time_ms, restore,
                                  &n);
            }
        account_done(&a);
    }
    pthread_mutex_unlock(&in->lock);
    wal_reader_close(r);
    return rc;
}
