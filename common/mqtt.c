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

#include "common/mem.h"
#include "common/stop.h"

#define INFLIGHT_MAX 1000
#define PUBLISH_WAIT_S 30
#define KEEPALIVE_S 30
#define CLOSE_WAIT_MS 2000

struct mqtt {
    struct mqtt_opts o; /* its texts are owned copies */
    MQTTAsync client;
    pthread_mutex_t lock; /* up, inflight */
    pthread_cond_t changed;
    bool up;
    int inflight;
    atomic_long failed;
    atomic_int calls;    /* callbacks that run now */
    atomic_bool closing; /* nobody is told of states any more */
};

static void set_up(struct mqtt *m, bool up, const char *why)
{
    pthread_mutex_lock(&m->lock);
    bool news = m->up != up;
    m->up = up;
    pthread_cond_broadcast(&m->changed);
    pthread_mutex_unlock(&m->lock);
    atomic_fetch_add(&m->calls, 1);
    if (m->o.on_state && (news || !up) && !atomic_load(&m->closing))
        m->o.on_state(m->o.arg, up, why);
    atomic_fetch_sub(&m->calls, 1);
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

static void on_lost(void *arg, char *cause)
{
    set_up(arg, false, cause ? cause : "connection lost");
}

static void on_subscribe_failed(void *arg, MQTTAsync_failureData *d)
{
    set_up(arg, false,
           d && d->message ? d->message : "the broker refused a subscription");
}

static void on_subscribed(void *arg, MQTTAsync_successData *d)
{
    (void)d;
    set_up(arg, true, "");
}

static void on_connected(void *arg, char *cause)
{
    (void)cause;
    struct mqtt *m = arg;
    int n = 0, qos[32];
    char *filters[32];
    for (const char *const *f = m->o.filters; f && *f && n < 32; f++, n++) {
        filters[n] = (char *)*f;
        qos[n] = m->o.qos;
    }
    if (!n) {
        set_up(m, true, "");
        return;
    }
    MQTTAsync_responseOptions r = MQTTAsync_responseOptions_initializer;
    r.context = m;
    r.onSuccess = on_subscribed;
    r.onFailure = on_subscribe_failed;
    if (MQTTAsync_subscribeMany(m->client, n, filters, qos, &r) != MQTTASYNC_SUCCESS)
        set_up(m, false, "could not subscribe");
}

static void on_connect_failed(void *arg, MQTTAsync_failureData *d)
{
    set_up(arg, false, d && d->message ? d->message : "could not connect");
}

static char *copy(const char *s)
{
    return s && *s ? xstrdup(s) : NULL;
}

static int start(struct mqtt *m, struct err *e)
{
    MQTTAsync_connectOptions c = MQTTAsync_connectOptions_initializer;
    MQTTAsync_willOptions w = MQTTAsync_willOptions_initializer;
    MQTTAsync_SSLOptions ssl = MQTTAsync_SSLOptions_initializer;
    c.keepAliveInterval = KEEPALIVE_S;
    c.cleansession = m->o.clean;
    c.maxInflight = INFLIGHT_MAX;
    c.automaticReconnect = 1;
    c.minRetryInterval = 1;
    c.maxRetryInterval = 30;
    c.connectTimeout = 5;
    c.username = m->o.user;
    c.password = m->o.password;
    c.context = m;
    c.onFailure = on_connect_failed;
    if (m->o.will_topic) {
        w.topicName = m->o.will_topic;
        w.message = m->o.will_payload;
        w.retained = 1;
        w.qos = 1;
        c.will = &w;
    }
    ssl.trustStore = m->o.ca_file;
    ssl.enableServerCertAuth = 1;
    ssl.verify = 1;
    if (!strncmp(m->o.url, "ssl://", 6))
        c.ssl = &ssl;
    int rc = MQTTAsync_connect(m->client, &c);
    return rc == MQTTASYNC_SUCCESS
               ? 0
               : err_set(e, ERR_INVALID, "could not use the broker %s: %s", m->o.url,
                         MQTTAsync_strerror(rc));
}

struct mqtt *mqtt_open(const struct mqtt_opts *o, struct err *e)
{
    struct mqtt *m = xcalloc(1, sizeof *m);
    m->o = *o;
    m->o.url = copy(o->url);
    m->o.client_id = copy(o->client_id);
    m->o.user = copy(o->user);
    m->o.password = copy(o->password);
    m->o.ca_file = copy(o->ca_file);
    m->o.will_topic = copy(o->will_topic);
    m->o.will_payload = copy(o->will_payload);
    pthread_condattr_t attr;
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_mutex_init(&m->lock, NULL);
    pthread_cond_init(&m->changed, &attr);
    pthread_condattr_destroy(&attr);
    MQTTAsync_createOptions c = MQTTAsync_createOptions_initializer;
    c.maxBufferedMessages = INFLIGHT_MAX;
    int rc = MQTTAsync_createWithOptions(&m->client, m->o.url ? m->o.url : "",
                                         m->o.client_id ? m->o.client_id : "",
                                         MQTTCLIENT_PERSISTENCE_NONE, NULL, &c);
    if (rc != MQTTASYNC_SUCCESS) {
        err_set(e, ERR_INVALID, "could not use the broker address \"%s\": %s",
                o->url ? o->url : "", MQTTAsync_strerror(rc));
        m->client = NULL;
        mqtt_close(m);
        return NULL;
    }
    MQTTAsync_setCallbacks(m->client, m, on_lost, on_arrived, NULL);
    MQTTAsync_setConnected(m->client, m, on_connected);
    if (start(m, e)) {
        mqtt_close(m);
        return NULL;
    }
    return m;
}

void mqtt_close(struct mqtt *m)
{
    if (!m)
        return;
    if (m->client) {
        if (mqtt_is_up(m) && !stop_overdue())
            mqtt_drain(m, CLOSE_WAIT_MS);
        atomic_store(&m->closing, true);
        MQTTAsync_disconnectOptions d = MQTTAsync_disconnectOptions_initializer;
        d.timeout = CLOSE_WAIT_MS;
        MQTTAsync_disconnect(m->client, &d);
        for (int i = 0; i < 40 && MQTTAsync_isConnected(m->client); i++)
            nanosleep(&(struct timespec){.tv_nsec = 50000000}, NULL);
        MQTTAsync_destroy(&m->client);
        while (atomic_load(&m->calls))
            nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    }
    pthread_mutex_destroy(&m->lock);
    pthread_cond_destroy(&m->changed);
    free((char *)m->o.url);
    free((char *)m->o.client_id);
    free((char *)m->o.user);
    free((char *)m->o.password);
    free((char *)m->o.ca_file);
    free((char *)m->o.will_topic);
    free((char *)m->o.will_payload);
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

static struct timespec from_now(int64_t ms)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    t.tv_nsec += ms % 1000 * 1000000;
    t.tv_sec += ms / 1000 + t.tv_nsec / 1000000000;
    t.tv_nsec %= 1000000000;
    return t;
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

/* MQTT 3.1.1, section 4.7: + is one level, # the rest (and its parent level); neither
 * matches a topic that begins with $ at the first level. */
bool mqtt_match(const char *filter, const char *topic)
{
    if (*topic == '$' && *filter != '$')
        return false;
    for (;;) {
        if (*filter == '#')
            return true;
        if (*filter == '+') {
            filter++;
            topic += strcspn(topic, "/");
        } else {
            while (*filter && *filter == *topic && *filter != '/') {
                filter++;
                topic++;
            }
        }
        if (!*topic)
            return !*filter || !strcmp(filter, "/#");
        if (*filter != '/' || *topic != '/')
            return false;
        filter++;
        topic++;
    }
}

bool mqtt_filter_valid(const char *filter)
{
    for (const char *level = filter;; level++) {
        size_t n = strcspn(level, "/"), plain = strcspn(level, "/+#");
        if (plain < n && (n != 1 || (*level == '#' && level[1])))
            return false;
        level += n;
        if (!*level)
            return *filter != '\0';
    }
}
