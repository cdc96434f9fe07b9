/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "services/ingest/sink_influx.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/mem.h"
#include "services/ingest/burial.h"
#include "services/ingest/courier.h"
#include "services/ingest/delivery.h"
#include "services/ingest/nap.h"

#define LOOK_MS 1000            /* an idle sink looks whether InfluxDB is there */
#define READ_AHEAD (256 * 1024) /* bytes of the log that are worth waking up for */
#define CURSOR_MS 200           /* an idle moment apart, the cursor is saved so often */

/* A batch, and what stands in the log before `end` is in it or was in others. */
struct load {
    struct batch batch;
    int64_t end;
    int64_t since_ms; /* when it got its first record (monotonic) */
};

struct sink_influx {
    struct sink_influx_opts o;
    struct nap nap;
    pthread_t thread;
    struct message m; /* what the record being read says */
    struct load loads[2];
    struct load *next; /* is being filled */
    struct load *away; /* is being written meanwhile; NULL: none */
    struct delivery *delivery;
    struct courier *courier;
    int64_t started_end; /* what lay in the log when we began */
    int64_t cursor_ms;   /* when the cursor was last saved */
    struct held_up disk;
    struct burial burial;
    struct log_often unsaved, said_late;
    atomic_bool flush;
    atomic_llong written;
    struct metric *stored, *misreads, *late, *queue, *delay;
};

/* ---- from records to lines
 * ----------------------------------------------------------------- */

static void add_reading(struct sink_influx *s, int64_t received_ms, int64_t pos, size_t i)
{
    const struct item *it = &s->m.item[i];
    int64_t restore[QUALITY_SUSTAIN], t_ms = it->r.time_ms;
    int n;
    struct point p = {.device = it->device,
                      .pos = pos,
                      .item = (int)i,
                      .kind = POINT_READING,
                      .received_ms = received_ms};
    p.hour = hour_of(t_ms);
    if (hours_late(t_ms, received_ms, s->o.grace_ms))
        p.late_ms = received_ms - t_ms;
    p.quantities = hours_quantities(s->o.hours, &it->r);
    p.good = quality_judge(&it->device->quality, &it->r, t_ms, restore, &n);
    batch_reading(&s->next->batch, &p, it);
    for (int k = 0; k < n; k++) {
        p.kind = POINT_RESTORE;
        p.hour = hour_of(restore[k]);
        batch_restore(&s->next->batch, &p, restore[k]);
    }
}

static void add_status(struct sink_influx *s, int64_t pos, const struct item *it,
                       bool now)
{
    struct point p = {
        .device = it->device, .pos = pos, .kind = POINT_STATUS, .good = true};
    if (now)
        ledger_online(s->o.how.ledger, it->device, it->online);
    batch_status(&s->next->batch, &p, it->online, it->r.time_ms);
}

static int add_record(struct sink_influx *s, const struct wal_record *rec, int64_t pos)
{
    struct account a;
    struct err why = ERR_INIT;
    struct message *m = &s->m;
    enum reject r = recall(&s->o.how, rec, m, &a, &why);
    int rc = r ? burial_record(&s->burial, rec, pos, m, r, why.text) : 0;
    batch_reserve(&s->next->batch, m->n * (1 + QUALITY_SUSTAIN));
    for (size_t i = 0; i < m->n && !r; i++) {
        const struct item *it = &m->item[i];
        if (pos < s->started_end)
            ledger_received(s->o.how.ledger, it->device, rec->receive_ms);
        if (it->kind == ITEM_STATUS)
            add_status(s, pos, it, !a.received_ms);
        else
            add_reading(s, a.received_ms ? a.received_ms : rec->receive_ms, pos, i);
    }
    if (!r && a.reason)
        rc = burial_account(&s->burial, rec, pos, &a, m);
    account_done(&a);
    return rc;
}

/* Reads on until the batch is full or the log is at its end: 1 when something was read, 0
 * when not, -1 on a stop. */
static int fill(struct sink_influx *s)
{
    struct wal_record rec;
    struct err e = ERR_INIT;
    int64_t pos;
    int rc = 0, any = 0;
    while (!batch_full(&s->next->batch) &&
           (rc = wal_read(s->o.reader, &rec, &pos, &e)) > 0) {
        if (!any && !s->next->batch.n)
            s->next->since_ms = clock_mono_ms();
        any = 1;
        if (add_record(s, &rec, pos)) {
            wal_reader_seek(s->o.reader, pos);
            return -1;
        }
    }
    if (rc < 0 && !held_up_wait(&s->disk, &e))
        return -1;
    metric_set(s->queue, (double)s->next->batch.n);
    return any;
}

/* ---- what became of them
 * ------------------------------------------------------------------------------- */

static void count_late(struct sink_influx *s, const struct point *p)
{
    char time[CLOCK_RFC3339_SIZE];
    ledger_late(s->o.how.ledger, p->device, p->received_ms, p->late_ms);
    metric_add(s->late, 1);
    log_often(&s->said_late, LOG_INFO,
              "%s sends late readings: one of %s came %lld s after that; their hours are "
              "rolled up again",
              p->device->name, clock_format(p->received_ms - p->late_ms, time),
              (long long)p->late_ms / 1000);
}

static void count_stored(struct sink_influx *s, const struct point *p, unsigned *stored,
                         unsigned *misreads)
{
    if (p->kind == POINT_RESTORE) {
        ledger_misread_undone(s->o.how.ledger, p->device, 1);
    } else {
        ledger_stored(s->o.how.ledger, p->device, !p->good);
        *stored += 1;
        *misreads += !p->good;
        if (p->late_ms)
            count_late(s, p);
    }
    if (p->kind != POINT_STATUS)
        hours_mark(s->o.hours, p->device, p->hour, p->quantities);
}

/* Every point is stored or refused: counts the ones, buries the others. */
static int account(struct sink_influx *s, const struct batch *b)
{
    unsigned stored = 0, misreads = 0;
    for (size_t i = 0; i < b->n; i++) {
        const struct point *p = &b->p[i];
        if (p->state == POINT_STORED)
            count_stored(s, p, &stored, &misreads);
        else if (burial_point(&s->burial, p, batch_why(b, i), &s->m))
            return -1;
    }
    metric_add(s->stored, stored);
    metric_add(s->misreads, misreads);
    return 0;
}

/* Marks and cursor, with all before pos written; when the cursor alone fails it is saved
 * with the next batch. */
static int settle(struct sink_influx *s, int64_t pos, bool idle)
{
    struct err e = ERR_INIT;
    int64_t now_ms = clock_mono_ms();
    while (hours_save(s->o.hours, &e))
        if (!held_up_wait(&s->disk, &e))
            return -1;
    held_up_over(&s->disk);
    atomic_store(&s->written, pos);
    if (pos != wal_committed(s->o.reader) &&
        (idle || now_ms - s->cursor_ms >= CURSOR_MS)) {
        s->cursor_ms = now_ms;
        if (wal_commit(s->o.reader, pos, &e))
            log_often(&s->unsaved, LOG_WARN, "%s", e.text);
    }
    return 0;
}

/* A load is written. */
static int finish(struct sink_influx *s, struct load *l)
{
    if (account(s, &l->batch))
        return -1;
    if (!clock_is_virtual() && l->batch.n)
        metric_observe(s->delay, (double)(clock_mono_ms() - l->since_ms) / 1000);
    batch_reset(&l->batch);
    return settle(s, l->end, l->end >= wal_end(s->o.wal));
}

/* Waits for the load that is being written, if there is one. */
static int collect(struct sink_influx *s)
{
    struct load *l = s->away;
    s->away = NULL;
    return l && (courier_await(s->courier) || finish(s, l)) ? -1 : 0;
}

/* With more in the log than one batch takes, the next is filled while this one is
 * written: InfluxDB and we work at the same time then. */
static int deliver(struct sink_influx *s)
{
    struct load *l = s->next;
    if (collect(s))
        return -1;
    l->end = wal_reader_pos(s->o.reader);
    if (batch_full(&l->batch) && l->end < wal_end(s->o.wal)) {
        courier_send(s->courier, &l->batch);
        s->away = l;
        s->next = l == &s->loads[0] ? &s->loads[1] : &s->loads[0];
        return 0;
    }
    if (l->batch.n && delivery_write(s->delivery, &l->batch))
        return -1;
    metric_set(s->queue, 0);
    return finish(s, l);
}

/* ---- the thread
 * ---------------------------------------------------------------------------- */

static bool due(struct sink_influx *s, int64_t *left_ms)
{
    const struct load *l = s->next;
    *left_ms = LOOK_MS;
    if (!l->batch.n)
        return wal_reader_pos(s->o.reader) != atomic_load(&s->written);
    *left_ms = l->since_ms + s->o.flush_ms - clock_mono_ms();
    return batch_full(&l->batch) || *left_ms <= 0;
}

/* With a batch begun there is no hurry: waits until there is more to read at once. */
static int rest(struct sink_influx *s, int64_t left_ms)
{
    int64_t pos = wal_reader_pos(s->o.reader);
    bool begun = s->next->batch.n;
    if (collect(s) || (!begun && settle(s, pos, true)))
        return -1;
    delivery_look(s->delivery);
    if (!atomic_load(&s->flush))
        wal_wait(s->o.reader, pos + (begun ? READ_AHEAD : 0), left_ms);
    return 0;
}

static void *run(void *arg)
{
    struct sink_influx *s = arg;
    delivery_look(s->delivery);
    while (!nap_stopped(&s->nap)) {
        /* asked for before reading: what is in the log now is written now */
        bool flush = atomic_exchange(&s->flush, false);
        int64_t left_ms;
        if (fill(s) < 0)
            break;
        bool now = due(s, &left_ms) || flush;
        if (now ? deliver(s) : rest(s, left_ms))
            break;
    }
    return NULL;
}

/* ---- life
 * ---------------------------------------------------------------------------------- */

static void make_metrics(struct sink_influx *s, struct metrics *m)
{
    s->stored = metric_counter(m, "fieldcast_ingest_stored_total",
                               "Messages that are in InfluxDB.", NULL);
    s->misreads =
        metric_counter(m, "fieldcast_ingest_misreads_total",
                       "Readings stored with quality 0, left out of the hours.", NULL);
    s->late = metric_counter(m, "fieldcast_ingest_late_total",
                             "Readings stored that were older than the hours' grace when "
                             "they came.",
                             NULL);
    s->queue = metric_gauge(m, "fieldcast_ingest_queue_points",
                            "Points that wait in the batch.", NULL);
    s->delay = metric_histogram(m, "fieldcast_ingest_end_to_end_seconds",
                                "From a batch's first message to its being in InfluxDB.",
                                NULL, metrics_seconds, metrics_seconds_n);
    metric_set(metric_gauge(m, "fieldcast_ingest_queue_capacity_points",
                            "Points that a batch takes.", NULL),
               (double)s->o.points);
}

static void free_all(struct sink_influx *s)
{
    courier_free(s->courier);
    delivery_free(s->delivery);
    influx_free(s->o.in);
    for (int i = 0; i < 2; i++)
        batch_done(&s->loads[i].batch);
    message_done(&s->m);
    nap_done(&s->nap);
    free(s);
}

struct sink_influx *sink_influx_open(const struct sink_influx_opts *o, struct err *e)
{
    struct sink_influx *s = xcalloc(1, sizeof *s);
    s->o = *o;
    s->started_end = wal_end(o->wal);
    atomic_store(&s->written, wal_reader_pos(o->reader));
    nap_init(&s->nap);
    s->disk.nap = &s->nap;
    message_init(&s->m);
    for (int i = 0; i < 2; i++)
        batch_init(&s->loads[i].batch, o->points);
    s->next = &s->loads[0];
    s->delivery = delivery_new(o->in, &s->nap, o->state, o->metrics);
    burial_init(&s->burial, &(struct burial_opts){.letters = o->letters,
                                                  .how = o->how,
                                                  .reader = o->reader,
                                                  .disk = &s->disk,
                                                  .started_end = s->started_end,
                                                  .metrics = o->metrics});
    make_metrics(s, o->metrics);
    s->courier = courier_new(s->delivery, e);
    if (s->courier && pthread_create(&s->thread, NULL, run, s) == 0)
        return s;
    if (s->courier)
        err_set(e, ERR_INTERNAL, "could not start the thread that writes to InfluxDB");
    nap_stop(&s->nap);
    free_all(s);
    return NULL;
}

void sink_influx_close(struct sink_influx *s)
{
    if (!s)
        return;
    nap_stop(&s->nap);
    wal_wake(s->o.reader);
    pthread_join(s->thread, NULL);
    free_all(s);
}

int64_t sink_influx_written(const struct sink_influx *s)
{
    return atomic_load(&((struct sink_influx *)s)->written);
}

void sink_influx_flush(struct sink_influx *s)
{
    atomic_store(&s->flush, true);
    wal_wake(s->o.reader);
}
