/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "services/ingest/sink_kafka.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/mem.h"
#include "services/ingest/nap.h"
#include "services/ingest/understand.h"

#define WINDOW 2048u /* messages on their way; some 2 MB in the library */
#define FILL_RECORDS 512
#define PING_MS 5000 /* how often an idle sink looks whether Kafka is there */
#define PING_WAIT_MS 1500
#define SILENCE_MS 3000 /* without a report: is anybody there? */
#define IDLE_MS 25
#define REST_MS 1000                     /* most, when there is nothing to do at all */
#define READ_AHEAD (INT64_C(256) * 1024) /* a message waits for so many bytes more, */
#define GATHER_MS 10                     /* or so long */
#define BACKOFF_MS 50
#define BACKOFF_MOST_MS 5000
#define CURSOR_MS 200 /* an idle moment apart, the cursor is saved so often */
#define CLOSE_WAIT_MS 1500

struct slot {
    int64_t pos; /* of the record */
    bool done;
};

struct sink_kafka {
    struct sink_kafka_opts o;
    struct nap nap;
    pthread_t thread;
    struct kafka_producer *producer; /* NULL: could not be made */
    struct slot slot[WINDOW];        /* head..tail are on their way, by number % WINDOW */
    uint32_t head, tail;
    int64_t next;       /* where the first record begins that is not wholly handed over */
    int64_t careful_to; /* up to here one message a batch: something was refused */
    bool single;        /* the producer was made so */
    bool answered;      /* a broker, since the last failure */
    bool up;            /* what the dep was told */
    bool again;         /* a delivery failed: go back */
    bool pause;         /* and not at once */
    bool failing;       /* since that, nothing was delivered */
    char why[480];
    int64_t backoff_ms, heard_ms, cursor_ms; /* the last two monotonic */
    struct message m;                        /* what the record being read says */
    struct buf value;
    struct log_often refused, unread, unsaved, too_long;
    atomic_llong delivered_to;
    struct metric *messages[3], *lag, *skipped;
};

static int64_t delivered_to(const struct sink_kafka *s)
{
    return s->head == s->tail ? s->next : s->slot[s->head % WINDOW].pos;
}

static void tell(struct sink_kafka *s, bool up, const char *why)
{
    s->up = up;
    if (up)
        dep_up(s->o.dep);
    else
        dep_down(s->o.dep, why);
}

static bool back_off(struct sink_kafka *s)
{
    s->backoff_ms = s->backoff_ms ? s->backoff_ms * 2 : BACKOFF_MS;
    s->backoff_ms = s->backoff_ms < BACKOFF_MOST_MS ? s->backoff_ms : BACKOFF_MOST_MS;
    return nap_wait(&s->nap, s->backoff_ms);
}

/* ---- from records to messages -------------------------------------------------------
 */

static void refuse(struct sink_kafka *s, int64_t pos, const char *why)
{
    metric_add(s->messages[KAFKA_REFUSED], 1);
    log_often(&s->refused, LOG_ERROR,
              "Kafka refused a reading for good (log position %" PRId64 "): %s", pos,
              why);
}

static void fail(struct sink_kafka *s, const char *why, bool pause)
{
    snprintf(s->why, sizeof s->why, "%s", why);
    s->again = true;
    s->pause |= pause;
}

static void on_report(void *arg, uint32_t tag, enum kafka_outcome o, const char *why)
{
    struct sink_kafka *s = arg;
    struct slot *slot = &s->slot[tag % WINDOW];
    s->heard_ms = clock_mono_ms();
    if (o == KAFKA_AGAIN || (o == KAFKA_REFUSED && !s->single)) {
        if (o == KAFKA_REFUSED)
            s->careful_to = wal_reader_pos(s->o.reader);
        fail(s, why, o == KAFKA_AGAIN);
        metric_add(s->messages[KAFKA_AGAIN], 1);
        return;
    }
    if (o == KAFKA_REFUSED)
        refuse(s, slot->pos, why);
    else
        metric_add(s->messages[KAFKA_DELIVERED], 1);
    slot->done = true;
    while (s->head != s->tail && s->slot[s->head % WINDOW].done)
        s->head++;
    s->backoff_ms = 0;
    s->failing = false;
    if (!s->up)
        tell(s, true, "");
}

/* Nothing was heard for a while though something is on its way, or is not asked for. */
static void watch(struct sink_kafka *s)
{
    struct err e = ERR_INIT;
    int64_t quiet_ms = clock_mono_ms() - s->heard_ms;
    if (!s->producer || quiet_ms < (s->head == s->tail ? PING_MS : SILENCE_MS))
        return;
    if (kafka_producer_ping(s->producer, PING_WAIT_MS, &e))
        tell(s, false, e.text);
    else if (s->head == s->tail)
        tell(s, true, "");
    s->heard_ms = clock_mono_ms();
}

/* Waits for room; -1 on a failure or a stop. */
static int put(struct sink_kafka *s, const struct kafka_record *r)
{
    struct err e = ERR_INIT;
    bool refused;
    for (;;) {
        int rc = s->tail - s->head < WINDOW
                     ? kafka_produce(s->producer, r, s->tail, &refused, &e)
                     : 1;
        if (rc == 0) {
            s->slot[s->tail++ % WINDOW] = (struct slot){.pos = s->next};
            return 0;
        }
        if (rc < 0 && refused) {
            refuse(s, s->next, e.text);
            return 0;
        }
        if (rc < 0) {
            fail(s, e.text, true);
            return -1;
        }
        kafka_producer_poll(s->producer, IDLE_MS);
        watch(s);
        if (s->again || nap_stopped(&s->nap))
            return -1;
    }
}

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
        refuse(s, s->next, "it is too large");
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
    return put(s, &r);
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
        if (s->single && s->next >= s->careful_to)
            return false; /* first the last of these is delivered */
        if ((rc = wal_read(s->o.reader, &rec, &pos, &e)) <= 0)
            break;
        s->next = pos;
        if (put_record(s, &rec)) {
            wal_reader_seek(s->o.reader, pos);
            return false;
        }
        s->next = wal_reader_pos(s->o.reader);
    }
    if (rc < 0) {
        log_often(&s->unread, LOG_ERROR, "nothing goes to Kafka until this is mended: %s",
                  e.text);
        nap_wait(&s->nap, BACKOFF_MS);
    }
    return rc > 0;
}

/* ---- connection and going back ------------------------------------------------------
 */

static int make_producer(struct sink_kafka *s, struct err *e)
{
    s->single = delivered_to(s) < s->careful_to;
    struct kafka_producer_opts o = {.set = s->o.set,
                                    .topic = s->o.topic,
                                    .timeout_ms = s->o.timeout_ms,
                                    .single = s->single,
                                    .on_report = on_report,
                                    .arg = s};
    s->producer = kafka_producer_open(&o, e);
    return s->producer ? 0 : -1;
}

/* Begins anew at a position, with a producer that knows nothing of what was before. */
static void begin_at(struct sink_kafka *s, int64_t pos)
{
    kafka_producer_close(s->producer);
    s->producer = NULL;
    s->head = s->tail;
    s->next = pos;
    s->again = s->pause = false;
    wal_reader_seek(s->o.reader, pos);
}

static bool ready(struct sink_kafka *s)
{
    struct err e = ERR_INIT;
    if (s->producer && s->answered)
        return true;
    bool made = s->producer || make_producer(s, &e) == 0;
    if (made) {
        kafka_producer_poll(s->producer, 0); /* hears why there is no connection */
        s->answered = kafka_producer_ping(s->producer, PING_WAIT_MS, &e) == 0;
    }
    if (made && s->answered) {
        s->heard_ms = clock_mono_ms();
        if (!s->up && !s->failing)
            tell(s, true, "");
        return true;
    }
    tell(s, false, e.text);
    back_off(s);
    return false;
}

static void go_back(struct sink_kafka *s)
{
    bool pause = s->pause || !s->again;
    begin_at(s, delivered_to(s));
    s->answered = false;
    if (!pause)
        return; /* refused: the same at once, one by one */
    s->failing = true;
    tell(s, false, *s->why ? s->why : "the connection was given up");
    back_off(s);
}

/* ---- the cursor ---------------------------------------------------------------------
 */

/* Reads past what may not be kept any longer. */
static void give_up_the_oldest(struct sink_kafka *s)
{
    int64_t pos = delivered_to(s);
    if (wal_end(s->o.wal) - pos <= s->o.backlog_bytes)
        return;
    begin_at(s, pos);
    int64_t bytes = wal_reader_give_up(s->o.reader, s->o.backlog_bytes);
    begin_at(s, pos + bytes);
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
    int64_t now_ms = clock_mono_ms(), pos = delivered_to(s);
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
    bool more = fill(s), idle = s->head == s->tail;
    kafka_producer_poll(s->producer, more || idle ? 0 : IDLE_MS);
    if (s->again || kafka_producer_dead(s->producer))
        go_back(s);
    else if (s->single && s->head == s->tail && s->next >= s->careful_to)
        begin_at(s, delivered_to(s));
    settle(s, idle);
    watch(s);
    if (!more && idle && s->producer)
        wal_wait_for_some(s->o.reader, REST_MS, READ_AHEAD, GATHER_MS);
}

static void *run(void *arg)
{
    struct sink_kafka *s = arg;
    while (!nap_stopped(&s->nap))
        if (ready(s))
            turn(s);
        else
            settle(s, false);
    for (int64_t until = clock_mono_ms() + CLOSE_WAIT_MS;
         s->producer && s->answered && s->up && s->head != s->tail && !s->again &&
         clock_mono_ms() < until;)
        kafka_producer_poll(s->producer, IDLE_MS);
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
    static const char *const results[] = {[KAFKA_DELIVERED] = "result=\"delivered\"",
                                          [KAFKA_AGAIN] = "result=\"again\"",
                                          [KAFKA_REFUSED] = "result=\"refused\""};
    for (int i = 0; i < 3; i++)
        s->messages[i] =
            metric_counter(m, "fieldcast_ingest_kafka_messages_total",
                           "Readings for Kafka: delivered, to be produced again, refused "
                           "for good.",
                           results[i]);
    s->lag = metric_gauge(m, "fieldcast_ingest_kafka_lag_bytes",
                          "Bytes of the log that are not in Kafka yet.", NULL);
    s->skipped =
        metric_counter(m, "fieldcast_ingest_kafka_skipped_bytes_total",
                       "Bytes of the log that Kafka was away too long for.", NULL);
    metrics_on_render(m, update_lag, s);
}

struct sink_kafka *sink_kafka_open(const struct sink_kafka_opts *o, struct err *e)
{
    struct sink_kafka *s = xcalloc(1, sizeof *s);
    s->o = *o;
    s->next = wal_reader_pos(o->reader);
    atomic_store(&s->delivered_to, s->next);
    message_init(&s->m);
    buf_init(&s->value, KAFKA_VALUE_MAX);
    nap_init(&s->nap);
    if (make_producer(s, e) == 0) {
        make_metrics(s, o->metrics);
        if (pthread_create(&s->thread, NULL, run, s) == 0)
            return s;
        err_set(e, ERR_INTERNAL, "could not start the thread that writes to Kafka");
    }
    kafka_producer_close(s->producer);
    buf_done(&s->value);
    message_done(&s->m);
    nap_done(&s->nap);
    free(s);
    return NULL;
}

void sink_kafka_close(struct sink_kafka *s)
{
    if (!s)
        return;
    nap_stop(&s->nap);
    wal_wake(s->o.reader);
    pthread_join(s->thread, NULL);
    kafka_producer_close(s->producer);
    buf_done(&s->value);
    message_done(&s->m);
    nap_done(&s->nap);
    free(s);
}

int64_t sink_kafka_delivered(const struct sink_kafka *s)
{
    return atomic_load(&((struct sink_kafka *)s)->delivered_to);
}
