/* SPDX-License-Identifier: GPL-3.0-or-later */
/* sparkplug_payload: Sparkplug payloads made with protobuf-c, and what became of them:
 * one begin(), its metrics, one take() or taken(). */
#ifndef FC_TESTS_SPARKPLUG_PAYLOAD_H
#define FC_TESTS_SPARKPLUG_PAYLOAD_H

#include "tests/unit/memory_decode.h"

#include <sparkplug.pb-c.h>

#define T0 1795132800000u
#define METRICS 600

static struct {
    Sparkplug__Payload p;
    Sparkplug__Metric m[METRICS], *list[METRICS];
    Sparkplug__PropertySet set[METRICS];
    Sparkplug__PropertyValue unit[METRICS], *units[METRICS];
    char *keys[METRICS], name[METRICS][80];
    unsigned char bytes[256 << 10];
    size_t len;
} out;

static inline void begin(int seq)
{
    sparkplug__payload__init(&out.p);
    out.p.has_timestamp = true;
    out.p.timestamp = T0;
    out.p.has_seq = seq >= 0;
    out.p.seq = (uint64_t)seq;
    out.p.metrics = out.list;
}

/* name and alias: what the metric has of both; alias < 0: none. */
static inline Sparkplug__Metric *metric(const char *name, int alias, unsigned type)
{
    size_t i = out.p.n_metrics++;
    Sparkplug__Metric *to = out.list[i] = &out.m[i];
    sparkplug__metric__init(to);
    if (name)
        to->name = strcpy(out.name[i], name);
    to->has_alias = alias >= 0;
    to->alias = (uint64_t)alias;
    to->has_datatype = type != 0;
    to->datatype = type;
    return to;
}

static inline Sparkplug__Metric *integer(const char *name, int alias, unsigned type,
                                         uint32_t x)
{
    Sparkplug__Metric *to = metric(name, alias, type);
    to->has_int_value = true;
    to->int_value = x;
    return to;
}

static inline Sparkplug__Metric *whole(const char *name, int alias, unsigned type,
                                       uint64_t x)
{
    Sparkplug__Metric *to = metric(name, alias, type);
    to->has_long_value = true;
    to->long_value = x;
    return to;
}

static inline Sparkplug__Metric *real(const char *name, int alias, unsigned type,
                                      double x)
{
    Sparkplug__Metric *to = metric(name, alias, type);
    to->has_double_value = true;
    to->double_value = x;
    return to;
}

static inline void at(Sparkplug__Metric *to, uint64_t ms)
{
    to->has_timestamp = true;
    to->timestamp = ms;
}

static inline void in_unit(Sparkplug__Metric *to, const char *unit)
{
    static char key[] = "engUnit";
    size_t i = (size_t)(to - out.m);
    sparkplug__property_set__init(&out.set[i]);
    sparkplug__property_value__init(&out.unit[i]);
    out.keys[i] = key;
    out.units[i] = &out.unit[i];
    out.unit[i].string_value = (char *)unit;
    out.set[i].keys = &out.keys[i];
    out.set[i].values = &out.units[i];
    out.set[i].n_keys = out.set[i].n_values = 1;
    to->properties = &out.set[i];
}

static inline void pack(void)
{
    assert_true(sparkplug__payload__get_packed_size(&out.p) <= sizeof out.bytes);
    out.len = sparkplug__payload__pack(&out.p, out.bytes);
}

static inline enum reject take(const char *topic)
{
    pack();
    return take_bytes(topic, out.bytes, out.len);
}

static inline void taken(const char *topic)
{
    enum reject r = take(topic);
    if (r || m.n_refused)
        fail_msg("%s: %s (%s)", topic, r ? why.text : m.why.text,
                 reject_name(r ? r : m.refused));
}

static inline void expect_status(size_t i, const char *device, bool online)
{
    assert_true(i < m.n);
    assert_int_equal(m.item[i].kind, ITEM_STATUS);
    assert_int_equal(m.item[i].online, online);
    assert_string_equal(m.item[i].r.raw_device, device);
}

static inline void expect_reading(size_t i, const char *device, double time, size_t n)
{
    assert_true(i < m.n);
    assert_int_equal(m.item[i].kind, ITEM_READING);
    assert_string_equal(m.item[i].r.raw_device, device);
    assert_true(m.item[i].time.kind == RAW_TIME_NUMBER && m.item[i].time.number == time);
    assert_int_equal(m.item[i].r.n, n);
}

/* The birth that most cases begin with. */
static inline void birth(void)
{
    begin(0);
    whole("bdSeq", -1, 8, 3);
    Sparkplug__Metric *b = metric("Node Control/Rebirth", -1, 11);
    b->has_boolean_value = true;
    in_unit(real("Temperature", 1, 10, 68), "°F");
    integer("Level", 2, 3, (uint32_t)-5);
    metric("Serial", 3, 12);
    integer("Outputs/Temperature", 4, 5, 7);
    taken("spBv1.0/plant/NBIRTH/line1");
}

#endif
