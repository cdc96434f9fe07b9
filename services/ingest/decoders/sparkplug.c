/* SPDX-License-Identifier: GPL-3.0-or-later */
/* spBv1.0/<group>/<type>/<edge node>[/<device>]: Sparkplug B, protobuf (sparkplug.proto).
 *   NBIRTH, DBIRTH  timestamp 1795132800000, seq 0, metrics
 *                   {name "Temperature", alias 7, datatype Float, float_value 21.5,
 *                    properties engUnit "°C"}, …
 *   NDATA, DDATA    timestamp, seq 1, metrics {alias 7, timestamp, float_value 21.6}, …
 *   NDEATH, DDEATH  the edge node is gone, with all its devices; or one of them
 * The device is group/edge or group/edge/device. What a number stands for is known from
 * the newest birth alone, so births are remembered. NCMD, DCMD and STATE say nothing that
 * is stored. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "services/ingest/decode.h"
#include "services/ingest/sparkplug_birth.h"
#include "services/ingest/sparkplug_topic.h"

/* ---- values
 * ------------------------------------------------------------------------------ */

/* A metric with what it means. */
struct value {
    const struct sparkplug_metric *s;
    struct birth_metric what;
    char loose[QUANTITY_MAX + 1]; /* of one that no birth has announced */
};

/* The later value of one quantity counts; a new item begins when this one is full, which
 * becomes the same point again. */
static enum reject put(struct message *m, const struct value *v, struct err *e)
{
    struct item *it = message_last(m);
    double x = sparkplug_value(v->s, v->what.type);
    const char *unit = v->s->unit ? v->s->unit : v->what.unit;
    const char *quantity = *v->loose ? v->loose : v->what.quantity;
    if (!isfinite(x))
        return REJECT_NONE;
    enum reject why = decode_unit(quantity, &x, unit, e);
    for (size_t i = 0; !why && i < it->r.n; i++)
        if (!strcmp(it->r.values[i].quantity, quantity)) {
            it->r.values[i].value = x;
            return REJECT_NONE;
        }
    if (!why && reading_add(&it->r, quantity, x, e))
        why = REJECT_BAD_VALUE;
    if (why) {
        snprintf(e->slug, sizeof e->slug, "%s", reject_name(why));
        message_refuse(m, it, why, e);
    }
    return REJECT_NONE;
}

/* The next item: the first one while it is empty, then new ones of the same device. */
static struct item *next_item(struct message *m, bool *fresh)
{
    if (*fresh) {
        *fresh = false;
        return message_last(m);
    }
    struct item *it = message_add(m);
    if (!it)
        return NULL;
    strcpy(it->r.device, m->item[0].r.device);
    strcpy(it->r.raw_device, m->item[0].r.raw_device);
    return it;
}

static int by_time(const void *x, const void *y)
{
    const struct value *p = x, *q = y;
    if (p->s->time_ms != q->s->time_ms)
        return p->s->time_ms < q->s->time_ms ? -1 : 1;
    return (p->s > q->s) - (p->s < q->s);
}

/* Values of one time are one reading. */
static enum reject put_all(struct message *m, struct value *v, size_t n, bool *fresh,
                           struct err *e)
{
    qsort(v, n, sizeof *v, by_time);
    for (size_t i = 0; i < n; i++) {
        const struct item *last = message_last(m);
        if (!i || v[i].s->time_ms != v[i - 1].s->time_ms ||
            last->r.n == READING_VALUES_MAX) {
            struct item *it = next_item(m, fresh);
            if (!it)
                return reject_say(REJECT_TOO_MANY_VALUES, e,
                                  "the message has readings of more than %d times",
                                  MESSAGE_ITEMS_MAX);
            it->time.kind = v[i].s->time_ms > 0 ? RAW_TIME_NUMBER : RAW_TIME_NONE;
            it->time.number = v[i].s->time_ms;
        }
        enum reject r = put(m, &v[i], e);
        if (r)
            return r;
    }
    return REJECT_NONE;
}

/* What a metric is: true, also for one that is passed over (what.quantity ""). False: a
 * birth would have to say. */
static bool identify(const struct birth *b, struct value *v)
{
    v->what = (struct birth_metric){"", "", SPARKPLUG_UNKNOWN};
    v->loose[0] = '\0';
    bool known = b && birth_find(b, v->s, &v->what);
    if (v->s->type)
        v->what.type = v->s->type;
    if (known)
        return true;
    if (!v->s->name || !*v->s->name)
        return !v->s->has_alias; /* nobody could say what it is */
    sparkplug_quantity(v->s, v->loose);
    return v->what.type || v->s->kind != SPARKPLUG_BITS; /* has it a sign? */
}

static enum reject unknown(const struct sparkplug_topic *p,
                           const struct sparkplug_metric *s, const struct birth *b,
                           struct err *e)
{
    if (s->name && *s->name)
        return reject_say(REJECT_UNKNOWN_ALIAS, e,
                          "no birth of %s says which datatype \"%.80s\" has", p->raw,
                          s->name);
    return reject_say(REJECT_UNKNOWN_ALIAS, e, "%s says what number %llu of %s is",
                      b ? "the newest birth does not have it: nothing"
                        : "no birth is known: nothing",
                      (unsigned long long)s->alias, p->raw);
}

/* Readings out of a birth's or data's metrics. fresh: the first item is still empty. */
static enum reject readings(const struct sparkplug_topic *p, const struct sparkplug *s,
                            const struct birth *b, struct message *m, bool fresh,
                            struct err *e)
{
    struct value *v = xcalloc(s->n ? s->n : 1, sizeof *v);
    size_t n = 0;
    enum reject why = REJECT_NONE;
    for (size_t i = 0; i < s->n; i++) {
        v[n].s = &s->metric[i];
        if (!identify(b, &v[n])) {
            why = unknown(p, &s->metric[i], b, e);
            m->edge.lost = p->kind != SPARKPLUG_BIRTH; /* another would be the same */
            message_refuse(m, NULL, why, e);
        } else if ((*v[n].loose || *v[n].what.quantity) && !s->metric[i].null &&
                   s->metric[i].kind) {
            n++;
        }
    }
    enum reject r = put_all(m, v, n, &fresh, e);
    free(v);
    if (r || !fresh)
        return r;
    if (!why) { /* only what is passed over */
        m->n = 0;
        return REJECT_NONE;
    }
    *e = m->why;
    return why;
}

/* ---- births and deaths
 * ----------------------------------------------------------------------- */

static void status(struct item *it, bool online)
{
    it->kind = ITEM_STATUS;
    it->online = online;
}

struct deaths {
    struct message *m;
    const char *edge;
    size_t skip; /* a topic's bytes before the device */
    size_t left_out;
};

static bool dies(void *arg, const char *topic)
{
    struct deaths *d = arg;
    struct err e = ERR_INIT;
    char raw[RAW_DEVICE_MAX + 1];
    if (snprintf(raw, sizeof raw, "%s/%s", d->edge, topic + d->skip) >= (int)sizeof raw)
        return true;
    if (!message_add(d->m)) {
        d->left_out++;
        return true;
    }
    status(message_last(d->m), false);
    if (decode_device_text(d->m, raw, &e))
        d->m->n--;
    return true;
}

/* A node's death ends its devices too. The broker may send it after the birth of the
 * node's next session: then it says nothing. */
static enum reject death(const struct input *in, const struct sparkplug_topic *p,
                         const struct sparkplug *s, const struct birth *b,
                         struct message *m, struct err *e)
{
    double session = sparkplug_session(s);
    if (p->node && b && session >= 0 && birth_session(b) >= 0 &&
        session != birth_session(b)) {
        m->n = 0;
        return REJECT_NONE;
    }
    status(message_last(m), false);
    if (!p->node)
        return REJECT_NONE;
    struct deaths d = {m, p->edge, strlen(p->births), 0};
    memory_each(in->memory, p->births, dies, &d);
    if (d.left_out) {
        reject_say(REJECT_TOO_MANY_VALUES, e,
                   "%s has more than %d devices: of %zu it is not noted that they are "
                   "offline",
                   p->edge, MESSAGE_ITEMS_MAX - 1, d.left_out);
        message_refuse(m, NULL, REJECT_TOO_MANY_VALUES, e);
    }
    return REJECT_NONE;
}

static enum reject birth(const struct sparkplug_topic *p, const struct sparkplug *s,
                         struct message *m, struct err *e)
{
    struct birth *b = birth_of(s);
    status(message_last(m), true);
    enum reject r = readings(p, s, b, m, false, e);
    birth_free(b);
    return r;
}

static enum reject by_kind(const struct input *in, const struct sparkplug_topic *p,
                           const struct sparkplug *s, struct message *m, struct err *e)
{
    if (p->kind == SPARKPLUG_BIRTH)
        return birth(p, s, m, e);
    struct memo *memo = memory_find(in->memory, p->birth, &birth_kind);
    const struct birth *b = memo ? memo_made(memo) : NULL;
    enum reject r = p->kind == SPARKPLUG_DEATH ? death(in, p, s, b, m, e)
                                               : readings(p, s, b, m, true, e);
    memo_release(memo);
    return r;
}

enum reject decode_sparkplug(const struct input *in, struct message *m, struct err *e)
{
    struct sparkplug_topic p;
    struct sparkplug s;
    enum reject r = sparkplug_topic(in->topic, &p, e);
    if (r)
        return r;
    if (p.kind == SPARKPLUG_OTHER) {
        m->n = 0;
        return REJECT_NONE;
    }
    r = decode_device_text(m, p.raw, e);
    if (r)
        return r;
    strcpy(m->edge.id, p.edge);
    m->edge.birth = p.node && p.kind == SPARKPLUG_BIRTH;
    if (sparkplug_read(&s, in->payload, in->len, e) == 0) {
        m->edge.seq = p.node && p.kind == SPARKPLUG_DEATH ? -1 : s.seq;
        r = by_kind(in, &p, &s, m, e);
    } else {
        m->edge.lost = p.kind == SPARKPLUG_BIRTH;
        r = reject_say(REJECT_BAD_SHAPE, e, "%s", (const char *)e->text);
    }
    sparkplug_done(&s);
    return r;
}

bool remember_sparkplug(const struct input *in, struct memory_change *c,
                        struct buf *texts)
{
    struct sparkplug_topic p;
    struct err e = ERR_INIT;
    if (sparkplug_topic(in->topic, &p, &e) || p.kind == SPARKPLUG_OTHER ||
        p.kind == SPARKPLUG_DATA || (p.kind == SPARKPLUG_DEATH && p.node))
        return false;
    struct birth *b =
        p.kind == SPARKPLUG_BIRTH && in->payload ? birth_new(in->payload, in->len) : NULL;
    c->put = b != NULL;
    c->forget = !b; /* a birth that cannot be read has taken the older one's place */
    birth_free(b);
    if (p.kind == SPARKPLUG_DEATH) {
        buf_adds(texts, p.birth);
        c->topic = texts->data;
    } else if (p.node) {
        buf_adds(texts, p.births);
        c->forget_under = texts->data;
    }
    return true;
}
