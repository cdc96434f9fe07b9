/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "services/ingest/intake.h"

#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/mem.h"
#include "services/ingest/recent.h"
#include "services/ingest/understand.h"

#define REMEMBER_RECORDS 20000 /* decoded again after a restart: some 20 ms */
#define REMEMBER_BYTES                                                                   \
    (16 << 20) /* they are looked for this far back, to a segment's start */

struct intake {
    struct wal *wal;
    struct ledger *ledger;
    struct timefix fix;
    struct sink_live *live;
    pthread_mutex_t
        lock; /* everything below, the members of devices marked so, appending */
    struct recent *recent;
    struct device **due; /* acknowledgements to send; owned */
    size_t n_due, cap_due;
    atomic_llong last_ms;
    struct metric *logged[2], *duplicate[2]; /* MQTT, HTTP */
};

struct intake *intake_new(struct wal *w, struct ledger *l, const struct timefix *fix,
                          struct sink_live *live, struct metrics *m)
{
    static const char *const names[] = {"fieldcast_ingest_messages_total",
                                        "fieldcast_ingest_posted_total"};
    static const char *const helps[] = {"MQTT messages taken.",
                                        "Readings taken over HTTP."};
    struct intake *in = xcalloc(1, sizeof *in);
    in->wal = w;
    in->ledger = l;
    in->fix = *fix;
    in->live = live;
    in->recent = recent_new();
    pthread_mutex_init(&in->lock, NULL);
    for (int i = 0; i < 2; i++) {
        in->logged[i] = metric_counter(m, names[i], helps[i], "result=\"logged\"");
        in->duplicate[i] = metric_counter(m, names[i], helps[i], "result=\"duplicate\"");
    }
    return in;
}

void intake_free(struct intake *in)
{
    if (!in)
        return;
    recent_free(in->recent);
    pthread_mutex_destroy(&in->lock);
    free(in->due);
    free(in);
}

int64_t intake_last_ms(const struct intake *in)
{
    return atomic_load(&((struct intake *)in)->last_ms);
}

/* ---- what is kept of a message that lies in the log
 * --------------------------------------- */

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

static void note_sequence(struct intake *in, const struct understood *u, int64_t mono_ms)
{
    if (u->m.r.boot < 0 || u->m.r.seq < 0)
        return;
    ack_note(&u->device->ack, u->m.r.boot, u->m.r.seq, mono_ms);
    ack_is_due(in, u->device);
}

static void keep(struct intake *in, const struct understood *u, uint64_t id, int64_t t_ms,
                 int64_t mono_ms)
{
    if (u->reject || u->m.kind != MESSAGE_READING)
        return;
    recent_add(in->recent, id);
    if (time_source_is_arrival(u->source) && t_ms > u->device->arrival_ms)
        u->device->arrival_ms = t_ms;
    note_sequence(in, u, mono_ms);
}

/* ---- taking
 * --------------------------------------------------------------------------------- */

static bool is_duplicate(const struct intake *in, const struct understood *u,
                         unsigned flags, uint64_t *id)
{
    bool weak;
    if (u->reject || u->m.kind != MESSAGE_READING)
        return false;
    *id = recent_identity(&u->m, !time_source_is_arrival(u->source), &weak);
    return (!weak || (flags & WAL_DUP)) && recent_has(in->recent, *id);
}

/* With the lock held: 0 logged, 1 duplicate, -1 not taken. */
static int append(struct intake *in, struct understood *u, struct wal_record *rec,
                  int64_t mono_ms, struct err *e)
{
    uint64_t id = 0;
    rec->receive_ms = clock_now_ms();
    understand(u, rec, &in->fix, in->ledger, true);
    if (is_duplicate(in, u, rec->flags, &id)) {
        note_sequence(in, u, mono_ms);
        return 1;
    }
    rec->assigned_ms = u->time_ms;
    if (!u->reject && u->m.kind == MESSAGE_READING && time_source_is_arrival(u->source) &&
        rec->assigned_ms <= u->device->arrival_ms)
        rec->assigned_ms = u->device->arrival_ms + 1;
    if (wal_append(in->wal, rec, 1, e))
        return -1;
    keep(in, u, id, rec->assigned_ms, mono_ms);
    return 0;
}

int intake_take(struct intake *in, const struct arrival *a, struct err *e)
{
    struct understood u;
    struct wal_record rec = {.flags = a->flags,
                             .topic = a->topic,
                             .topic_len = strlen(a->topic),
                             .payload = a->payload,
                             .len = a->len};
    int64_t mono_ms = clock_mono_ms();
    int http = (a->flags & WAL_HTTP) != 0;
    pthread_mutex_lock(&in->lock);
    int rc = append(in, &u, &rec, mono_ms, e);
    if (rc == 0 && in->live && !u.reject && u.m.kind == MESSAGE_READING)
        sink_live_push(in->live, &u.m.r, rec.assigned_ms, rec.receive_ms);
    pthread_mutex_unlock(&in->lock);
    atomic_store(&in->last_ms, mono_ms);
    if (rc < 0)
        return -1;
    ledger_received(in->ledger, u.device, rec.receive_ms);
    if (u.device && !u.reject && u.m.kind == MESSAGE_READING)
        ledger_source(in->ledger, u.device, u.source);
    if (rc == 1)
        ledger_duplicate(in->ledger, u.device);
    metric_add(rc ? in->duplicate[http] : in->logged[http], 1);
    return 0;
}

/* ---- after a restart
 * ------------------------------------------------------------------------ */

/* Where the newest REMEMBER_RECORDS records begin: positions are kept in a ring. */
static int newest_records(struct wal *w, int64_t *from, struct err *e)
{
    int64_t begin = wal_segment_start(w, wal_end(w) - REMEMBER_BYTES);
    struct wal_reader *r = wal_reader_open(w, "", begin, e);
    if (!r)
        return -1;
    int64_t *ring = xmalloc(REMEMBER_RECORDS * sizeof *ring), pos;
    size_t n = 0;
    struct wal_record rec;
    int rc;
    while ((rc = wal_read(r, &rec, &pos, e)) > 0)
        ring[n++ % REMEMBER_RECORDS] = pos;
    *from = n > REMEMBER_RECORDS ? ring[n % REMEMBER_RECORDS] : begin;
    free(ring);
    wal_reader_close(r);
    return rc;
}

int intake_remember(struct intake *in, int64_t judged_to, struct err *e)
{
    int64_t from, pos, restore[QUALITY_SUSTAIN];
    if (newest_records(in->wal, &from, e))
        return -1;
    struct wal_reader *r = wal_reader_open(in->wal, "", from, e);
    if (!r)
        return -1;
    struct wal_record rec;
    struct understood u;
    int rc, n;
    pthread_mutex_lock(&in->lock);
    while ((rc = wal_read(r, &rec, &pos, e)) > 0) {
        uint64_t id = 0;
        understand(&u, &rec, &in->fix, in->ledger, true);
        is_duplicate(in, &u, 0, &id);
        keep(in, &u, id, rec.assigned_ms, clock_mono_ms());
        if (!u.reject && u.m.kind == MESSAGE_READING && pos < judged_to)
            quality_judge(&u.device->quality, &u.m.r, rec.assigned_ms, restore, &n);
    }
    pthread_mutex_unlock(&in->lock);
    wal_reader_close(r);
    return rc;
}

/* ---- acknowledgements
 * ----------------------------------------------------------------------- */

void intake_acks(struct intake *in,
                 int (*publish)(void *arg, const char *device, int64_t boot,
                                int64_t upto),
                 void *arg)
{
    struct due {
        struct device *d;
        int64_t boot, upto;
    } * list;
    pthread_mutex_lock(&in->lock);
    size_t n = in->n_due;
    list = n ? xmalloc(n * sizeof *list) : NULL;
    for (size_t i = 0; i < n; i++) {
        list[i] = (struct due){in->due[i], in->due[i]->ack.boot, in->due[i]->ack.upto};
        in->due[i]->ack_due = false;
    }
    in->n_due = 0;
    pthread_mutex_unlock(&in->lock);
    for (size_t i = 0; i < n; i++)
        if (publish(arg, list[i].d->name, list[i].boot, list[i].upto)) {
            pthread_mutex_lock(&in->lock);
            ack_is_due(in, list[i].d);
            pthread_mutex_unlock(&in->lock);
        }
    free(list);
}
