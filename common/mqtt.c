/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/mqtt.h"

#include <MQTTAsync.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/clock.h"
#include "common/http_client.h"
#include "common/mem.h"
#include "common/mqtt_why.h"
#include "common/stop.h"

#define BAD_SUBSCRIBE 0x80 /* the return code of a SUBACK, MQTT 3.1.1, 3.9.3 */
#define INFLIGHT_MAX 1000
#define PUBLISH_WAIT_S 30
#define KEEPALIVE_S 30
#define CLOSE_WAIT_MS 2000
#define CONNECT_S 5
#define RETRY_MIN_MS 250
#define RETRY_MAX_MS 30000
#define STUCK_MS 60000 /* a connection that neither succeeds nor fails is tried anew */
#define ASK_AGAIN_MS 60000

enum link { AWAY, TRYING, THERE };
enum answer { ASKED, TAKEN, REFUSED };

struct subscription {
    struct mqtt *m;
    char *filter; /* owned */
    int qos;
    bool extra; /* nobody minds when it is refused */
    enum answer answer;
};

struct mqtt {
    struct mqtt_opts o; /* its texts are owned copies */
    MQTTAsync client;
    struct subscription subs[MQTT_FILTERS_MAX + 1];
    int n_subs;
    pthread_t keeper;
    bool keeps;           /* that thread runs */
    pthread_mutex_t lock; /* all up to `inflight`, and the answers */
    pthread_cond_t changed;
    enum link link;
    bool up, ending;
    bool session;     /* the broker had one of ours */
    int64_t next_ms;  /* monotonic: when the keeper acts next */
    int64_t retry_ms; /* pause before the next try */
    bool untold;      /* a failure that on_state has not heard of */
    int fail_code;    /* of that, as the library gives it */
    char fail_said[100];
    int inflight;
    atomic_long failed;
    atomic_int calls;        /* callbacks that run now */
    pthread_mutex_t telling; /* one callback about states at a time; before `lock` */
    atomic_bool closing;     /* nobody is told of states any more */
};

static struct timespec from_now(int64_t ms)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    t.tv_nsec += ms % 1000 * 1000000;
    t.tv_sec += ms / 1000 + t.tv_nsec / 1000000000;
    t.tv_nsec %= 1000000000;
    return t;
}

/* Says what is so, if it still is: another thread may have seen the next change. */
static void tell(struct mqtt *m, bool up, const char *why)
{
    atomic_fetch_add(&m->calls, 1);
    pthread_mutex_lock(&m->telling);
    pthread_mutex_lock(&m->lock);
    bool still = m->up == up;
    pthread_mutex_unlock(&m->lock);
    if (still && m->o.on_state && !atomic_load(&m->closing))
        m->o.on_state(m->o.arg, up, why);
    pthread_mutex_unlock(&m->telling);
    atomic_fetch_sub(&m->calls, 1);
}

/* Nothing, when the link is already gone again. */
static void come_up(struct mqtt *m)
{
    pthread_mutex_lock(&m->lock);
    bool news = !m->up && m->link == THERE;
    m->up |= news;
    pthread_cond_broadcast(&m->changed);
    pthread_mutex_unlock(&m->lock);
    if (news)
        tell(m, true, "");
}

static int on_arrived(void *arg, char *topic, int topic_len, MQTTAsync_message *msg)
{
    struct mqtt *m = arg;
    /* topic_len is 0 unless the topic holds a NUL, which no filter of ours can match */
    if (!topic_len || (size_t)topic_len == strlen(topic)) {
        struct mqtt_message in = {topic,    msg->payload, (size_t)msg->payloadlen,
                                  msg->qos, msg->dup,     msg->retained};
        atomic_fetch_add(&m->calls, 1);
        if (m->o.on_message)
            m->o.on_message(m->o.arg, &in);
        atomic_fetch_sub(&m->calls, 1);
    }
    MQTTAsync_freeMessage(&msg);
    MQTTAsync_free(topic);
    return 1; /* never 0: that would acknowledge the message and keep it in memory only */
}

/* The link is gone (code 0: `said` is why) or did not come; the keeper tells and tries
 * again. Of a link that breaks the library also says that it failed to connect. */
static void link_failed(struct mqtt *m, int code, const char *said)
{
    atomic_fetch_add(&m->calls, 1);
    pthread_mutex_lock(&m->lock);
    if (m->link == TRYING || (m->link == THERE && !code)) {
        m->link = AWAY;
        m->up = false;
        m->next_ms = clock_mono_ms() + m->retry_ms;
        m->retry_ms = m->retry_ms * 2 > RETRY_MAX_MS ? RETRY_MAX_MS : m->retry_ms * 2;
        m->untold = true;
        m->fail_code = code;
        snprintf(m->fail_said, sizeof m->fail_said, "%s", said ? said : "");
        pthread_cond_broadcast(&m->changed);
    }
    pthread_mutex_unlock(&m->lock);
    atomic_fetch_sub(&m->calls, 1);
}

static void on_lost(void *arg, char *cause)
{
    link_failed(arg, 0, cause ? cause : "connection lost");
}

static void on_connect_failed(void *arg, MQTTAsync_failureData *d)
{
    link_failed(arg, d && d->code ? d->code : -1, d ? d->message : NULL);
}

/* When all are answered: who was refused, and that we are up. */
static void answered(struct subscription *s, enum answer answer)
{
    struct mqtt *m = s->m;
    const char *refused[MQTT_FILTERS_MAX];
    int n = 0, open = 0;
    atomic_fetch_add(&m->calls, 1);
    pthread_mutex_lock(&m->lock);
    s->answer = answer;
    for (int i = 0; i < m->n_subs; i++) {
        open += m->subs[i].answer == ASKED;
        if (m->subs[i].answer == REFUSED && !m->subs[i].extra)
            refused[n++] = m->subs[i].filter;
    }
    bool there = m->link == THERE && !open;
    if (there && !n)
        m->next_ms = INT64_MAX;
    pthread_mutex_unlock(&m->lock);
    if (there && m->o.on_refused && !atomic_load(&m->closing)) {
        pthread_mutex_lock(&m->telling);
        m->o.on_refused(m->o.arg, refused, n);
        pthread_mutex_unlock(&m->telling);
    }
    if (there)
        come_up(m);
    atomic_fetch_sub(&m->calls, 1);
}

static void on_subscribe_failed(void *arg, MQTTAsync_failureData *d)
{
    /* others mean that the connection broke, which on_lost() is told */
    if (d && d->code == BAD_SUBSCRIBE)
        answered(arg, REFUSED);
}

static void on_subscribed(void *arg, MQTTAsync_successData *d)
{
    answered(arg, d && d->alt.qos == BAD_SUBSCRIBE ? REFUSED : TAKEN);
}

/* One packet each: then one answer, whatever its length, is about one filter. */
static void subscribe(struct mqtt *m, bool all)
{
    MQTTAsync_responseOptions r = MQTTAsync_responseOptions_initializer;
    bool ask[MQTT_FILTERS_MAX + 1] = {0};
    pthread_mutex_lock(&m->lock);
    for (int i = 0; i < m->n_subs; i++) {
        struct subscription *s = &m->subs[i];
        ask[i] = all || s->answer == ASKED || (s->answer == REFUSED && !s->extra);
        s->answer = ask[i] ? ASKED : s->answer;
    }
    pthread_mutex_unlock(&m->lock);
    r.onSuccess = on_subscribed;
    r.onFailure = on_subscribe_failed;
    for (int i = 0; i < m->n_subs; i++) {
        r.context = &m->subs[i];
        if (ask[i] && MQTTAsync_subscribe(m->client, m->subs[i].filter, m->subs[i].qos,
                                          &r) != MQTTASYNC_SUCCESS)
            return; /* the connection broke meanwhile: on_lost() follows */
    }
}

/* With a session of ours there, the filters are in it. Their answers come after all that
 * waits for us, which may take long: nobody needs to wait for them. */
static void on_connected(void *arg, char *cause)
{
    (void)cause;
    struct mqtt *m = arg;
    pthread_mutex_lock(&m->lock);
    m->link = THERE;
    m->retry_ms = RETRY_MIN_MS;
    m->next_ms = clock_mono_ms() + ASK_AGAIN_MS;
    bool up = m->session || !m->n_subs;
    pthread_mutex_unlock(&m->lock);
    if (up)
        come_up(m);
    subscribe(m, true);
}

/* Comes before or after on_connected(). */
static void on_connect_done(void *arg, MQTTAsync_successData *d)
{
    struct mqtt *m = arg;
    pthread_mutex_lock(&m->lock);
    m->session = d && d->alt.connect.sessionPresent && !m->o.clean;
    bool session = m->session;
    pthread_mutex_unlock(&m->lock);
    if (session)
        come_up(m);
}

static char *copy(const char *s)
{
    return s && *s ? xstrdup(s) : NULL;
}

/* Starts one try. The library would also try again by itself, but says only of the first
 * try how it went. */
static int start(struct mqtt *m, struct err *e)
{
    MQTTAsync_connectOptions c = MQTTAsync_connectOptions_initializer;
    MQTTAsync_willOptions w = MQTTAsync_willOptions_initializer;
    MQTTAsync_SSLOptions ssl = MQTTAsync_SSLOptions_initializer;
    c.keepAliveInterval = KEEPALIVE_S;
    c.cleansession = m->o.clean;
    c.maxInflight = INFLIGHT_MAX;
    c.connectTimeout = CONNECT_S;
    c.MQTTVersion = MQTTVERSION_3_1_1;
    c.username = m->o.user;
    c.password = m->o.password;
    c.context = m;
    c.onSuccess = on_connect_done;
    c.onFailure = on_connect_failed;
    if (m->o.will_topic) {
        w.topicName = m->o.will_topic;
        w.message = m->o.will_payload;
        w.retained = 1;
        w.qos = 1;
        c.will = &w;
    }
    ssl.trustStore = m->o.ca_file;
    ssl.keyStore = m->o.cert_file;
    ssl.privateKey = m->o.key_file;
    ssl.enableServerCertAuth = 1;
    ssl.verify = 1;
    if (mqtt_is_tls(m->o.url))
        c.ssl = &ssl;
    int rc = MQTTAsync_connect(m->client, &c);
    return rc == MQTTASYNC_SUCCESS
               ? 0
               : err_set(e, ERR_INVALID, "could not use the broker %s: %s", m->o.url,
                         MQTTAsync_strerror(rc));
}

/* What is due, with the lock held; it is given up for calls. False: nothing is. */
static bool act(struct mqtt *m)
{
    struct err e = ERR_INIT;
    char why[300];
    bool due = clock_mono_ms() >= m->next_ms;
    if (m->untold) {
        int code = m->fail_code;
        char said[sizeof m->fail_said];
        memcpy(said, m->fail_said, sizeof said);
        m->untold = false;
        pthread_mutex_unlock(&m->lock);
        if (code)
            mqtt_why(&m->o, code, said, why, sizeof why);
        tell(m, false, code ? why : said);
    } else if (due && m->link == THERE) {
        m->next_ms = clock_mono_ms() + ASK_AGAIN_MS;
        pthread_mutex_unlock(&m->lock);
        subscribe(m, false);
    } else if (due) {
        m->link = TRYING;
        m->session = false;
        m->next_ms = clock_mono_ms() + STUCK_MS;
        pthread_mutex_unlock(&m->lock);
        if (MQTTAsync_isConnected(m->client)) /* then a try changes nothing */
            on_connected(m, NULL);
        else if (start(m, &e))
            link_failed(m, 0, e.text);
    } else {
        return false;
    }
    pthread_mutex_lock(&m->lock);
    return true;
}

static void *keep(void *arg)
{
    struct mqtt *m = arg;
    pthread_mutex_lock(&m->lock);
    while (!m->ending)
        if (!act(m)) {
            int64_t wait = m->next_ms - clock_mono_ms();
            struct timespec t = from_now(wait > STUCK_MS ? STUCK_MS
                                         : wait < 1      ? 1
                                                         : wait);
            pthread_cond_timedwait(&m->changed, &m->lock, &t);
        }
    pthread_mutex_unlock(&m->lock);
    return NULL;
}

static void add_filter(struct mqtt *m, const char *filter, int qos, bool extra)
{
    m->subs[m->n_subs++] = (struct subscription){m, xstrdup(filter), qos, extra, ASKED};
}

static void copy_opts(struct mqtt *m, const struct mqtt_opts *o)
{
    m->o = *o;
    m->o.url = copy(o->url);
    m->o.client_id = copy(o->client_id);
    m->o.user = copy(o->user);
    m->o.password = copy(o->password);
    m->o.ca_file = copy(o->ca_file);
    m->o.cert_file = copy(o->cert_file);
    m->o.key_file = copy(o->key_file);
    m->o.will_topic = copy(o->will_topic);
    m->o.will_payload = copy(o->will_payload);
    for (const char *const *f = o->filters; f && *f && m->n_subs < MQTT_FILTERS_MAX; f++)
        add_filter(m, *f, o->qos, false);
    if (o->extra_filter)
        add_filter(m, o->extra_filter, 0, true);
    m->o.filters = NULL;
    m->o.extra_filter = NULL;
}

static int open_client(struct mqtt *m, struct err *e)
{
    /* otherwise the library formats a line for every packet, for a trace in memory */
    MQTTAsync_setTraceLevel(MQTTASYNC_TRACE_ERROR);
    MQTTAsync_createOptions c = MQTTAsync_createOptions_initializer;
    c.maxBufferedMessages = INFLIGHT_MAX;
    int rc = MQTTAsync_createWithOptions(&m->client, m->o.url ? m->o.url : "",
                                         m->o.client_id ? m->o.client_id : "",
                                         MQTTCLIENT_PERSISTENCE_NONE, NULL, &c);
    if (rc != MQTTASYNC_SUCCESS) {
        m->client = NULL;
        return err_set(e, ERR_INVALID, "could not use the broker address \"%s\": %s",
                       m->o.url ? m->o.url : "", MQTTAsync_strerror(rc));
    }
    MQTTAsync_setCallbacks(m->client, m, on_lost, on_arrived, NULL);
    MQTTAsync_setConnected(m->client, m, on_connected);
    m->link = TRYING;
    m->next_ms = clock_mono_ms() + STUCK_MS;
    if (start(m, e))
        return -1;
    if (pthread_create(&m->keeper, NULL, keep, m))
        return err_set(e, ERR_INTERNAL,
                       "could not start the thread that keeps the broker's connection");
    m->keeps = true;
    return 0;
}

struct mqtt_opts mqtt_opts_from(const struct mqtt_settings *s)
{
    return (struct mqtt_opts){.url = s->url,
                              .client_id = s->client_id,
                              .user = s->user,
                              .password = s->password,
                              .ca_file = s->ca_file,
                              .cert_file = s->cert_file,
                              .key_file = s->key_file};
}

struct mqtt *mqtt_open(const struct mqtt_opts *o, struct err *e)
{
    if (mqtt_check_files(o, e))
        return NULL;
    struct mqtt *m = xcalloc(1, sizeof *m);
    copy_opts(m, o);
    m->retry_ms = RETRY_MIN_MS;
    http_client_global_init();
    pthread_condattr_t attr;
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_mutex_init(&m->lock, NULL);
    pthread_mutex_init(&m->telling, NULL);
    pthread_cond_init(&m->changed, &attr);
    pthread_condattr_destroy(&attr);
    if (open_client(m, e) == 0)
        return m;
    mqtt_close(m);
    return NULL;
}

static void end_keeper(struct mqtt *m)
{
    pthread_mutex_lock(&m->lock);
    m->ending = true;
    pthread_cond_broadcast(&m->changed);
    pthread_mutex_unlock(&m->lock);
    if (m->keeps)
        pthread_join(m->keeper, NULL);
}

static void close_client(struct mqtt *m)
{
    if (mqtt_is_up(m) && !stop_overdue())
        mqtt_drain(m, CLOSE_WAIT_MS);
    atomic_store(&m->closing, true);
    end_keeper(m);
    MQTTAsync_disconnectOptions d = MQTTAsync_disconnectOptions_initializer;
    d.timeout = CLOSE_WAIT_MS;
    MQTTAsync_disconnect(m->client, &d);
    for (int i = 0; i < 40 && MQTTAsync_isConnected(m->client); i++)
        clock_sleep_ms(50);
    MQTTAsync_destroy(&m->client);
    while (atomic_load(&m->calls))
        clock_sleep_ms(1);
}

void mqtt_close(struct mqtt *m)
{
    if (!m)
        return;
    if (m->client)
        close_client(m);
    pthread_mutex_destroy(&m->lock);
    pthread_mutex_destroy(&m->telling);
    pthread_cond_destroy(&m->changed);
    const char *const owned[] = {m->o.url,      m->o.client_id,  m->o.user,
                                 m->o.password, m->o.ca_file,    m->o.cert_file,
                                 m->o.key_file, m->o.will_topic, m->o.will_payload};
    for (size_t i = 0; i < sizeof owned / sizeof *owned; i++)
        free((char *)owned[i]);
    for (int i = 0; i < m->n_subs; i++)
        free(m->subs[i].filter);
    free(m);
}

bool mqtt_is_up(const struct mqtt *m)
{
    struct mqtt *w = (struct mqtt *)m;
    pthread_mutex_lock(&w->lock);
    bool up = w->up;
    pthread_mutex_unlock(&w->lock);
    return up;
}

bool mqtt_wait_up(struct mqtt *m, int ms)
{
    struct timespec t = from_now(ms);
    pthread_mutex_lock(&m->lock);
    while (!m->up && pthread_cond_timedwait(&m->changed, &m->lock, &t) == 0)
        ;
    bool up = m->up;
    pthread_mutex_unlock(&m->lock);
    return up;
}

static void finished(struct mqtt *m)
{
    pthread_mutex_lock(&m->lock);
    m->inflight--;
    pthread_cond_broadcast(&m->changed);
    pthread_mutex_unlock(&m->lock);
}

static void on_sent(void *arg, MQTTAsync_successData *d)
{
    (void)d;
    finished(arg);
}

static void on_send_failed(void *arg, MQTTAsync_failureData *d)
{
    (void)d;
    struct mqtt *m = arg;
    atomic_fetch_add(&m->failed, 1);
    finished(m);
}

int mqtt_publish(struct mqtt *m, const char *topic, const void *payload, size_t len,
                 int qos, bool retain, struct err *e)
{
    int rc = 0;
    pthread_mutex_lock(&m->lock);
    for (int s = 0; m->up && m->inflight >= INFLIGHT_MAX && !rc; s++) {
        struct timespec t = from_now(1000);
        rc = s == PUBLISH_WAIT_S || stop_overdue() ? ETIMEDOUT : 0;
        while (m->up && m->inflight >= INFLIGHT_MAX && !rc &&
               pthread_cond_timedwait(&m->changed, &m->lock, &t) == 0)
            ;
    }
    bool go = m->up && m->inflight < INFLIGHT_MAX;
    m->inflight += go;
    pthread_mutex_unlock(&m->lock);
    if (!go)
        return err_set(e, rc ? ERR_TIMEOUT : ERR_UNAVAILABLE,
                       rc ? "the broker %s acknowledged nothing for %d s"
                          : "not connected to the broker %s",
                       m->o.url, PUBLISH_WAIT_S);
    MQTTAsync_responseOptions r = MQTTAsync_responseOptions_initializer;
    r.context = m;
    r.onSuccess = on_sent;
    r.onFailure = on_send_failed;
    int sent = MQTTAsync_send(m->client, topic, (int)len, payload, qos, retain, &r);
    if (sent == MQTTASYNC_SUCCESS)
        return 0;
    finished(m);
    return err_set(e, ERR_UNAVAILABLE, "could not publish to %.100s: %s", topic,
                   MQTTAsync_strerror(sent));
}

int mqtt_inflight(const struct mqtt *m)
{
    struct mqtt *w = (struct mqtt *)m;
    pthread_mutex_lock(&w->lock);
    int n = w->inflight;
    pthread_mutex_unlock(&w->lock);
    return n;
}

int mqtt_drain(struct mqtt *m, int ms)
{
    struct timespec t = from_now(ms);
    pthread_mutex_lock(&m->lock);
    while (m->inflight && pthread_cond_timedwait(&m->changed, &m->lock, &t) == 0)
        ;
    int n = m->inflight;
    pthread_mutex_unlock(&m->lock);
    return n;
}

long mqtt_failed(const struct mqtt *m)
{
    return atomic_load(&((struct mqtt *)m)->failed);
}
