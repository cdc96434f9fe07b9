/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "services/ingest/kafka_delivery.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/mem.h"

#define WINDOW 2048u /* messages on their way; some 2 MB in the library */
#define PING_MS 5000 /* how often an idle delivery looks whether Kafka is there */
#define PING_WAIT_MS 1500
#define SILENCE_MS 3000 /* without a report: is anybody there? */
#define IDLE_MS 25
#define BACKOFF_MS 50
#define BACKOFF_MOST_MS 5000

struct slot {
    int64_t pos; /* of the record */
    bool done;
};

struct kafka_delivery {
    struct kafka_delivery_opts o;
    struct kafka_producer *producer; /* NULL: could not be made */
    struct slot slot[WINDOW];        /* head..tail are on their way, by number % WINDOW */
    uint32_t head, tail;
    int64_t next;       /* where the first record begins that is not wholly put */
    int64_t end;        /* and where the one ends that was begun last */
    int64_t careful_to; /* up to here one message a batch: something was refused */
    bool single;        /* the producer was made so */
    bool answered;      /* a broker, since the last failure */
    bool up;            /* what the dep was told */
    bool again;         /* a delivery failed: go back */
    bool pause;         /* and not at once */
    bool failing;       /* since that, nothing was delivered */
    char why[480];
    int64_t backoff_ms, heard_ms; /* heard: monotonic */
    struct log_often refused;
    struct metric *messages[3];
};

int64_t kafka_delivery_delivered(const struct kafka_delivery *d)
{
    return d->head == d->tail ? d->next : d->slot[d->head % WINDOW].pos;
}

bool kafka_delivery_idle(const struct kafka_delivery *d)
{
    return d->head == d->tail;
}

static void tell(struct kafka_delivery *d, bool up, const char *why)
{
    d->up = up;
    if (up)
        dep_up(d->o.dep);
    else
        dep_down(d->o.dep, why);
}

static bool back_off(struct kafka_delivery *d)
{
    d->backoff_ms = d->backoff_ms ? d->backoff_ms * 2 : BACKOFF_MS;
    d->backoff_ms = d->backoff_ms < BACKOFF_MOST_MS ? d->backoff_ms : BACKOFF_MOST_MS;
    return nap_wait(d->o.nap, d->backoff_ms);
}

/* ---- what became of messages --------------------------------------------------------
 */

static void refuse(struct kafka_delivery *d, int64_t pos, const char *why)
{
    metric_add(d->messages[KAFKA_REFUSED], 1);
    log_often(&d->refused, LOG_ERROR,
              "Kafka refused a reading for good (log position %" PRId64 "): %s", pos,
              why);
}

static void fail(struct kafka_delivery *d, const char *why, bool pause)
{
    snprintf(d->why, sizeof d->why, "%s", why);
    d->again = true;
    d->pause |= pause;
}

static void on_report(void *arg, uint32_t tag, enum kafka_outcome o, const char *why)
{
    struct kafka_delivery *d = arg;
    struct slot *slot = &d->slot[tag % WINDOW];
    d->heard_ms = clock_mono_ms();
    if (o == KAFKA_AGAIN || (o == KAFKA_REFUSED && !d->single)) {
        if (o == KAFKA_REFUSED)
            d->careful_to = d->end;
        fail(d, why, o == KAFKA_AGAIN);
        metric_add(d->messages[KAFKA_AGAIN], 1);
        return;
    }
    if (o == KAFKA_REFUSED)
        refuse(d, slot->pos, why);
    else
        metric_add(d->messages[KAFKA_DELIVERED], 1);
    slot->done = true;
    while (d->head != d->tail && d->slot[d->head % WINDOW].done)
        d->head++;
    d->backoff_ms = 0;
    d->failing = false;
    if (!d->up)
        tell(d, true, "");
}

void kafka_delivery_watch(struct kafka_delivery *d)
{
    struct err e = ERR_INIT;
    int64_t quiet_ms = clock_mono_ms() - d->heard_ms;
    if (!d->producer || quiet_ms < (d->head == d->tail ? PING_MS : SILENCE_MS))
        return;
    if (kafka_producer_ping(d->producer, PING_WAIT_MS, &e))
        tell(d, false, e.text);
    else if (d->head == d->tail)
        tell(d, true, "");
    d->heard_ms = clock_mono_ms();
}

int kafka_delivery_put(struct kafka_delivery *d, const struct kafka_record *r)
{
    struct err e = ERR_INIT;
    bool refused;
    for (;;) {
        int rc = d->tail - d->head < WINDOW
                     ? kafka_produce(d->producer, r, d->tail, &refused, &e)
                     : 1;
        if (rc == 0) {
            d->slot[d->tail++ % WINDOW] = (struct slot){.pos = d->next};
            return 0;
        }
        if (rc < 0 && refused) {
            refuse(d, d->next, e.text);
            return 0;
        }
        if (rc < 0) {
            fail(d, e.text, true);
            return -1;
        }
        kafka_producer_poll(d->producer, IDLE_MS);
        kafka_delivery_watch(d);
        if (d->again || nap_stopped(d->o.nap))
            return -1;
    }
}

void kafka_delivery_refuse(struct kafka_delivery *d, const char *why)
{
    refuse(d, d->next, why);
}

bool kafka_delivery_takes(const struct kafka_delivery *d)
{
    return !d->single || d->next < d->careful_to;
}

void kafka_delivery_record(struct kafka_delivery *d, int64_t pos, int64_t end)
{
    d->next = pos;
    d->end = end;
}

void kafka_delivery_record_done(struct kafka_delivery *d)
{
    d->next = d->end;
}

/* ---- connection and going back ------------------------------------------------------
 */

static int make_producer(struct kafka_delivery *d, struct err *e)
{
    d->single = kafka_delivery_delivered(d) < d->careful_to;
    struct kafka_producer_opts o = {.set = d->o.set,
                                    .topic = d->o.topic,
                                    .timeout_ms = d->o.timeout_ms,
                                    .single = d->single,
                                    .on_report = on_report,
                                    .arg = d};
    d->producer = kafka_producer_open(&o, e);
    return d->producer ? 0 : -1;
}

/* With a producer that knows nothing of what was before. */
void kafka_delivery_begin(struct kafka_delivery *d, int64_t pos)
{
    kafka_producer_close(d->producer);
    d->producer = NULL;
    d->head = d->tail;
    d->next = d->end = pos;
    d->again = d->pause = false;
}

bool kafka_delivery_ready(struct kafka_delivery *d)
{
    struct err e = ERR_INIT;
    if (d->producer && d->answered)
        return true;
    bool made = d->producer || make_producer(d, &e) == 0;
    if (made) {
        kafka_producer_poll(d->producer, 0); /* hears why there is no connection */
        d->answered = kafka_producer_ping(d->producer, PING_WAIT_MS, &e) == 0;
    }
    if (made && d->answered) {
        d->heard_ms = clock_mono_ms();
        if (!d->up && !d->failing)
            tell(d, true, "");
        return true;
    }
    tell(d, false, e.text);
    back_off(d);
    return false;
}

static void go_back(struct kafka_delivery *d)
{
    bool pause = d->pause || !d->again;
    kafka_delivery_begin(d, kafka_delivery_delivered(d));
    d->answered = false;
    if (!pause)
        return; /* refused: the same at once, one by one */
    d->failing = true;
    tell(d, false, *d->why ? d->why : "the connection was given up");
    back_off(d);
}

bool kafka_delivery_listen(struct kafka_delivery *d, bool more)
{
    bool idle = d->head == d->tail;
    kafka_producer_poll(d->producer, more || idle ? 0 : IDLE_MS);
    if (d->again || kafka_producer_dead(d->producer))
        go_back(d);
    else if (d->single && d->head == d->tail && d->next >= d->careful_to)
        kafka_delivery_begin(d, d->next);
    else
        return false;
    return true;
}

void kafka_delivery_finish(struct kafka_delivery *d, int64_t wait_ms)
{
    for (int64_t until = clock_mono_ms() + wait_ms; d->producer && d->answered && d->up &&
                                                    d->head != d->tail && !d->again &&
                                                    clock_mono_ms() < until;)
        kafka_producer_poll(d->producer, IDLE_MS);
}

/* ---- life ---------------------------------------------------------------------------
 */

static void make_metrics(struct kafka_delivery *d, struct metrics *m)
{
    static const char *const results[] = {[KAFKA_DELIVERED] = "result=\"delivered\"",
                                          [KAFKA_AGAIN] = "result=\"again\"",
                                          [KAFKA_REFUSED] = "result=\"refused\""};
    for (int i = 0; i < 3; i++)
        d->messages[i] =
            metric_counter(m, "fieldcast_ingest_kafka_messages_total",
                           "Readings for Kafka: delivered, to be produced again, refused "
                           "for good.",
                           results[i]);
}

struct kafka_delivery *kafka_delivery_new(const struct kafka_delivery_opts *o,
                                          int64_t pos, struct err *e)
{
    struct kafka_delivery *d = xcalloc(1, sizeof *d);
    d->o = *o;
    d->next = d->end = pos;
    if (make_producer(d, e) == 0) {
        make_metrics(d, o->metrics);
        return d;
    }
    free(d);
    return NULL;
}

void kafka_delivery_free(struct kafka_delivery *d)
{
    if (d)
        kafka_producer_close(d->producer);
    free(d);
}
