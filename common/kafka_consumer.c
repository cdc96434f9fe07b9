/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The consumer: hands messages out, and commits what was taken of them. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/clock.h"
#include "common/kafka_internal.h"
#include "common/mem.h"

#define COMMIT_MS 200       /* what is taken is committed so soon */
#define COMMIT_WAIT_MS 2000 /* and the answer waited for so long */
#define CLOSE_WAIT_MS 2000
#define ANSWER_MS 1000 /* a fetch before it may wait for 500 */

struct part {
    char *topic; /* owned */
    int32_t partition;
    int64_t first;            /* the first message since it is ours; -1: none yet */
    int64_t taken, committed; /* the next one to take; -1: none yet */
};

struct kafka_consumer {
    struct kafka_trouble trouble; /* first: see on_error() */
    rd_kafka_t *rk;
    struct part *part; /* those that are ours; owned */
    size_t n_parts;
    rd_kafka_message_t *m; /* handed out last; owned */
    struct part *m_part;
    int64_t commit_ms; /* when it was last committed (monotonic) */
    size_t uncommitted;
    bool doubtful; /* the last commit was not answered: ask before the next */
};

/* ---- commits ------------------------------------------------------------------------
 */

/* Errors that say: the partitions are another's, or will be dealt out anew. What was not
 * committed comes again, to whoever has them then. */
static bool is_lost(rd_kafka_resp_err_t code)
{
    return code == RD_KAFKA_RESP_ERR_ILLEGAL_GENERATION ||
           code == RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID ||
           code == RD_KAFKA_RESP_ERR_REBALANCE_IN_PROGRESS ||
           code == RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID ||
           code == RD_KAFKA_RESP_ERR__ASSIGNMENT_LOST ||
           code == RD_KAFKA_RESP_ERR__NO_OFFSET;
}

/* rd_kafka_commit() has no time-out; this has. */
static rd_kafka_resp_err_t
commit_list(rd_kafka_t *rk, const rd_kafka_topic_partition_list_t *list, int timeout_ms)
{
    rd_kafka_queue_t *q = rd_kafka_queue_new(rk);
    rd_kafka_resp_err_t code = rd_kafka_commit_queue(rk, list, q, NULL, NULL);
    if (!code) {
        rd_kafka_event_t *event = rd_kafka_queue_poll(q, timeout_ms);
        code = event ? rd_kafka_event_error(event) : RD_KAFKA_RESP_ERR__TIMED_OUT;
        rd_kafka_event_destroy(event);
    }
    rd_kafka_queue_destroy(q);
    return code;
}

static int commit(struct kafka_consumer *c, int timeout_ms, struct err *e)
{
    /* a commit that was begun cannot be called off, and holds up the end of the process
     * for seconds: no second one after nobody */
    if (c->doubtful && kafka_ask(c->rk, NULL, ANSWER_MS, &c->trouble, e))
        return err_prefix(e, "could not commit");
    rd_kafka_topic_partition_list_t *list =
        rd_kafka_topic_partition_list_new((int)c->n_parts + 1);
    for (size_t i = 0; i < c->n_parts; i++)
        if (c->part[i].taken > c->part[i].committed)
            rd_kafka_topic_partition_list_add(list, c->part[i].topic,
                                              c->part[i].partition)
                ->offset = c->part[i].taken;
    rd_kafka_resp_err_t code = list->cnt ? commit_list(c->rk, list, timeout_ms) : 0;
    rd_kafka_topic_partition_list_destroy(list);
    c->doubtful = code == RD_KAFKA_RESP_ERR__TIMED_OUT;
    if (code && !is_lost(code))
        return err_set(e, ERR_UNAVAILABLE, "could not commit: %s",
                       rd_kafka_err2str(code));
    for (size_t i = 0; i < c->n_parts; i++)
        c->part[i].committed = c->part[i].taken;
    c->uncommitted = 0;
    c->commit_ms = clock_mono_ms();
    return 0;
}

static bool commit_is_due(const struct kafka_consumer *c)
{
    return c->uncommitted && (c->uncommitted >= KAFKA_UNCOMMITTED_MAX ||
                              clock_mono_ms() - c->commit_ms >= COMMIT_MS);
}

/* ---- which partitions are ours ------------------------------------------------------
 */

static void forget_parts(struct kafka_consumer *c)
{
    for (size_t i = 0; i < c->n_parts; i++)
        free(c->part[i].topic);
    free(c->part);
    c->part = NULL;
    c->n_parts = 0;
    c->m_part = NULL;
    c->uncommitted = 0;
}

static void on_rebalance(rd_kafka_t *rk, rd_kafka_resp_err_t code,
                         rd_kafka_topic_partition_list_t *list, void *opaque)
{
    struct kafka_consumer *c = opaque;
    bool assign = code == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS;
    if (!assign && c->uncommitted && !rd_kafka_assignment_lost(rk)) {
        struct err e = ERR_INIT;
        if (commit(c, CLOSE_WAIT_MS, &e)) /* then they come again, elsewhere */
            c->uncommitted = 0;
    }
    forget_parts(c);
    if (assign && list->cnt) {
        c->n_parts = (size_t)list->cnt;
        c->part = xcalloc(c->n_parts, sizeof *c->part);
        for (size_t i = 0; i < c->n_parts; i++)
            c->part[i] = (struct part){.topic = xstrdup(list->elems[i].topic),
                                       .partition = list->elems[i].partition,
                                       .first = -1,
                                       .taken = -1,
                                       .committed = -1};
    }
    rd_kafka_assign(rk, assign ? list : NULL);
}

static struct part *find_part(const struct kafka_consumer *c, const char *topic,
                              int32_t partition)
{
    for (size_t i = 0; i < c->n_parts; i++)
        if (c->part[i].partition == partition && !strcmp(c->part[i].topic, topic))
            return &c->part[i];
    return NULL;
}

/* ---- messages -----------------------------------------------------------------------
 */

static void put_back(struct kafka_consumer *c)
{
    if (c->m)
        rd_kafka_message_destroy(c->m);
    c->m = NULL;
    c->m_part = NULL;
}

static int said(struct kafka_consumer *c, const rd_kafka_message_t *m, struct err *e)
{
    const char *text = m->payload ? m->payload : rd_kafka_err2str(m->err);
    if (m->err == RD_KAFKA_RESP_ERR__FATAL)
        c->trouble.dead = true;
    return err_set(e, ERR_UNAVAILABLE, "could not consume: %s", text);
}

static void fill(struct kafka_consumer *c, struct kafka_message *m)
{
    rd_kafka_timestamp_type_t kind;
    struct part *p = c->m_part;
    *m = (struct kafka_message){.topic = rd_kafka_topic_name(c->m->rkt),
                                .partition = c->m->partition,
                                .offset = c->m->offset,
                                .value = c->m->payload,
                                .len = c->m->len};
    m->time_ms = rd_kafka_message_timestamp(c->m, &kind);
    if (kind == RD_KAFKA_TIMESTAMP_NOT_AVAILABLE)
        m->time_ms = -1;
    if (p->first < 0)
        p->first = m->offset;
    m->again = m->offset < p->first + KAFKA_UNCOMMITTED_MAX;
}

int kafka_consumer_next(struct kafka_consumer *c, int timeout_ms, struct kafka_message *m,
                        struct err *e)
{
    put_back(c);
    if (commit_is_due(c) && commit(c, COMMIT_WAIT_MS, e))
        return -1;
    rd_kafka_message_t *got = rd_kafka_consumer_poll(c->rk, timeout_ms);
    if (!got)
        return 0;
    c->m = got;
    if (got->err) {
        int rc = said(c, got, e);
        put_back(c);
        return rc;
    }
    c->m_part = find_part(c, rd_kafka_topic_name(got->rkt), got->partition);
    if (!c->m_part) { /* no longer ours */
        put_back(c);
        return 0;
    }
    fill(c, m);
    return 1;
}

const void *kafka_consumer_header(const struct kafka_consumer *c, const char *name,
                                  size_t *len)
{
    rd_kafka_headers_t *headers;
    const void *value = NULL;
    *len = 0;
    if (!c->m || rd_kafka_message_headers(c->m, &headers) ||
        rd_kafka_header_get_last(headers, name, &value, len))
        return NULL;
    return value;
}

void kafka_consumer_taken(struct kafka_consumer *c)
{
    if (!c->m || !c->m_part)
        return;
    if (!c->uncommitted++)
        c->commit_ms = clock_mono_ms();
    c->m_part->taken = c->m->offset + 1;
}

int kafka_consumer_ping(struct kafka_consumer *c, int timeout_ms, struct err *e)
{
    return kafka_ask(c->rk, NULL, timeout_ms, &c->trouble, e);
}

/* ---- life ---------------------------------------------------------------------------
 */

static int subscribe(struct kafka_consumer *c, const char *const *topics, struct err *e)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(4);
    for (; *topics; topics++)
        rd_kafka_topic_partition_list_add(list, *topics, RD_KAFKA_PARTITION_UA);
    rd_kafka_resp_err_t code = rd_kafka_subscribe(c->rk, list);
    rd_kafka_topic_partition_list_destroy(list);
    return code ? err_set(e, ERR_INVALID, "could not subscribe to Kafka: %s",
                          rd_kafka_err2str(code))
                : 0;
}

struct kafka_consumer *kafka_consumer_open(const struct kafka_settings *set,
                                           const char *group, const char *const *topics,
                                           struct err *e)
{
    const struct kafka_option options[] = {
        {"group.id", group},
        {"auto.offset.reset", "earliest"},
        {"enable.auto.commit", "false"},
        {"enable.auto.offset.store", "false"},
        {"session.timeout.ms", "6000"}, /* a killed member holds its partitions so long */
        {"heartbeat.interval.ms", "2000"},
        {"max.poll.interval.ms", "300000"},
        {"queued.min.messages", "1000"},
        {"queued.max.messages.kbytes", "1024"},
        {"fetch.message.max.bytes", "262144"},
        {"fetch.max.bytes", "1048576"},
        {"receive.message.max.bytes", "16777216"},
        {"topic.metadata.refresh.interval.ms", "10000"},
        {NULL, NULL},
    };
    struct kafka_consumer *c = xcalloc(1, sizeof *c);
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_conf_set_rebalance_cb(conf, on_rebalance);
    c->rk = kafka_handle(RD_KAFKA_CONSUMER, conf, set, options, c, e);
    if (c->rk) {
        rd_kafka_poll_set_consumer(c->rk);
        if (subscribe(c, topics, e) == 0)
            return c;
    }
    kafka_consumer_close(c);
    return NULL;
}

/* rd_kafka_consumer_close() waits for the coordinator without an end; this does not. */
static void leave(struct kafka_consumer *c)
{
    rd_kafka_queue_t *q = rd_kafka_queue_new(c->rk);
    rd_kafka_error_t *error = rd_kafka_consumer_close_queue(c->rk, q);
    int64_t until = clock_mono_ms() + CLOSE_WAIT_MS;
    while (!error && !rd_kafka_consumer_closed(c->rk) && clock_mono_ms() < until) {
        rd_kafka_event_t *event = rd_kafka_queue_poll(q, 50);
        if (rd_kafka_event_type(event) == RD_KAFKA_EVENT_REBALANCE)
            on_rebalance(c->rk, rd_kafka_event_error(event),
                         rd_kafka_event_topic_partition_list(event), c);
        rd_kafka_event_destroy(event);
    }
    rd_kafka_error_destroy(error);
    rd_kafka_queue_destroy(q);
}

static void *destroy(void *rk)
{
    rd_kafka_destroy_flags(rk, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
    return NULL;
}

/* A commit that no broker answers holds the library up for as long as a session lasts:
 * then it is left to itself, which is for the end of the process. */
static void destroy_in_time(rd_kafka_t *rk)
{
    pthread_t thread;
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += CLOSE_WAIT_MS / 1000;
    if (pthread_create(&thread, NULL, destroy, rk))
        return;
    if (pthread_clockjoin_np(thread, NULL, CLOCK_MONOTONIC, &until))
        pthread_detach(thread);
}

void kafka_consumer_close(struct kafka_consumer *c)
{
    if (!c)
        return;
    put_back(c);
    if (c->rk) {
        struct err e = ERR_INIT;
        c->doubtful = true;
        /* with no partition it may be joining, and would wait for the whole group */
        if (c->n_parts && (!c->uncommitted || commit(c, CLOSE_WAIT_MS, &e) == 0))
            leave(c);
        destroy_in_time(c->rk);
    }
    forget_parts(c);
    free(c);
}
