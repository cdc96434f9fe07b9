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

#define LOOK_MS 1000 /* between looks at whether a ping has arrived */
/* While so much waits to leave, nothing is read. */
#define WIRE_HIGH ((size_t)256 << 10)
/* A buffer that grew beyond this is given back. */
#define WIRE_KEPT ((size_t)64 << 10)

/* Of silence, of ours or the broker's, before a ping. */
static int64_t quiet_ms(const struct mqtt *m)
{
    return m->o.keepalive_s * INT64_C(2000) / 3;
}

/* A ping's answer takes at most; also CONNECT's. */
static int64_t answer_ms(const struct mqtt *m)
{
    return m->o.keepalive_s * INT64_C(1000) / 3;
}

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
        m->wrote += n;
        m->spoke_ms = clock_mono_ms();
    }
}

/* ---- the loop -------------------------------------------------------------------- */

static bool is_deaf(const struct mqtt *m)
{
    return m->held || m->wire.len - m->sent >= WIRE_HIGH;
}

/* Over a slow line a ping may stand long behind what was published before it: the broker
 * has to answer only from when it has it, as long as bytes arrive there at all. */
static bool is_overdue(struct mqtt *m, int64_t now)
{
    if (!m->ping_ms || m->held)
        return false;
    int64_t arrived = m->wrote - mqtt_link_under_way(m->link);
    if (arrived > m->arrived && (m->arrived < m->ping_at || is_deaf(m))) {
        m->arrived = arrived;
        m->ping_ms = now;
    }
    return now >= m->ping_ms + answer_ms(m);
}

static void ping(struct mqtt *m, int64_t now)
{
    mqtt_write_empty(&m->wire, MQTT_PINGREQ);
    m->spoke_ms = now;
    if (m->ping_ms)
        return;
    m->ping_ms = now;
    m->ping_at = m->wrote + (int64_t)(m->wire.len - m->sent);
    m->arrived = m->wrote - mqtt_link_under_way(m->link);
}

/* Pings, and ends what is silent. While on_batch says no, nothing is heard because
 * nothing is read. */
static int keep_alive(struct mqtt *m, struct err *e)
{
    int64_t now = clock_mono_ms();
    if (!m->greeted)
        return now < m->spoke_ms + answer_ms(m)
                   ? 0
                   : err_set(e, ERR_TIMEOUT, "no answer for %d s",
                             (int)(answer_ms(m) / 1000));
    if (is_overdue(m, now))
        return err_set(e, ERR_TIMEOUT, "the broker did not answer a ping for %d s",
                       (int)(answer_ms(m) / 1000));
    bool quiet = now >= m->heard_ms + quiet_ms(m) && !m->ping_ms && !m->held;
    if (quiet || now >= m->spoke_ms + quiet_ms(m))
        ping(m, now);
    if (now >= m->ask_ms)
        mqtt_subscribe(m, false);
    return 0;
}

/* A new session without its subscriptions would hear nothing, and nobody would know why.
 * Over a slow line they may stand long behind what is sent again before them, and their
 * answers behind a large message; and while on_batch says no, none are read. */
static int await_subs(struct mqtt *m, bool reads, struct err *e)
{
    int64_t now = clock_mono_ms();
    int n = 0, first = 0;
    if (!m->subs_ms)
        return 0;
    if (!reads || m->in_len || m->wrote - mqtt_link_under_way(m->link) < m->subs_at)
        m->subs_ms = now;
    if (now < m->subs_ms + answer_ms(m))
        return 0;
    for (int i = m->n_subs - 1; i >= 0; i--)
        if (m->subs[i].answer == MQTT_ASKED) {
            first = i;
            n++;
        }
    err_set(
        e, ERR_TIMEOUT,
        "the broker did not answer %d of %d subscriptions for %d s, the first of them "
        "to \"%.100s\"",
        n, m->n_subs, (int)(answer_ms(m) / 1000), m->subs[first].filter);
    /* for one who was told of another reason before, and not of this */
    log_often(&m->unanswered, LOG_WARN, "%s: connecting anew", e->text);
    return -1;
}

/* When something is due of what the broker is to say. */
static int64_t hear_by(const struct mqtt *m, int64_t now)
{
    if (!m->ping_ms)
        return m->heard_ms + quiet_ms(m);
    int64_t due = m->ping_ms + answer_ms(m);
    bool looks = m->arrived < m->ping_at && due > now + LOOK_MS;
    return looks ? now + LOOK_MS : due;
}

static int earliest(const struct mqtt *m)
{
    int64_t now = clock_mono_ms(), due = m->spoke_ms + answer_ms(m);
    if (m->greeted)
        due = m->spoke_ms + quiet_ms(m);
    if (m->greeted && !m->held && hear_by(m, now) < due)
        due = hear_by(m, now);
    if (m->subs_ms && !m->held && m->subs_ms + answer_ms(m) < due)
        due = m->subs_ms + answer_ms(m);
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
        bool reads = !is_deaf(m);
        long n = reads ? mqtt_receive(m, e) : 0;
        if (n < 0 || (!n && await_subs(m, reads, e)))
            return -1;
        if (!n)
            sleep_until(m, reads, m->wire.len > m->sent);
    }
    return 0;
}

static void greet(struct mqtt *m)
{
    m->answered = m->greeted = m->given = m->refused = m->held = false;
    m->in_len = m->want = m->skipped = m->sent = 0;
    m->heard_ms = m->spoke_ms = clock_mono_ms();
    m->ping_ms = m->wrote = m->subs_ms = 0;
    m->ask_ms = INT64_MAX;
    buf_reset(&m->acks);
    buf_reset(&m->wire);
    struct mqtt_hello h = {.client_id = m->o.client_id,
                           .user = m->o.user,
                           .password = m->o.user ? m->o.password : NULL, /* 3.1.2.9 */
                           .will_topic = m->o.will_topic,
                           .will_payload = m->o.will_payload,
                           .keepalive_s = (uint16_t)m->o.keepalive_s,
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
