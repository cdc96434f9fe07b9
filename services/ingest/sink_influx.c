/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "services/ingest/sink_influx.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/mem.h"
#include "services/ingest/batch.h"
#include "services/ingest/delivery.h"
#include "services/ingest/nap.h"
#include "services/ingest/raw.h"
#include "services/ingest/reading_json.h"

#define LOOK_MS 1000            /* an idle sink looks whether InfluxDB is there */
#define READ_AHEAD (256 * 1024) /* bytes of the log that are worth waking up for */
#define CURSOR_MS 200           /* an idle moment apart, the cursor is saved so often */

struct sink_influx {
    struct sink_influx_opts o;
    struct nap nap;
    pthread_t thread;
    struct message m; /* what the record being read says */
    struct batch batch;
    struct delivery *delivery;
    int64_t started_end; /* what lay in the log when we began */
    int64_t since_ms;    /* when the batch got its first record (monotonic) */
    int64_t cursor_ms;   /* when the cursor was last saved */
    bool said_stuck;     /* letters or marks could not be written: said once */
    struct log_often refused, unsaved, said_late;
    atomic_bool flush;
    atomic_llong written;
    struct metric *rejects[REJECT_N], *partly[REJECT_N], *stored, *misreads, *late,
        *queue, *delay;
};

/* ---- from records to lines
 * ----------------------------------------------------------------- */

/* A dead letter or mark that can not be written holds everything up: nothing is lost. */
static bool wait_for_disk(struct sink_influx *s, struct err *e)
{
    if (!s->said_stuck)
        log_error("nothing goes to InfluxDB until this is mended: %s", e->text);
    s->said_stuck = true;
    *e = (struct err)ERR_INIT;
    return nap_wait(&s->nap, 500);
}

static int keep_letter(struct sink_influx *s, const struct wal_record *rec, int64_t pos,
                       enum reject why, const char *detail, const char *device,
                       const struct letter_extra *extra)
{
    struct err e = ERR_INIT;
    while (deadletter_add(s->o.letters, pos, rec, why, detail, device, extra, &e))
        if (!wait_for_disk(s, &e))
            return -1;
    s->said_stuck = false;
    return 0;
}

static int bury(struct sink_influx *s, const struct wal_record *rec, int64_t pos,
                struct device *d, enum reject why, const char *detail, const char *device,
                const struct letter_extra *extra)
{
    if (keep_letter(s, rec, pos, why, detail, device, extra))
        return -1;
    ledger_rejected(s->o.how.ledger, d, why);
    metric_add(s->rejects[why], 1);
    return 0;
}

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
    batch_reading(&s->batch, &p, it);
    for (int k = 0; k < n; k++) {
        p.kind = POINT_RESTORE;
        p.hour = hour_of(restore[k]);
        batch_restore(&s->batch, &p, restore[k]);
    }
}

static void add_status(struct sink_influx *s, int64_t pos, const struct item *it,
                       bool now)
{
    struct point p = {
        .device = it->device, .pos = pos, .kind = POINT_STATUS, .good = true};
    if (now)
        ledger_online(s->o.how.ledger, it->device, it->online);
    batch_status(&s->batch, &p, it->online, it->r.time_ms);
}

/* What an account says was refused goes to the dead letters, once for the message. */
static int bury_refused(struct sink_influx *s, const struct wal_record *rec, int64_t pos,
                        const struct account *a)
{
    struct ledger *l = s->o.how.ledger;
    struct wal_record message = *rec;
    const char *device;
    size_t len = 0;
    char *raw = raw_get(a->root, &len);
    account_refused(a, 0, &device);
    if (!a->n && s->m.n)
        device = s->m.item[0].r.device;
    message.payload = raw ? raw : "";
    message.len = len;
    message.flags = a->cut ? rec->flags | WAL_CUT : rec->flags;
    if (a->received_ms)
        message.receive_ms = a->received_ms;
    struct letter_extra extra = {.taken = a->items, .before = a->before};
    int rc = keep_letter(s, &message, pos, a->reason, a->detail, device, &extra);
    free(raw);
    if (!a->n) /* values of readings that are stored without them */
        metric_add(s->partly[a->reason], 1);
    for (size_t i = 0; i < a->n && !rc; i++) {
        enum reject why = account_refused(a, i, &device);
        struct device *d = *device ? ledger_find(l, device) : NULL;
        if (pos < s->started_end)
            ledger_received(l, d, rec->receive_ms);
        ledger_rejected(l, d, why);
        metric_add(s->rejects[why], 1);
    }
    return rc;
}

static int add_record(struct sink_influx *s, const struct wal_record *rec, int64_t pos)
{
    struct account a;
    struct err why = ERR_INIT;
    struct message *m = &s->m;
    enum reject r = recall(&s->o.how, rec, m, &a, &why);
    struct device *first = m->n ? m->item[0].device : NULL;
    int rc = 0;
    if (r) {
        if (pos < s->started_end)
            ledger_received(s->o.how.ledger, first, rec->receive_ms);
        rc = bury(s, rec, pos, first, r, why.text, m->n ? m->item[0].r.device : "",
                  &(struct letter_extra){.logged = true});
    }
    batch_reserve(&s->batch, m->n * (1 + QUALITY_SUSTAIN));
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
        rc = bury_refused(s, rec, pos, &a);
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
    while (!batch_full(&s->batch) && (rc = wal_read(s->o.reader, &rec, &pos, &e)) > 0) {
        if (!any && !s->batch.n)
            s->since_ms = clock_mono_ms();
        any = 1;
        if (add_record(s, &rec, pos)) {
            wal_reader_seek(s->o.reader, pos);
            return -1;
        }
    }
    if (rc < 0 && !wait_for_disk(s, &e))
        return -1;
    metric_set(s->queue, (double)s->batch.n);
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

/* The letter of one point: its message if it was alone in it, else the reading as a
 * native message; with the point as it was to be written, for a replay. */
static int bury_item(struct sink_influx *s, const struct wal_record *rec, int64_t pos,
                     const struct point *p, const char *why)
{
    struct wal_record letter = *rec;
    struct letter_extra extra = {0};
    struct account a;
    struct err e = ERR_INIT;
    struct buf native;
    char topic[DEVICE_MAX + 24];
    buf_init(&native, ACCOUNT_BYTES);
    if (!recall(&s->o.how, rec, &s->m, &a, &e) && (size_t)p->item < s->m.n)
        extra.point = &s->m.item[p->item];
    if (a.received_ms)
        letter.receive_ms = a.received_ms;
    if ((rec->flags & WAL_ACCOUNT) && extra.point) {
        snprintf(topic, sizeof topic, "fieldcast/%s/readings", p->device->name);
        reading_write(&native, &extra.point->r, INT64_MIN);
        letter.topic = topic;
        letter.payload = native.data;
        letter.len = native.len;
    }
    account_done(&a);
    int rc = bury(s, &letter, pos, p->device, REJECT_REFUSED_BY_INFLUXDB, why,
                  p->device->name, &extra);
    buf_done(&native);
    return rc;
}

static int bury_point(struct sink_influx *s, const struct point *p, const char *why)
{
    struct wal_record rec;
    struct err e = ERR_INIT;
    int64_t pos, back = wal_reader_pos(s->o.reader);
    int rc;
    log_often(&s->refused, LOG_ERROR, "InfluxDB refused a point of %s: %s",
              p->device->name, why);
    if (p->kind == POINT_RESTORE)
        return 0;
    wal_reader_seek(s->o.reader, p->pos);
    while ((rc = wal_read(s->o.reader, &rec, &pos, &e)) < 0)
        if (!wait_for_disk(s, &e))
            break;
    if (rc > 0)
        rc = bury_item(s, &rec, pos, p, why);
    wal_reader_seek(s->o.reader, back);
    return rc;
}

/* Every point is stored or refused: counts the ones, buries the others. */
static int account(struct sink_influx *s)
{
    unsigned stored = 0, misreads = 0;
    for (size_t i = 0; i < s->batch.n; i++) {
        const struct point *p = &s->batch.p[i];
        if (p->state == POINT_STORED)
            count_stored(s, p, &stored, &misreads);
        else if (bury_point(s, p, batch_why(&s->batch, i)))
            return -1;
    }
    metric_add(s->stored, stored);
    metric_add(s->misreads, misreads);
    return 0;
}

/* Marks and cursor; when the cursor alone fails it is saved with the next batch. */
static int settle(struct sink_influx *s, bool idle)
{
    struct err e = ERR_INIT;
    int64_t now_ms = clock_mono_ms(), pos = wal_reader_pos(s->o.reader);
    while (hours_save(s->o.hours, &e))
        if (!wait_for_disk(s, &e))
            return -1;
    s->said_stuck = false;
    atomic_store(&s->written, pos);
    if (pos != wal_committed(s->o.reader) &&
        (idle || now_ms - s->cursor_ms >= CURSOR_MS)) {
        s->cursor_ms = now_ms;
        if (wal_commit(s->o.reader, pos, &e))
            log_often(&s->unsaved, LOG_WARN, "%s", e.text);
    }
    return 0;
}

static int deliver(struct sink_influx *s)
{
    if (s->batch.n && (delivery_write(s->delivery, &s->batch) || account(s)))
        return -1;
    if (!clock_is_virtual() && s->batch.n)
        metric_observe(s->delay, (double)(clock_mono_ms() - s->since_ms) / 1000);
    batch_reset(&s->batch);
    metric_set(s->queue, 0);
    return settle(s, wal_reader_pos(s->o.reader) >= wal_end(s->o.wal));
}

/* ---- the thread
 * ---------------------------------------------------------------------------- */

static bool due(struct sink_influx *s, int64_t *left_ms)
{
    *left_ms = LOOK_MS;
    if (!s->batch.n)
        return wal_reader_pos(s->o.reader) != atomic_load(&s->written);
    *left_ms = s->since_ms + s->o.flush_ms - clock_mono_ms();
    return batch_full(&s->batch) || *left_ms <= 0;
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
        if (due(s, &left_ms) || flush) {
            if (deliver(s))
                break;
        } else if (!batch_full(&s->batch)) {
            if (!s->batch.n && settle(s, true))
                break;
            delivery_look(s->delivery);
            /* with a batch begun there is no hurry: wait until there is more to read at
             * once */
            int64_t pos = wal_reader_pos(s->o.reader) + (s->batch.n ? READ_AHEAD : 0);
            if (!atomic_load(&s->flush))
                wal_wait(s->o.reader, pos, left_ms);
        }
    }
    return NULL;
}

/* ---- life
 * ---------------------------------------------------------------------------------- */

static void make_metrics(struct sink_influx *s, struct metrics *m)
{
    char labels[80];
    for (int i = REJECT_NONE + 1; i < REJECT_N; i++) {
        snprintf(labels, sizeof labels, "reason=\"%s\"", reject_name((enum reject)i));
        s->rejects[i] = metric_counter(m, "fieldcast_ingest_rejects_total",
                                       "Readings that became dead letters.", labels);
        s->partly[i] = metric_counter(
            m, "fieldcast_ingest_partly_refused_total",
            "Readings stored without values that became dead letters.", labels);
    }
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
    delivery_free(s->delivery);
    influx_free(s->o.in);
    batch_done(&s->batch);
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
    message_init(&s->m);
    batch_init(&s->batch, o->points);
    s->delivery = delivery_new(o->in, &s->nap, o->state, o->metrics);
    make_metrics(s, o->metrics);
    if (pthread_create(&s->thread, NULL, run, s) == 0)
        return s;
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
