/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "services/ingest/kafka_in.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/mem.h"
#include "services/ingest/nap.h"

#define WAIT_MS 100 /* for a message; and so the longest that a stop waits */
#define PING_MS 5000
#define PING_WAIT_MS 1500
#define RETRY_MS 100
#define TROUBLE_MS 1000

struct kafka_in {
    struct kafka_in_opts o;
    char *names; /* owned; cut in place */
    const char *list[KAFKA_IN_TOPICS_MAX + 1];
    struct kafka_consumer *consumer;
    struct nap nap;
    pthread_t thread;
    int64_t heard_ms; /* monotonic */
    struct log_often trouble;
    struct metric *empty;
};

/* ---- topics -------------------------------------------------------------------------
 */

static int split(struct kafka_in *in, const char *topics, struct err *e)
{
    size_t n = 0;
    char *save;
    in->names = xstrdup(topics);
    for (char *t = strtok_r(in->names, ", ", &save); t; t = strtok_r(NULL, ", ", &save)) {
        if (n == KAFKA_IN_TOPICS_MAX)
            return err_set(e, ERR_INVALID, "FC_KAFKA_SOURCE_TOPICS has more than %d",
                           KAFKA_IN_TOPICS_MAX);
        if (!kafka_topic_valid(t))
            return err_set(e, ERR_INVALID,
                           "FC_KAFKA_SOURCE_TOPICS: \"%.250s\" is not a topic: 1 to 249 "
                           "letters, digits, '.', '_' and '-'",
                           t);
        in->list[n++] = t;
    }
    return n ? 0 : err_set(e, ERR_INVALID, "FC_KAFKA_SOURCE_TOPICS names no topic");
}

int kafka_in_check(const char *topics, const char *sink_topic, struct err *e)
{
    struct kafka_in in = {0};
    int rc = split(&in, topics, e);
    for (const char **t = in.list; rc == 0 && sink_topic && *t; t++)
        if (!strcmp(*t, sink_topic))
            rc = err_set(e, ERR_INVALID,
                         "FC_KAFKA_SOURCE_TOPICS: ingest writes to \"%s\" itself and "
                         "would read its own readings again; take another topic, or set "
                         "FC_KAFKA_PRESET=none",
                         sink_topic);
    free(in.names);
    return rc;
}

/* ---- messages -----------------------------------------------------------------------
 */

static int digit(const struct kafka_consumer *c, const char *name)
{
    size_t len;
    const char *v = kafka_consumer_header(c, name, &len);
    return v && len == 1 && *v >= '0' && *v <= '3' ? *v - '0' : 0;
}

/* A bridge's own words about the message that it passed on; not those of another
 * Fieldcast, whose value is no longer in the shape of that topic. */
static void describe(const struct kafka_consumer *c, const struct kafka_message *m,
                     struct arrival *a, char topic[WAL_TOPIC_MAX + 1])
{
    size_t len, unused;
    const char *mqtt = kafka_consumer_header(c, "mqtt.topic", &len);
    if (mqtt && len && len <= WAL_TOPIC_MAX && !memchr(mqtt, '\0', len) &&
        !kafka_consumer_header(c, "fieldcast.shape", &unused)) {
        memcpy(topic, mqtt, len);
        topic[len] = '\0';
        a->flags = (unsigned)digit(c, "mqtt.qos") | (digit(c, "mqtt.dup") ? WAL_DUP : 0) |
                   (digit(c, "mqtt.retain") ? WAL_RETAIN : 0);
    } else {
        snprintf(topic, WAL_TOPIC_MAX + 1, "kafka/%s", m->topic);
    }
    a->topic = topic;
    a->flags |= m->again ? WAL_DUP : 0;
    arrival_cut(a, a->len);
}

/* Until it is in the log: 0; -1 on a stop. */
static int take(struct kafka_in *in, const struct arrival *a)
{
    struct err e = ERR_INIT;
    bool waited = false;
    while (intake_take(in->o.intake, a, &e)) {
        dep_down(in->o.log, e.text);
        e = (struct err)ERR_INIT;
        waited = true;
        if (!nap_wait(&in->nap, RETRY_MS))
            return -1;
    }
    if (waited)
        dep_up(in->o.log);
    return 0;
}

static int take_message(struct kafka_in *in, const struct kafka_message *m)
{
    char topic[WAL_TOPIC_MAX + 1];
    struct arrival a = {.payload = m->value, .len = m->len, .from_kafka = true};
    if (!m->value) {
        metric_add(in->empty, 1);
    } else {
        describe(in->consumer, m, &a, topic);
        if (take(in, &a))
            return -1;
    }
    kafka_consumer_taken(in->consumer);
    return 0;
}

/* ---- the thread ---------------------------------------------------------------------
 */

static void ping(struct kafka_in *in)
{
    struct err e = ERR_INIT;
    int64_t now_ms = clock_mono_ms();
    if (now_ms - in->heard_ms < PING_MS)
        return;
    if (kafka_consumer_ping(in->consumer, PING_WAIT_MS, &e))
        dep_down(in->o.kafka, e.text);
    else
        dep_up(in->o.kafka);
    in->heard_ms = clock_mono_ms();
}

static void *run(void *arg)
{
    struct kafka_in *in = arg;
    while (!nap_stopped(&in->nap)) {
        struct kafka_message m;
        struct err e = ERR_INIT;
        int rc = kafka_consumer_next(in->consumer, WAIT_MS, &m, &e);
        if (rc > 0) {
            if (clock_mono_ms() - in->heard_ms >= PING_MS)
                dep_up(in->o.kafka);
            in->heard_ms = clock_mono_ms();
            if (take_message(in, &m))
                break;
            continue;
        }
        if (rc < 0) {
            log_often(&in->trouble, LOG_WARN, "Kafka as a source: %s", e.text);
            nap_wait(&in->nap, TROUBLE_MS);
        }
        ping(in);
    }
    return NULL;
}

/* ---- life ---------------------------------------------------------------------------
 */

static void free_in(struct kafka_in *in)
{
    kafka_consumer_close(in->consumer);
    nap_done(&in->nap);
    free(in->names);
    free(in);
}

struct kafka_in *kafka_in_open(const struct kafka_in_opts *o, struct err *e)
{
    struct kafka_in *in = xcalloc(1, sizeof *in);
    in->o = *o;
    in->heard_ms = clock_mono_ms() - PING_MS;
    nap_init(&in->nap);
    /* the intake counts those that it takes */
    in->empty = metric_counter(o->metrics, "fieldcast_ingest_kafka_consumed_total",
                               "Kafka messages taken.", "result=\"empty\"");
    if (split(in, o->topics, e) == 0 &&
        (in->consumer = kafka_consumer_open(o->set, o->group, in->list, e))) {
        if (pthread_create(&in->thread, NULL, run, in) == 0)
            return in;
        err_set(e, ERR_INTERNAL, "could not start the thread that reads from Kafka");
    }
    free_in(in);
    return NULL;
}

void kafka_in_close(struct kafka_in *in)
{
    if (!in)
        return;
    nap_stop(&in->nap);
    pthread_join(in->thread, NULL);
    free_in(in);
}
