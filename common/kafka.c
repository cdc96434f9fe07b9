/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Settings, and the producer. */
#include "common/kafka.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/kafka_internal.h"
#include "common/log.h"
#include "common/mem.h"

/* ---- settings -----------------------------------------------------------------------
 */

/* host, host:port or [v6]:port */
static bool broker_valid(const char *s, size_t n)
{
    const char *end = s + n, *bracket = *s == '[' ? memchr(s, ']', n) : NULL;
    const char *port = bracket ? bracket + 1 : memchr(s, ':', n);
    size_t host = port ? (size_t)(port - s) : n, digits = 0;
    if (!host || (*s == '[' && !bracket))
        return false;
    for (size_t i = 0; i < host; i++)
        if (!isalnum((unsigned char)s[i]) && !strchr("._-[]:", s[i]))
            return false;
    if (!port || port == end)
        return true;
    while (port + 1 + digits < end && isdigit((unsigned char)port[1 + digits]))
        digits++;
    return *port == ':' && digits && digits <= 5 && port + 1 + digits == end;
}

int kafka_settings_check(const struct kafka_settings *s, struct err *e)
{
    for (const char *b = s->brokers; *b;) {
        size_t n = strcspn(b, ",");
        if (!broker_valid(b, n))
            return err_set(e, ERR_INVALID, "FC_KAFKA_BROKERS: \"%.*s\" is not host:port",
                           (int)n, b);
        b += n + (b[n] == ',');
    }
    if (strcmp(s->sasl, "PLAIN") && strcmp(s->sasl, "SCRAM-SHA-256") &&
        strcmp(s->sasl, "SCRAM-SHA-512"))
        return err_set(e, ERR_INVALID,
                       "FC_KAFKA_SASL must be PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512, not "
                       "\"%s\"",
                       s->sasl);
    if (*s->user && !*s->password)
        return err_set(e, ERR_INVALID, "FC_KAFKA_USER needs FC_KAFKA_PASSWORD");
    return 0;
}

bool kafka_topic_valid(const char *topic)
{
    size_t n = strlen(topic);
    if (!n || n > 249 || !strcmp(topic, ".") || !strcmp(topic, ".."))
        return false;
    for (; *topic; topic++)
        if (!isalnum((unsigned char)*topic) && !strchr("._-", *topic))
            return false;
    return true;
}

/* ---- what producer and consumer share -----------------------------------------------
 */

static void on_error(rd_kafka_t *rk, int code, const char *reason, void *opaque)
{
    struct kafka_trouble *t = opaque; /* the first member of whatever it is */
    if (code == RD_KAFKA_RESP_ERR__FATAL) {
        rd_kafka_fatal_error(rk, t->text, sizeof t->text);
        t->dead = true;
    } else if (code != RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN || !*t->text) {
        snprintf(t->text, sizeof t->text, "%s", reason);
    }
}

static void on_log(const rd_kafka_t *rk, int level, const char *facility,
                   const char *text)
{
    (void)rk, (void)level;
    log_debug("kafka: %s: %s", facility, text);
}

static int set(rd_kafka_conf_t *conf, const char *name, const char *value, struct err *e)
{
    char why[256];
    if (rd_kafka_conf_set(conf, name, value, why, sizeof why) == RD_KAFKA_CONF_OK)
        return 0;
    return err_set(e, ERR_INVALID, "could not set up Kafka: %s", why);
}

static int connection(rd_kafka_conf_t *conf, const struct kafka_settings *s,
                      struct err *e)
{
    bool tls = s->tls || *s->ca_file, sasl = *s->user;
    if (set(conf, "bootstrap.servers", s->brokers, e) ||
        set(conf, "security.protocol",
            tls ? (sasl ? "sasl_ssl" : "ssl") : (sasl ? "sasl_plaintext" : "plaintext"),
            e))
        return -1;
    if (*s->ca_file && set(conf, "ssl.ca.location", s->ca_file, e))
        return -1;
    return sasl ? set(conf, "sasl.mechanisms", s->sasl, e) ||
                          set(conf, "sasl.username", s->user, e) ||
                          set(conf, "sasl.password", s->password, e)
                      ? -1
                      : 0
                : 0;
}

rd_kafka_t *kafka_handle(rd_kafka_type_t type, rd_kafka_conf_t *conf,
                         const struct kafka_settings *s,
                         const struct kafka_option *options, void *opaque, struct err *e)
{
    static const struct kafka_option shared[] = {
        {"client.id", "fieldcast-ingest"},
        {"socket.timeout.ms", "10000"},
        {"socket.connection.setup.timeout.ms", "5000"},
        {"reconnect.backoff.ms", "100"},
        {"reconnect.backoff.max.ms", "2000"},
        {"log.connection.close", "false"},
        {NULL, NULL},
    };
    char why[256];
    conf = conf ? conf : rd_kafka_conf_new();
    rd_kafka_conf_set_opaque(conf, opaque);
    rd_kafka_conf_set_error_cb(conf, on_error);
    rd_kafka_conf_set_log_cb(conf, on_log);
    int bad = connection(conf, s, e);
    for (const struct kafka_option *o = shared; !bad && o->name; o++)
        bad = set(conf, o->name, o->value, e);
    for (const struct kafka_option *o = options; !bad && o->name; o++)
        bad = set(conf, o->name, o->value, e);
    rd_kafka_t *rk = bad ? NULL : rd_kafka_new(type, conf, why, sizeof why);
    if (rk)
        return rk;
    rd_kafka_conf_destroy(conf);
    if (!bad)
        err_set(e, ERR_INVALID, "could not set up Kafka: %s", why);
    return NULL;
}

int kafka_ask(rd_kafka_t *rk, rd_kafka_topic_t *topic, int timeout_ms,
              const struct kafka_trouble *t, struct err *e)
{
    const struct rd_kafka_metadata *md;
    rd_kafka_resp_err_t code = rd_kafka_metadata(rk, 0, topic, &md, timeout_ms);
    if (code)
        return err_set(e, ERR_UNAVAILABLE, "no broker answers: %s",
                       *t->text ? t->text : rd_kafka_err2str(code));
    if (topic && md->topic_cnt)
        code = md->topics[0].err;
    rd_kafka_metadata_destroy(md);
    return code ? err_set(e, ERR_UPSTREAM, "topic \"%s\": %s", rd_kafka_topic_name(topic),
                          rd_kafka_err2str(code))
                : 0;
}

/* ---- producer -----------------------------------------------------------------------
 */

struct kafka_producer {
    struct kafka_trouble trouble; /* first: see on_error() */
    rd_kafka_t *rk;
    rd_kafka_topic_t *topic;
    void (*on_report)(void *arg, uint32_t tag, enum kafka_outcome o, const char *why);
    void *arg;
    bool reported;
};

static enum kafka_outcome outcome_of(rd_kafka_resp_err_t code)
{
    switch (code) {
    case RD_KAFKA_RESP_ERR_NO_ERROR:
        return KAFKA_DELIVERED;
    case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE:
    case RD_KAFKA_RESP_ERR_RECORD_LIST_TOO_LARGE:
    case RD_KAFKA_RESP_ERR_INVALID_TIMESTAMP:
    case RD_KAFKA_RESP_ERR_INVALID_RECORD:
        return KAFKA_REFUSED;
    default:
        return KAFKA_AGAIN;
    }
}

static void on_delivery(rd_kafka_t *rk, const rd_kafka_message_t *m, void *opaque)
{
    struct kafka_producer *p = opaque;
    (void)rk;
    char why[400] = "";
    if (m->err == RD_KAFKA_RESP_ERR__MSG_TIMED_OUT && *p->trouble.text)
        snprintf(why, sizeof why, "%s (%s)", rd_kafka_err2str(m->err), p->trouble.text);
    else if (m->err)
        snprintf(why, sizeof why, "%s", rd_kafka_err2str(m->err));
    else
        p->trouble.text[0] = '\0';
    p->reported = true;
    p->on_report(p->arg, (uint32_t)(uintptr_t)m->_private, outcome_of(m->err), why);
}

struct kafka_producer *kafka_producer_open(const struct kafka_producer_opts *o,
                                           struct err *e)
{
    char timeout[16];
    snprintf(timeout, sizeof timeout, "%d", o->timeout_ms);
    const struct kafka_option options[] = {
        {"enable.idempotence", "true"}, /* and so acks=all, and order */
        {"message.timeout.ms", timeout},
        {"linger.ms", "5"},
        {"queue.buffering.max.messages", "4096"},
        {"queue.buffering.max.kbytes", "4096"},
        {"batch.size", "65536"},
        {"batch.num.messages", o->single ? "1" : "1000"},
        {NULL, NULL},
    };
    struct kafka_producer *p = xcalloc(1, sizeof *p);
    p->on_report = o->on_report;
    p->arg = o->arg;
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_conf_set_dr_msg_cb(conf, on_delivery);
    p->rk = kafka_handle(RD_KAFKA_PRODUCER, conf, o->set, options, p, e);
    if (p->rk && !(p->topic = rd_kafka_topic_new(p->rk, o->topic, NULL)))
        err_set(e, ERR_INVALID, "could not use the Kafka topic \"%s\": %s", o->topic,
                rd_kafka_err2str(rd_kafka_last_error()));
    if (p->topic)
        return p;
    kafka_producer_close(p);
    return NULL;
}

void kafka_producer_close(struct kafka_producer *p)
{
    if (!p)
        return;
    if (p->topic)
        rd_kafka_topic_destroy(p->topic);
    if (p->rk) {
        rd_kafka_purge(p->rk, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT |
                                  RD_KAFKA_PURGE_F_NON_BLOCKING);
        rd_kafka_destroy(p->rk);
    }
    free(p);
}

int kafka_produce(struct kafka_producer *p, const struct kafka_record *r, uint32_t tag,
                  bool *refused, struct err *e)
{
    rd_kafka_vu_t v[6 + KAFKA_HEADERS_MAX] = {
        {.vtype = RD_KAFKA_VTYPE_RKT, .u.rkt = p->topic},
        {.vtype = RD_KAFKA_VTYPE_KEY, .u.mem = {(void *)r->key, strlen(r->key)}},
        {.vtype = RD_KAFKA_VTYPE_VALUE, .u.mem = {(void *)r->value, r->len}},
        {.vtype = RD_KAFKA_VTYPE_MSGFLAGS, .u.i = RD_KAFKA_MSG_F_COPY},
        {.vtype = RD_KAFKA_VTYPE_TIMESTAMP, .u.i64 = r->time_ms},
        {.vtype = RD_KAFKA_VTYPE_OPAQUE, .u.ptr = (void *)(uintptr_t)tag},
    };
    for (size_t i = 0; i < r->n_headers; i++) {
        v[6 + i].vtype = RD_KAFKA_VTYPE_HEADER;
        v[6 + i].u.header.name = r->headers[i].name;
        v[6 + i].u.header.val = r->headers[i].value;
        v[6 + i].u.header.size = (ssize_t)r->headers[i].len;
    }
    *refused = false;
    rd_kafka_error_t *error = rd_kafka_produceva(p->rk, v, 6 + r->n_headers);
    if (!error)
        return 0;
    rd_kafka_resp_err_t code = rd_kafka_error_code(error);
    *refused = outcome_of(code) == KAFKA_REFUSED;
    int rc = code == RD_KAFKA_RESP_ERR__QUEUE_FULL
                 ? 1
                 : err_set(e, *refused ? ERR_TOO_LARGE : ERR_UNAVAILABLE,
                           "could not hand a message to Kafka: %s",
                           rd_kafka_error_string(error));
    rd_kafka_error_destroy(error);
    return rc;
}

bool kafka_producer_poll(struct kafka_producer *p, int timeout_ms)
{
    p->reported = false;
    rd_kafka_poll(p->rk, timeout_ms);
    return p->reported;
}

int kafka_producer_ping(struct kafka_producer *p, int timeout_ms, struct err *e)
{
    if (kafka_ask(p->rk, p->topic, timeout_ms, &p->trouble, e) == 0)
        return 0;
    if (e->code != ERR_UNAVAILABLE)
        return -1;
    for (int ms = 0; !*p->trouble.text && ms < timeout_ms; ms += 100)
        rd_kafka_poll(p->rk, 100); /* hears why */
    return *p->trouble.text
               ? err_set(e, ERR_UNAVAILABLE, "no broker answers: %s", p->trouble.text)
               : -1;
}

bool kafka_producer_dead(const struct kafka_producer *p)
{
    return p->trouble.dead;
}
