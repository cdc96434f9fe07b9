/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "services/ingest/sink_kafka.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/mem.h"
#include "services/ingest/kafka_delivery.h"

#define FILL_RECORDS 512
#define REST_MS 1000                     /* most, when there is nothing to do at all */
#define READ_AHEAD (INT64_C(256) * 1024) /* a message waits for so many bytes more, */
#define GATHER_MS 10                     /* or so long */
#define BACKOFF_MS 50
#define CURSOR_MS 200 /* an idle moment apart, the cursor is saved so often */
#define CLOSE_WAIT_MS 1500

struct sink_kafka {
    struct sink_kafka_opts o;
    struct nap nap;
    pthread_t thread;
    struct kafka_delivery *delivery;
    struct message m; /* what the record being read says */
    struct buf value;
    int64_t cursor_ms; /* when it was last saved, monotonic */
    struct log_often unread, unsaved, too_long;
    atomic_llong delivered_to;
    struct metric *lag, *skipped;
};

/* ---- from records to messages -------------------------------------------------------
 */

static struct kafka_header text_header(const char *name, const char *text)
{
    return (struct kafka_header){name, text, strlen(text)};
}

static int put_reading(struct sink_kafka *s, const struct kafka_reading *k)
{
    static const char *const digit[] = {"0", "1", "2", "3"};
    const struct wal_record *rec = k->rec;
    buf_reset(&s->value);
    if (kafka_value(s->o.shape, k, &s->value)) {
        kafka_delivery_refuse(s->delivery, "it is too large");
        return 0;
    }
    struct kafka_header h[] = {
        text_header("mqtt.topic", rec->topic),
        text_header("mqtt.qos", digit[rec->flags & WAL_QOS]),
        text_header("mqtt.dup", digit[(rec->flags & WAL_DUP) != 0]),
        text_header("mqtt.retain", digit[(rec->flags & WAL_RETAIN) != 0]),
        text_header("fieldcast.shape", kafka_shape_name(s->o.shape)),
    };
    struct kafka_record r = {.key = kafka_value_key(s->o.shape, k->r),
                             .value = s->value.data,
                             .len = s->value.len,
                             .time_ms = k->r->time_ms,
                             .headers = h,
                             .n_headers = sizeof h / sizeof *h};
    return kafka_delivery_put(s->delivery, &r);
}

/* What a record means to Kafka: all that this file knows of understanding. */
static int put_record(struct sink_kafka *s, const struct wal_record *rec)
{
    struct account a;
    struct err why = ERR_INIT;
    int rc = 0;
    enum reject r = recall(&s->o.how, rec, &s->m, &a, &why);
    for (size_t i = 0; i < s->m.n && !r && !rc; i++) {
        struct kafka_reading k = {&s->m.item[i].r, s->m.decoder, rec};
        if (s->m.item[i].kind == ITEM_READING) /* status has its own way */
            rc = put_reading(s, &k);
    }
    account_done(&a);
    return rc;
}

/* Hands records over. True: there may be more at once. */
static bool fill(struct sink_kafka *s)
{
    struct wal_record rec;
    struct err e = ERR_INIT;
    int64_t pos;
    int rc = 0;
    for (int i = 0; i < FILL_RECORDS; i++) {
        if (!kafka_delivery_takes(s->delivery))
            return false;
        if ((rc = wal_read(s->o.reader, &rec, &pos, &e)) <= 0)
            break;
        kafka_delivery_record(s->delivery, pos, wal_reader_pos(s->o.reader));
        if (put_record(s, &rec)) {
            wal_reader_seek(s->o.reader, pos);
            return false;
        }
        kafka_delivery_record_done(s->delivery);
    }
    if (rc < 0) {
        log_often(&s->unread, LOG_ERROR, "nothing goes to Kafka until this is mended: %s",
                  e.text);
        nap_wait(&s->nap, BACKOFF_MS);
    }
    return rc > 0;
}

/* ---- the cursor ---------------------------------------------------------------------
 */

static void give_up_the_oldest(struct sink_kafka *s)
{
    int64_t pos = kafka_delivery_delivered(s->delivery);
    if (wal_end(s->o.wal) - pos <= s->o.backlog_bytes)
        return;
    wal_reader_seek(s->o.reader, pos);
    int64_t bytes = wal_reader_give_up(s->o.reader, s->o.backlog_bytes);
    kafka_delivery_begin(s->delivery, pos + bytes);
    metric_add(s->skipped, (double)bytes);
    log_often(&s->too_long, LOG_ERROR,
              "Kafka was away for too long: %" PRId64
              " bytes of the log never go there (FC_KAFKA_BACKLOG_MB)",
              bytes);
}

static void settle(struct sink_kafka *s, bool idle)
{
    struct err e = ERR_INIT;
    give_up_the_oldest(s);
    int64_t now_ms = clock_mono_ms(), pos = kafka_delivery_delivered(s->delivery);
    atomic_store(&s->delivered_to, pos);
    if (pos == wal_committed(s->o.reader) || (!idle && now_ms - s->cursor_ms < CURSOR_MS))
        return;
    s->cursor_ms = now_ms;
    if (wal_commit(s->o.reader, pos, &e))
        log_often(&s->unsaved, LOG_WARN, "%s", e.text);
}

/* ---- the thread ---------------------------------------------------------------------
 */

static void turn(struct sink_kafka *s)
{
    bool more = fill(s), idle = kafka_delivery_idle(s->delivery);
    bool again = kafka_delivery_listen(s->delivery, more);
    if (again)
        wal_reader_seek(s->o.reader, kafka_delivery_delivered(s->delivery));
    settle(s, idle);
    kafka_delivery_watch(s->delivery);
    if (!more && idle && !again)
        wal_wait_for_some(s->o.reader, REST_MS, READ_AHEAD, GATHER_MS);
}

static void *run(void *arg)
{
    struct sink_kafka *s = arg;
    while (!nap_stopped(&s->nap))
        if (kafka_delivery_ready(s->delivery))
            turn(s);
        else
            settle(s, false);
    kafka_delivery_finish(s->delivery, CLOSE_WAIT_MS);
    settle(s, true);
    return NULL;
}

/* ---- life ---------------------------------------------------------------------------
 */

static void update_lag(void *arg)
{
    struct sink_kafka *s = arg;
    metric_set(s->lag, (double)(wal_end(s->o.wal) - sink_kafka_delivered(s)));
}

static void make_metrics(struct sink_kafka *s, struct metrics *m)
{
    s->lag = metric_gauge(m, "fieldcast_ingest_kafka_lag_bytes",
                          "Bytes of the log that are not in Kafka yet.", NULL);
    s->skipped =
        metric_counter(m, "fieldcast_ingest_kafka_skipped_bytes_total",
                       "Bytes of the log that Kafka was away too long for.", NULL);
    metrics_on_render(m, update_lag, s);
}

static void free_all(struct sink_kafka *s)
{
    kafka_delivery_free(s->delivery);
    buf_done(&s->value);
    message_done(&s->m);
    nap_done(&s->nap);
    free(s);
}

struct sink_kafka *sink_kafka_open(const struct sink_kafka_opts *o, struct err *e)
{
    struct sink_kafka *s = xcalloc(1, sizeof *s);
    int64_t pos = wal_reader_pos(o->reader);
    s->o = *o;
    atomic_store(&s->delivered_to, pos);
    message_init(&s->m);
    buf_init(&s->value, KAFKA_VALUE_MAX);
    nap_init(&s->nap);
    struct kafka_delivery_opts d = {.set = o->set,
                                    .topic = o->topic,
                                    .timeout_ms = o->timeout_ms,
                                    .dep = o->dep,
                                    .nap = &s->nap,
                                    .metrics = o->metrics};
    s->delivery = kafka_delivery_new(&d, pos, e);
    if (s->delivery) {
        make_metrics(s, o->metrics);
        if (pthread_create(&s->thread, NULL, run, s) == 0)
            return s;
        err_set(e, ERR_INTERNAL, "could not start the thread that writes to Kafka");
    }
    free_all(s);
    return NULL;
}

void sink_kafka_close(struct sink_kafka *s)
{
    if (!s)
        return;
    nap_stop(&s->nap);
    wal_wake(s->o.reader);
    pthread_join(s->thread, NULL);
    free_all(s);
}

int64_t sink_kafka_delivered(const struct sink_kafka *s)
{
    return atomic_load(&((struct sink_kafka *)s)->delivered_to);
}
