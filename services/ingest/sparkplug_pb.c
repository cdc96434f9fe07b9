/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "services/ingest/sparkplug_pb.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <sparkplug.pb-c.h>

#include "common/mem.h"

#define MOST_BYTES (16u << 20)

/* ---- memory with a ceiling: two bytes of a payload can be a whole metric
 * ------------------ */

struct ceiling {
    size_t left;
};

static void *take(void *arg, size_t n)
{
    struct ceiling *c = arg;
    n += 16; /* what an allocation costs beside its bytes */
    if (n > c->left)
        return NULL;
    c->left -= n;
    return malloc(n);
}

static void give_back(void *arg, void *p)
{
    (void)arg;
    free(p);
}

/* ---- reading
 * ----------------------------------------------------------------------------- */

static const char *unit_of(const Sparkplug__PropertySet *set)
{
    for (size_t i = 0; set && i < set->n_keys && i < set->n_values; i++)
        if (!strcasecmp(set->keys[i], "engUnit"))
            return set->values[i]->string_value;
    return NULL;
}

static void read_value(struct sparkplug_metric *s, const Sparkplug__Metric *m)
{
    s->kind = SPARKPLUG_BITS;
    if (m->has_int_value)
        s->bits = m->int_value;
    else if (m->has_long_value)
        s->bits = m->long_value;
    else if (m->has_boolean_value)
        s->bits = m->boolean_value != 0;
    else
        s->kind = m->has_float_value || m->has_double_value ? SPARKPLUG_REAL
                                                            : SPARKPLUG_NOTHING;
    s->real = m->has_double_value ? m->double_value : (double)m->float_value;
}

static void read_metric(struct sparkplug_metric *s, const Sparkplug__Metric *m,
                        double time_ms)
{
    s->name = m->name;
    s->unit = unit_of(m->properties);
    s->has_alias = m->has_alias;
    s->alias = m->alias;
    s->type = m->has_datatype ? m->datatype : SPARKPLUG_UNKNOWN;
    s->time_ms = m->has_timestamp ? (double)m->timestamp : time_ms;
    s->null = m->has_is_null && m->is_null;
    read_value(s, m);
}

int sparkplug_read(struct sparkplug *p, const void *payload, size_t len, struct err *e)
{
    struct ceiling c = {MOST_BYTES};
    ProtobufCAllocator a = {take, give_back, &c};
    Sparkplug__Payload *m = sparkplug__payload__unpack(&a, len, payload);
    *p = (struct sparkplug){.seq = -1, .payload = m};
    if (!m)
        return err_set(e, ERR_INVALID,
                       c.left < len ? "the payload takes too much memory"
                                    : "the payload is no Sparkplug B payload (protobuf)");
    if (m->has_seq && m->seq <= 255)
        p->seq = (int)m->seq;
    p->n = m->n_metrics;
    p->metric = xcalloc(p->n ? p->n : 1, sizeof *p->metric);
    for (size_t i = 0; i < p->n; i++)
        read_metric(&p->metric[i], m->metrics[i],
                    m->has_timestamp ? (double)m->timestamp : 0);
    return 0;
}

void sparkplug_done(struct sparkplug *p)
{
    struct ceiling c = {0};
    ProtobufCAllocator a = {take, give_back, &c};
    if (p->payload)
        sparkplug__payload__free_unpacked(p->payload, &a);
    free(p->metric);
    *p = (struct sparkplug){.seq = -1};
}

double sparkplug_value(const struct sparkplug_metric *s, unsigned type)
{
    if (s->kind == SPARKPLUG_REAL)
        return s->real;
    switch (type) {
    case SPARKPLUG_INT8:
        return (int8_t)s->bits;
    case SPARKPLUG_INT16:
        return (int16_t)s->bits;
    case SPARKPLUG_INT32:
        return (int32_t)s->bits;
    case SPARKPLUG_INT64:
        return (double)(int64_t)s->bits;
    case SPARKPLUG_BOOLEAN:
        return s->bits != 0;
    default:
        return (double)s->bits;
    }
}

/* ---- writing
 * ----------------------------------------------------------------------------- */

void sparkplug_rebirth(struct buf *b, int64_t now_ms)
{
    Sparkplug__Metric m = SPARKPLUG__METRIC__INIT, *list[] = {&m};
    Sparkplug__Payload p = SPARKPLUG__PAYLOAD__INIT;
    m.name = (char[]){"Node Control/Rebirth"};
    m.has_timestamp = m.has_datatype = m.has_boolean_value = true;
    m.timestamp = (uint64_t)now_ms;
    m.datatype = SPARKPLUG_BOOLEAN;
    m.boolean_value = true;
    p.has_timestamp = true;
    p.timestamp = m.timestamp;
    p.n_metrics = 1;
    p.metrics = list;
    uint8_t bytes[128];
    if (sparkplug__payload__get_packed_size(&p) <= sizeof bytes)
        buf_add(b, bytes, sparkplug__payload__pack(&p, bytes));
}
