/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What comes from the broker: large pieces, cut into packets; the messages of a piece are
 * given one by one, then on_batch is asked, then they are acknowledged together. */
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/mem.h"
#include "common/mqtt_internal.h"
#include "common/mqtt_packet.h"
#include "common/mqtt_why.h"

#define BATCH_AGAIN_MS 100
#define READ_BYTES ((size_t)MQTT_LINK_READ)
/* a packet's largest part that is kept: topic, packet id, payload, fixed header */
#define PACKET_KEPT (MQTT_PAYLOAD_MAX + 65535 + 2 + 2 + 5)

/* ---- subscriptions --------------------------------------------------------------- */

static bool asks(const struct mqtt_subscription *s, bool all)
{
    return all || s->answer == MQTT_ASKED || (s->answer == MQTT_NOT_TAKEN && !s->extra);
}

static int64_t ask_again(const struct mqtt *m)
{
    return clock_mono_ms() + m->o.keepalive_s * INT64_C(2000);
}

/* One packet each: some brokers answer one of many filters with one code for all. */
void mqtt_subscribe(struct mqtt *m, bool all)
{
    m->ask_ms = ask_again(m);
    for (int i = 0; i < m->n_subs; i++)
        if (asks(&m->subs[i], all)) {
            m->subs[i].answer = MQTT_ASKED;
            mqtt_write_subscribe(&m->wire, (uint16_t)(MQTT_SUB_ID + i), m->subs[i].filter,
                                 m->subs[i].qos);
        }
}

static void come_up(struct mqtt *m)
{
    pthread_mutex_lock(&m->lock);
    bool news = !m->up;
    m->up = true;
    pthread_cond_broadcast(&m->changed);
    pthread_mutex_unlock(&m->lock);
    if (news)
        mqtt_tell(m, true, "");
}

static void await_answers(struct mqtt *m)
{
    m->unsure = true;
    m->subs_ms = clock_mono_ms();
    m->subs_at = m->wrote + (int64_t)(m->wire.len - m->sent);
}

/* One came, or what stands before the next: what is retained for a filter. */
static void answers_come(struct mqtt *m)
{
    if (m->subs_ms)
        m->subs_ms = clock_mono_ms();
}

/* When all are answered: who was refused, and that we are up. */
static void on_suback(struct mqtt *m, const unsigned char *p, size_t n)
{
    const char *refused[MQTT_FILTERS_MAX];
    int i = mqtt_read_id(p, n) - MQTT_SUB_ID, n_refused = 0;
    if (i < 0 || i >= m->n_subs || n < 3)
        return;
    m->subs[i].answer = p[2] == MQTT_REFUSED ? MQTT_NOT_TAKEN : MQTT_TAKEN;
    answers_come(m);
    for (i = 0; i < m->n_subs; i++) {
        if (m->subs[i].answer == MQTT_ASKED)
            return;
        if (m->subs[i].answer == MQTT_NOT_TAKEN && !m->subs[i].extra)
            refused[n_refused++] = m->subs[i].filter;
    }
    m->unsure = false;
    m->subs_ms = 0;
    if (!n_refused)
        m->ask_ms = INT64_MAX;
    if (m->o.on_refused && !mqtt_is_ending(m))
        m->o.on_refused(m->o.arg, refused, n_refused);
    come_up(m);
}

/* ---- CONNECT --------------------------------------------------------------------- */

static int by_number(const void *a, const void *b)
{
    const struct mqtt_slot *x = *(struct mqtt_slot *const *)a,
                           *y = *(struct mqtt_slot *const *)b;
    return (x->number > y->number) - (x->number < y->number);
}

/* What was not acknowledged in the last connection (4.4). */
static void send_again(struct mqtt *m)
{
    struct mqtt_slot *open[MQTT_INFLIGHT_MAX];
    size_t n = 0;
    pthread_mutex_lock(&m->lock);
    for (int i = 0; i < MQTT_INFLIGHT_MAX; i++)
        if (m->slot[i].used)
            open[n++] = &m->slot[i];
    qsort(open, n, sizeof *open, by_number);
    for (size_t i = 0; i < n; i++) {
        open[i]->packet[0] |= MQTT_DUP;
        buf_add(&m->wire, open[i]->packet, open[i]->len);
    }
    pthread_mutex_unlock(&m->lock);
}

static int on_connack(struct mqtt *m, const unsigned char *p, size_t n, struct err *e)
{
    if (n != 2)
        return err_set(e, ERR_UPSTREAM, "its answer is not MQTT's");
    m->answered = true;
    if (p[1]) {
        mqtt_why_refused(&m->o, p[1], e);
        return -1;
    }
    m->greeted = true;
    bool session = (p[0] & 1) && !m->o.clean && !m->unsure;
    send_again(m);
    mqtt_subscribe(m, true);
    /* With a session of ours there, the filters are in it. Their answers come after all
     * that waits for us, which may take long: nobody needs to wait for them. */
    if (session || !m->n_subs)
        come_up(m);
    else
        await_answers(m);
    return 0;
}

/* ---- what comes ------------------------------------------------------------------ */

/* 1: the message is not taken now. */
static int on_publish(struct mqtt *m, const struct mqtt_head *h, unsigned char *p,
                      size_t n, struct err *e)
{
    struct mqtt_publication in;
    if (mqtt_read_publish(h, p, n, &in))
        return err_set(e, ERR_UPSTREAM, "the broker sent a message that is malformed");
    if (in.qos == 2)
        return err_set(e, ERR_UPSTREAM,
                       "the broker sent a message at QoS 2, which we did not ask for");
    struct mqtt_message out = {in.topic, in.payload, in.len,   in.len + (h->body - n),
                               in.qos,   in.dup,     in.retain};
    /* a topic with a NUL matches no filter of ours */
    if (m->o.on_message && strlen(in.topic) == in.topic_len &&
        !m->o.on_message(m->o.arg, &out)) {
        mqtt_unread_publish(p, &in);
        return 1;
    }
    m->given = true;
    if (in.retain)
        answers_come(m);
    if (in.qos)
        mqtt_write_puback(&m->acks, in.id);
    return 0;
}

static void on_puback(struct mqtt *m, const unsigned char *p, size_t n)
{
    uint16_t id = mqtt_read_id(p, n);
    pthread_mutex_lock(&m->lock);
    if (id && id <= MQTT_INFLIGHT_MAX && m->slot[id - 1].used)
        mqtt_slot_done(m, (uint16_t)(id - 1));
    pthread_mutex_unlock(&m->lock);
}

/* n: how many bytes of the body are at p. 1: it stays where it is for now. */
static int on_packet(struct mqtt *m, const struct mqtt_head *h, unsigned char *p,
                     size_t n, struct err *e)
{
    if (!m->greeted)
        return on_connack(m, p, n, e);
    if (h->type == MQTT_PUBLISH)
        return on_publish(m, h, p, n, e);
    if (h->type == MQTT_PUBACK)
        on_puback(m, p, n);
    else if (h->type == MQTT_SUBACK)
        on_suback(m, p, n);
    return 0;
}

/* The packet at the beginning is larger than what is kept of one: the rest is counted and
 * thrown away as it comes. True: it is over. */
static bool skip_rest(struct mqtt *m)
{
    if (m->in_len > PACKET_KEPT) {
        m->skipped += m->in_len - PACKET_KEPT;
        m->in_len = PACKET_KEPT;
    }
    return m->in_len + m->skipped == m->want;
}

static int take_large(struct mqtt *m, struct err *e)
{
    struct mqtt_head h;
    if (!skip_rest(m))
        return 0;
    mqtt_read_head(m->in, m->in_len, &h);
    int rc = on_packet(m, &h, m->in + h.head, m->in_len - h.head, e);
    m->refused = rc > 0;
    if (!rc)
        m->in_len = m->want = m->skipped = 0;
    return rc < 0 ? -1 : 0;
}

/* Gives every whole packet that has come, and keeps the rest for the next time. */
static int take_packets(struct mqtt *m, struct err *e)
{
    struct mqtt_head h;
    size_t at = 0;
    int rc = 0;
    if (m->want > PACKET_KEPT)
        return take_large(m, e);
    m->want = 0;
    m->refused = false;
    while (!m->refused && (rc = mqtt_read_head(m->in + at, m->in_len - at, &h)) > 0) {
        if (!m->greeted && h.type != MQTT_CONNACK)
            return err_set(e, ERR_UPSTREAM, "its answer is not MQTT's");
        if (h.head + h.body > m->in_len - at) {
            m->want = h.head + h.body;
            break;
        }
        rc = on_packet(m, &h, m->in + at + h.head, h.body, e);
        if (rc < 0)
            return -1;
        m->refused = rc > 0;
        at += rc ? 0 : h.head + h.body;
    }
    if (rc < 0)
        return err_set(e, ERR_UPSTREAM, "what the broker sent is not MQTT's");
    m->in_len -= at;
    memmove(m->in, m->in + at, m->in_len);
    return 0;
}

/* Room for the packet that has begun, or for what is read at once. */
static void fit(struct mqtt *m)
{
    size_t need = m->want > PACKET_KEPT  ? PACKET_KEPT + READ_BYTES
                  : m->want > READ_BYTES ? m->want
                                         : READ_BYTES;
    if (m->in_cap == need || (m->in_cap > need && m->in_len > need))
        return;
    m->in = xrealloc(m->in, need);
    m->in_cap = need;
}

/* What was given is acknowledged when it is taken. */
static void ask_batch(struct mqtt *m)
{
    bool taken = !m->given || !m->o.on_batch || m->o.on_batch(m->o.arg);
    if (taken && m->given) {
        m->given = false;
        if (m->acks.len)
            buf_add(&m->wire, m->acks.data, m->acks.len);
        buf_reset(&m->acks);
    }
    if (m->held) { /* answers may lie there unread */
        m->ping_ms = 0;
        m->ask_ms = m->ask_ms == INT64_MAX ? INT64_MAX : ask_again(m);
    }
    m->held = !taken || m->refused;
    m->batch_ms = m->held ? clock_mono_ms() + BATCH_AGAIN_MS : 0;
}

int mqtt_receive_again(struct mqtt *m, struct err *e)
{
    if (!m->held || clock_mono_ms() < m->batch_ms)
        return 0;
    if (m->refused && take_packets(m, e))
        return -1;
    ask_batch(m);
    return 0;
}

long mqtt_receive(struct mqtt *m, struct err *e)
{
    fit(m);
    size_t room = m->in_cap - m->in_len;
    if (m->want > PACKET_KEPT && room > m->want - m->in_len - m->skipped)
        room = m->want - m->in_len - m->skipped;
    long n = mqtt_link_read(m->link, m->in + m->in_len, room, e);
    if (n <= 0)
        return n;
    m->heard_ms = clock_mono_ms();
    m->ping_ms = 0;
    m->in_len += (size_t)n;
    if (take_packets(m, e))
        return -1;
    if (m->given || m->refused)
        ask_batch(m);
    return n;
}
