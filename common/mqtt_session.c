/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One connection: CONNECT, then what comes (mqtt_receive.c) and what leaves in turn, and
 * a ping when neither does. */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/mqtt_internal.h"
#include "common/mqtt_packet.h"
#include "common/mqtt_why.h"

#define KEEPALIVE_S 30
#define PING_MS 20000   /* of silence, of ours or the broker's */
#define ANSWER_MS 10000 /* a ping's answer takes at most; also of CONNECT's answer */
/* While so much waits to leave, nothing is read. */
#define WIRE_HIGH ((size_t)256 << 10)
/* A buffer that grew beyond this is given back. */
#define WIRE_KEPT ((size_t)64 << 10)

/* ---- what leaves ----------------------------------------------------------------- */

static void give_back(struct buf *b)
{
    if (b->cap > WIRE_KEPT)
        buf_done(b);
    else
        buf_reset(b);
}

/* Publications follow when all before them has left. */
static void refill(struct mqtt *m)
{
    give_back(&m->wire);
    m->sent = 0;
    pthread_mutex_lock(&m->lock);
    struct buf was = m->wire;
    if (m->out.len) {
        m->wire = m->out;
        m->wire.max = was.max;
        was.max = MQTT_OUT_BYTES;
        m->out = was;
    }
    bool news = m->out_qos0 || m->wire_qos0 || m->wire.len;
    m->wire_qos0 = m->out_qos0;
    m->out_qos0 = 0;
    if (news)
        pthread_cond_broadcast(&m->changed);
    pthread_mutex_unlock(&m->lock);
}

static int write_some(struct mqtt *m, struct err *e)
{
    for (;;) {
        if (m->sent == m->wire.len)
            refill(m);
        if (m->sent == m->wire.len)
            return 0;
        long n =
            mqtt_link_write(m->link, m->wire.data + m->sent, m->wire.len - m->sent, e);
        if (n <= 0)
            return (int)n;
        m->sent += (size_t)n;
        m->spoke_ms = clock_mono_ms();
    }
}

/* ---- the loop -------------------------------------------------------------------- */

/* Pings, and ends what is silent. While on_batch says no, nothing is heard because
 * nothing is read. */
static int keep_alive(struct mqtt *m, struct err *e)
{
    int64_t now = clock_mono_ms();
    if (!m->greeted)
        return now < m->spoke_ms + ANSWER_MS
                   ? 0
                   : err_set(e, ERR_TIMEOUT, "no answer for %d s", ANSWER_MS / 1000);
    if (m->ping_ms && !m->held && now >= m->ping_ms + ANSWER_MS)
        return err_set(e, ERR_TIMEOUT, "the broker did not answer a ping for %d s",
                       ANSWER_MS / 1000);
    bool quiet = now >= m->heard_ms + PING_MS && !m->ping_ms && !m->held;
    if (quiet || now >= m->spoke_ms + PING_MS) {
        mqtt_write_empty(&m->wire, MQTT_PINGREQ);
        m->ping_ms = now;
        m->spoke_ms = now;
    }
    if (now >= m->ask_ms)
        mqtt_subscribe(m, false);
    return 0;
}

static int earliest(const struct mqtt *m)
{
    int64_t now = clock_mono_ms(), due = m->spoke_ms + ANSWER_MS;
    if (m->greeted)
        due = m->spoke_ms + PING_MS;
    int64_t hear = m->ping_ms ? m->ping_ms + ANSWER_MS : m->heard_ms + PING_MS;
    if (m->greeted && !m->held && hear < due)
        due = hear;
    if (m->ask_ms < due)
        due = m->ask_ms;
    if (m->held && m->batch_ms < due)
        due = m->batch_ms;
    return due <= now ? 1 : (int)(due - now);
}

static void sleep_until(struct mqtt *m, bool reads, bool writes)
{
    struct pollfd fd[] = {
        {.fd = m->wake_fd, .events = POLLIN},
        {.fd = mqtt_link_fd(m->link),
         .events = (short)((reads ? POLLIN : 0) | (writes ? POLLOUT : 0))}};
    uint64_t n;
    pthread_mutex_lock(&m->lock);
    bool busy = m->ending || (m->out.len && !writes);
    m->sleeps = !busy;
    pthread_mutex_unlock(&m->lock);
    /* of a link that is not watched, an end is not to wake us again and again */
    if (!busy && poll(fd, reads || writes ? 2 : 1, earliest(m)) > 0 && fd[0].revents &&
        read(m->wake_fd, &n, sizeof n) < 0 && errno != EAGAIN)
        log_warn("could not read an eventfd: %m");
    pthread_mutex_lock(&m->lock);
    m->sleeps = false;
    pthread_mutex_unlock(&m->lock);
}

/* Until the connection breaks or is to end. */
static int run(struct mqtt *m, struct err *e)
{
    while (!mqtt_is_ending(m)) {
        if (mqtt_receive_again(m, e) || keep_alive(m, e) || write_some(m, e))
            return -1;
        size_t waits = m->wire.len - m->sent;
        bool reads = !m->held && waits < WIRE_HIGH;
        long n = reads ? mqtt_receive(m, e) : 0;
        if (n < 0)
            return -1;
        if (!n)
            sleep_until(m, reads, waits > 0);
    }
    return 0;
}

static void greet(struct mqtt *m)
{
    m->answered = m->greeted = m->given = m->refused = m->held = false;
    m->in_len = m->want = m->skipped = m->sent = 0;
    m->heard_ms = m->spoke_ms = clock_mono_ms();
    m->ping_ms = 0;
    m->ask_ms = INT64_MAX;
    buf_reset(&m->acks);
    buf_reset(&m->wire);
    struct mqtt_hello h = {.client_id = m->o.client_id,
                           .user = m->o.user,
                           .password = m->o.user ? m->o.password : NULL, /* 3.1.2.9 */
                           .will_topic = m->o.will_topic,
                           .will_payload = m->o.will_payload,
                           .keepalive_s = KEEPALIVE_S,
                           .clean = m->o.clean};
    mqtt_write_connect(&m->wire, &h);
}

void mqtt_session(struct mqtt *m, struct err *e)
{
    greet(m);
    if (run(m, e)) {
        if (!m->answered)
            mqtt_why_silent(&m->o, e);
        return;
    }
    struct err ignored = ERR_INIT;
    mqtt_write_empty(&m->wire, MQTT_DISCONNECT);
    if (m->greeted && write_some(m, &ignored))
        log_debug("did not take leave of the broker: %s", ignored.text);
}
