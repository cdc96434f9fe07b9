/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The callers' side: opening, publishing, closing; and the thread that connects again and
 * again. */
#include "common/mqtt.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/cond.h"
#include "common/http_client.h"
#include "common/log.h"
#include "common/mem.h"
#include "common/mqtt_internal.h"
#include "common/mqtt_packet.h"
#include "common/mqtt_why.h"
#include "common/stop.h"

#define KEEPALIVE_S 30
#define PUBLISH_WAIT_S 30
#define CLOSE_WAIT_MS 2000
#define CONNECT_MS 5000
#define RETRY_MIN_MS 250
#define RETRY_MAX_MS 30000
#define LASTING_MS 2000                 /* after that long a connection was a good one */
#define WIRE_BYTES (MQTT_OUT_BYTES * 4) /* more than all that can come together there */

bool mqtt_is_ending(struct mqtt *m)
{
    pthread_mutex_lock(&m->lock);
    bool ending = m->ending;
    pthread_mutex_unlock(&m->lock);
    return ending;
}

void mqtt_tell(struct mqtt *m, bool up, const char *why)
{
    if (m->o.on_state && !mqtt_is_ending(m))
        m->o.on_state(m->o.arg, up, why);
}

void mqtt_wake(struct mqtt *m)
{
    uint64_t one = 1;
    if (m->sleeps && write(m->wake_fd, &one, sizeof one) < 0)
        log_warn("could not write to an eventfd: %m");
    m->sleeps = false;
}

void mqtt_slot_done(struct mqtt *m, uint16_t slot)
{
    m->slot_bytes -= m->slot[slot].len;
    free(m->slot[slot].packet);
    m->slot[slot] = (struct mqtt_slot){0};
    m->unused[m->n_unused++] = slot;
    /* not for each: who waits for room has much to send */
    if (m->n_unused == MQTT_INFLIGHT_MAX / 2 || m->n_unused == MQTT_INFLIGHT_MAX)
        pthread_cond_broadcast(&m->changed);
}

/* ---- the thread ------------------------------------------------------------------ */

static bool give_up(void *arg)
{
    return mqtt_is_ending(arg) || stop_overdue();
}

static void connect_once(struct mqtt *m, struct err *e)
{
    struct mqtt_link_opts o = {.url = m->o.url,
                               .ca_file = m->o.ca_file,
                               .cert_file = m->o.cert_file,
                               .key_file = m->o.key_file,
                               .timeout_ms = CONNECT_MS,
                               .give_up = give_up,
                               .arg = m};
    m->greeted = false;
    m->link = mqtt_link_open(&o, e);
    if (!m->link) {
        mqtt_why_no_link(e);
        return;
    }
    mqtt_session(m, e);
    mqtt_link_close(m->link);
    m->link = NULL;
}

/* What of the publications does not outlive the connection is lost. */
static void go_down(struct mqtt *m)
{
    pthread_mutex_lock(&m->lock);
    m->up = false;
    atomic_fetch_add(&m->failed, m->out_qos0 + m->wire_qos0);
    m->out_qos0 = m->wire_qos0 = 0;
    buf_done(&m->out);
    for (int i = 0; m->o.clean && i < MQTT_INFLIGHT_MAX; i++)
        if (m->slot[i].used) {
            atomic_fetch_add(&m->failed, 1);
            mqtt_slot_done(m, (uint16_t)i);
        }
    pthread_cond_broadcast(&m->changed);
    pthread_mutex_unlock(&m->lock);
}

static void *keep_connected(void *arg)
{
    struct mqtt *m = arg;
    int64_t retry_ms = RETRY_MIN_MS;
    while (!mqtt_is_ending(m)) {
        struct err e = ERR_INIT;
        int64_t began_ms = clock_mono_ms();
        connect_once(m, &e);
        go_down(m);
        mqtt_tell(m, false, e.text);
        /* one that takes us and ends it at once may have another client of our id */
        if (m->greeted && clock_mono_ms() - began_ms >= LASTING_MS)
            retry_ms = RETRY_MIN_MS;
        struct timespec t = cond_deadline(retry_ms);
        pthread_mutex_lock(&m->lock);
        while (!m->ending && !pthread_cond_timedwait(&m->changed, &m->lock, &t))
            ;
        pthread_mutex_unlock(&m->lock);
        retry_ms = retry_ms * 2 > RETRY_MAX_MS ? RETRY_MAX_MS : retry_ms * 2;
    }
    return NULL;
}

/* ---- opening and closing --------------------------------------------------------- */

static char *copy(const char *s)
{
    return s && *s ? xstrdup(s) : NULL;
}

static void add_filter(struct mqtt *m, const char *filter, int qos, bool extra)
{
    m->subs[m->n_subs++] =
        (struct mqtt_subscription){xstrdup(filter), qos, extra, MQTT_ASKED};
}

static void copy_opts(struct mqtt *m, const struct mqtt_opts *o)
{
    m->o = *o;
    m->o.keepalive_s = o->keepalive_s ? o->keepalive_s : KEEPALIVE_S;
    m->o.url = copy(o->url);
    m->o.client_id = copy(o->client_id);
    m->o.user = copy(o->user);
    m->o.password = copy(o->password);
    m->o.ca_file = copy(o->ca_file);
    m->o.cert_file = copy(o->cert_file);
    m->o.key_file = copy(o->key_file);
    m->o.will_topic = copy(o->will_topic);
    m->o.will_payload = copy(o->will_payload ? o->will_payload : "");
    for (const char *const *f = o->filters; f && *f && m->n_subs < MQTT_FILTERS_MAX; f++)
        add_filter(m, *f, o->qos, false);
    if (o->extra_filter)
        add_filter(m, o->extra_filter, 0, true);
    m->o.filters = NULL;
    m->o.extra_filter = NULL;
}

static void init(struct mqtt *m)
{
    cond_init(&m->changed);
    pthread_mutex_init(&m->lock, NULL);
    buf_init(&m->out, MQTT_OUT_BYTES);
    buf_init(&m->wire, WIRE_BYTES);
    buf_init(&m->acks, WIRE_BYTES);
    while (m->n_unused < MQTT_INFLIGHT_MAX) {
        m->unused[m->n_unused] = (uint16_t)(MQTT_INFLIGHT_MAX - 1 - m->n_unused);
        m->n_unused++;
    }
}

static int start(struct mqtt *m, struct err *e)
{
    m->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (m->wake_fd < 0 || pthread_create(&m->thread, NULL, keep_connected, m))
        return err_set(e, ERR_INTERNAL,
                       "could not start the thread that keeps the broker's connection");
    m->runs = true;
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
    if (mqtt_check_url(o->url ? o->url : "", e) || mqtt_check_files(o, e))
        return NULL;
    struct mqtt *m = xcalloc(1, sizeof *m);
    copy_opts(m, o);
    http_client_global_init();
    init(m);
    if (start(m, e) == 0)
        return m;
    mqtt_close(m);
    return NULL;
}

static void stop(struct mqtt *m)
{
    if (mqtt_is_up(m) && !stop_overdue())
        mqtt_drain(m, CLOSE_WAIT_MS);
    pthread_mutex_lock(&m->lock);
    m->ending = true;
    mqtt_wake(m);
    pthread_cond_broadcast(&m->changed);
    pthread_mutex_unlock(&m->lock);
    pthread_join(m->thread, NULL);
}

void mqtt_close(struct mqtt *m)
{
    if (!m)
        return;
    if (m->runs)
        stop(m);
    if (m->wake_fd >= 0)
        close(m->wake_fd);
    pthread_mutex_destroy(&m->lock);
    pthread_cond_destroy(&m->changed);
    const char *const owned[] = {m->o.url,      m->o.client_id,  m->o.user,
                                 m->o.password, m->o.ca_file,    m->o.cert_file,
                                 m->o.key_file, m->o.will_topic, m->o.will_payload};
    for (size_t i = 0; i < sizeof owned / sizeof *owned; i++)
        free((char *)owned[i]);
    for (int i = 0; i < m->n_subs; i++)
        free(m->subs[i].filter);
    for (int i = 0; i < MQTT_INFLIGHT_MAX; i++)
        free(m->slot[i].packet);
    buf_done(&m->out);
    buf_done(&m->wire);
    buf_done(&m->acks);
    free(m->in);
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
    struct timespec t = cond_deadline(ms);
    pthread_mutex_lock(&m->lock);
    while (!m->up && pthread_cond_timedwait(&m->changed, &m->lock, &t) == 0)
        ;
    bool up = m->up;
    pthread_mutex_unlock(&m->lock);
    return up;
}

/* ---- publishing ------------------------------------------------------------------ */

/* With the lock held. */
static bool has_room(const struct mqtt *m, size_t len)
{
    return mqtt_open_ones(m) < MQTT_INFLIGHT_MAX &&
           m->slot_bytes + len <= MQTT_OUT_BYTES && m->out.len + len <= MQTT_OUT_BYTES;
}

/* With the lock held: 0 when there is room, or what stands against it. */
static int await_room(struct mqtt *m, size_t len)
{
    bool waits = !pthread_equal(pthread_self(), m->thread);
    for (int s = 0; m->up && !has_room(m, len); s++) {
        if (!waits || s == PUBLISH_WAIT_S || stop_overdue())
            return ETIMEDOUT;
        struct timespec t = cond_deadline(1000);
        while (m->up && !has_room(m, len) &&
               !pthread_cond_timedwait(&m->changed, &m->lock, &t))
            ;
    }
    return m->up ? 0 : ENOTCONN;
}

/* With the lock held, and room. */
static void put(struct mqtt *m, const char *topic, const void *payload, size_t len,
                int qos, bool retain)
{
    size_t from = m->out.len;
    uint16_t slot = qos ? m->unused[--m->n_unused] : 0;
    mqtt_write_publish(&m->out, topic, payload, len, qos, retain, (uint16_t)(slot + 1));
    m->out_qos0 += !qos;
    if (qos) {
        struct mqtt_slot *s = &m->slot[slot];
        *s = (struct mqtt_slot){.used = true, .number = m->published++};
        s->len = m->out.len - from;
        if (!m->o.clean)
            s->packet = memcpy(xmalloc(s->len), m->out.data + from, s->len);
        m->slot_bytes += s->len;
    }
    mqtt_wake(m);
}

int mqtt_publish(struct mqtt *m, const char *topic, const void *payload, size_t len,
                 int qos, bool retain, struct err *e)
{
    size_t topic_len = strlen(topic);
    if (len > MQTT_PAYLOAD_MAX || topic_len > UINT16_MAX)
        return err_set(e, ERR_TOO_LARGE,
                       "could not publish to %.100s: %zu bytes, at most %zu are taken",
                       topic, len, MQTT_PAYLOAD_MAX);
    pthread_mutex_lock(&m->lock);
    int rc = await_room(m, len + topic_len + 16);
    if (!rc)
        put(m, topic, payload, len, qos, retain);
    pthread_mutex_unlock(&m->lock);
    if (rc == ETIMEDOUT)
        return err_set(e, ERR_TIMEOUT, "the broker %s acknowledged nothing for %d s",
                       m->o.url, PUBLISH_WAIT_S);
    return rc ? err_set(e, ERR_UNAVAILABLE, "not connected to the broker %s", m->o.url)
              : 0;
}

int mqtt_inflight(const struct mqtt *m)
{
    struct mqtt *w = (struct mqtt *)m;
    pthread_mutex_lock(&w->lock);
    int n = mqtt_open_ones(w);
    pthread_mutex_unlock(&w->lock);
    return n;
}

int mqtt_drain(struct mqtt *m, int ms)
{
    struct timespec t = cond_deadline(ms);
    pthread_mutex_lock(&m->lock);
    while (mqtt_open_ones(m) && pthread_cond_timedwait(&m->changed, &m->lock, &t) == 0)
        ;
    int n = mqtt_open_ones(m);
    pthread_mutex_unlock(&m->lock);
    return n;
}

long mqtt_failed(const struct mqtt *m)
{
    return atomic_load(&((struct mqtt *)m)->failed);
}
