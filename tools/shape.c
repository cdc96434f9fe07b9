/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tools/shape.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "common/buf.h"
#include "common/clock.h"
#include "common/reading.h"
#include "firmware/main/payload.h"

/* ESP32's MicroPython counts seconds from 2000-01-01. */
#define EPOCH_2000_MS INT64_C(946684800000)

/* How a quantity is called in a shape, and by what its canonical value is multiplied. */
struct carried {
    const char *quantity, *name;
    double factor;
    const char *unit;
};

struct shape {
    const char *name, *prefix;
    const struct carried
        *carries;      /* ended by NULL; NULL = everything, under its own name */
    bool one_value;    /* a message for each value */
    bool raw_ids;      /* the device stands in a JSON string only */
    const char *topic; /* printf: prefix, device */
    int (*body)(const struct shape *sh, const struct sample *s, size_t part,
                struct buf *b, struct err *e);
};

static const struct carried *carried_as(const struct shape *sh, const char *quantity)
{
    for (const struct carried *c = sh->carries; c->quantity; c++)
        if (strcmp(c->quantity, quantity) == 0)
            return c;
    return NULL;
}

bool shape_carries(const struct shape *sh, const char *quantity)
{
    return !sh->carries || carried_as(sh, quantity);
}

/* The value number part among those that the shape carries. */
static const struct sample_value *nth(const struct shape *sh, const struct sample *s,
                                      size_t part)
{
    for (size_t i = 0; i < s->n; i++)
        if (shape_carries(sh, s->value[i].quantity) && part-- == 0)
            return &s->value[i];
    return NULL;
}

static size_t count(const struct shape *sh, const struct sample *s)
{
    size_t n = 0;
    for (size_t i = 0; i < s->n; i++)
        n += shape_carries(sh, s->value[i].quantity);
    return n;
}

/* Unit changes must not turn 28.1 into 28.100000000000001: 12 digits are kept. */
double shape_scale(double x, double factor)
{
    if (factor == 1)
        return x;
    char text[32];
    snprintf(text, sizeof text, "%.12g", x * factor);
    double y;
    return sscanf(text, "%lf", &y) == 1 ? y : x * factor;
}

static void add_value(struct buf *b, const struct sample_value *v, double factor)
{
    if (v->boolean)
        buf_adds(b, v->value != 0 ? "true" : "false");
    else
        buf_add_real(b, shape_scale(v->value, factor));
}

/* "name":value,... of all values that are carried. */
static void add_values(struct buf *b, const struct shape *sh, const struct sample *s)
{
    const char *comma = "";
    for (size_t i = 0; i < s->n; i++) {
        const struct carried *c = carried_as(sh, s->value[i].quantity);
        if (!c)
            continue;
        buf_addf(b, "%s\"%s\":", comma, c->name);
        add_value(b, &s->value[i], c->factor);
        comma = ",";
    }
}

static int native(const struct shape *sh, const struct sample *s, size_t part,
                  struct buf *b, struct err *e)
{
    (void)sh;
    (void)part;
    struct payload_value v[SAMPLE_VALUES_MAX];
    for (size_t i = 0; i < s->n; i++)
        v[i] = (struct payload_value){s->value[i].quantity, s->value[i].value};
    struct payload_reading r = {s->device, s->boot, s->seq, true, s->ts_ms, v, s->n};
    char text[SHAPE_PAYLOAD_SIZE];
    int n = payload_write(&r, text, sizeof text);
    if (n < 0)
        return err_set(e, ERR_INVALID, "%s", payload_error_text(n));
    return buf_add(b, text, (size_t)n);
}

static const struct carried system0_carries[] = {{"temperature", "temp_c", 1, NULL},
                                                 {"humidity", "hum_pct", 1, NULL},
                                                 {NULL, NULL, 0, NULL}};

static int system0(const struct shape *sh, const struct sample *s, size_t part,
                   struct buf *b, struct err *e)
{
    (void)part;
    (void)e;
    buf_addf(b, "{\"sensor_id\":\"dht22_%s\",\"location\":\"%s\",", s->device, s->device);
    add_values(b, sh, s);
    buf_addf(b, ",\"ts\":%" PRId64 "}", (s->ts_ms - EPOCH_2000_MS) / 1000);
    return 0;
}

static const struct carried system1_carries[] = {{"temperature", "temp", 1, NULL},
                                                 {"humidity", "humidity", 1, NULL},
                                                 {"co", "co", 1, NULL},
                                                 {"lpg", "lpg", 1, NULL},
                                                 {"smoke", "smoke", 1, NULL},
                                                 {"light", "light", 1, NULL},
                                                 {"motion", "motion", 1, NULL},
                                                 {NULL, NULL, 0, NULL}};

static int system1(const struct shape *sh, const struct sample *s, size_t part,
                   struct buf *b, struct err *e)
{
    (void)part;
    (void)e;
    buf_adds(b, "{\"data\":{");
    add_values(b, sh, s);
    buf_adds(b, "},\"device_id\":");
    buf_add_json_string(b, s->device);
    buf_adds(b, ",\"ts\":");
    buf_add_real(b, (double)s->ts_ms / 1000);
    buf_addc(b, '}');
    return 0;
}

/* hectopascal here, pascal there */
static const struct carried system2_carries[] = {{"temperature", "temperature", 1, NULL},
                                                 {"humidity", "humidity", 1, NULL},
                                                 {"pressure", "pressure", 100, NULL},
                                                 {"fan_speed", "fan_speed", 1, NULL},
                                                 {NULL, NULL, 0, NULL}};

static int system2(const struct shape *sh, const struct sample *s, size_t part,
                   struct buf *b, struct err *e)
{
    (void)part;
    (void)e;
    unsigned id = 0;
    for (const char *c = s->device; *c; c++)
        id = (id * 31 + (unsigned char)*c) % 1000000000u;
    buf_addf(b, "{\"id\":\"%09u\",\"name\":", id);
    buf_add_json_string(b, s->device);
    buf_adds(b, ",\"place_id\":\"000000000\",\"payload\":{");
    add_values(b, sh, s);
    /* its devices have no clock; its bridge adds the time under this name */
    if (s->past)
        buf_addf(b, ",\"timestamp\":%" PRId64, s->ts_ms);
    buf_adds(b, "}}");
    return 0;
}

/* hectopascal here, kilopascal there */
static const struct carried system3_carries[] = {
    {"temperature", "temperature", 1, "celsius"},
    {"humidity", "humidity", 1, "percent"},
    {"pressure", "pressure", 0.1, "kPa"},
    {"vibration", "vibration", 1, "m/s2"},
    {"co2", "co2", 1, "ppm"},
    {"light", "light", 1, "lux"},
    {NULL, NULL, 0, NULL}};

static int system3(const struct shape *sh, const struct sample *s, size_t part,
                   struct buf *b, struct err *e)
{
    (void)e;
    const struct sample_value *v = nth(sh, s, part);
    const struct carried *c = carried_as(sh, v->quantity);
    char time[CLOCK_RFC3339_SIZE];
    clock_format(s->ts_ms, time);
    time[strlen(time) - 1] = '\0'; /* its devices send no zone */
    buf_adds(b, "{\"sensor_id\":");
    buf_add_json_string(b, s->device);
    buf_addf(b, ",\"sensor_type\":\"%s\",\"timestamp\":\"%s\",\"value\":", c->name, time);
    add_value(b, v, c->factor);
    buf_addf(b, ",\"unit\":\"%s\",\"location\":", c->unit);
    buf_add_json_string(b, s->device);
    buf_adds(b, ",\"metadata\":{\"quality\":\"good\"}}");
    return 0;
}

static const struct shape shapes[] = {
    {"native", "fieldcast", NULL, false, false, "%s/%s/readings", native},
    {"system0", "home", system0_carries, false, false, "%s/%s/dht22", system0},
    {"system1", "iot-device-data", system1_carries, false, true, "%s", system1},
    {"system2", "iot-frames-model", system2_carries, false, true, "%s", system2},
    {"system3", "sensors", system3_carries, true, false, "%s/%s/data", system3},
};
enum { N_SHAPES = sizeof shapes / sizeof *shapes };

const struct shape *shape_find(const char *name)
{
    for (size_t i = 0; i < N_SHAPES; i++)
        if (strcmp(shapes[i].name, name) == 0)
            return &shapes[i];
    return NULL;
}

const char *shape_names(void)
{
    return "native, system0, system1, system2 or system3";
}

bool shape_sends_raw_ids(const struct shape *sh)
{
    return sh->raw_ids;
}

size_t shape_parts(const struct shape *sh, const struct sample *s)
{
    size_t n = count(sh, s);
    return sh->one_value ? n : n > 0;
}

int shape_write(const struct shape *sh, const struct sample *s, size_t part,
                const char *prefix, struct shape_message *m, struct err *e)
{
    for (size_t i = 0; i < s->n; i++)
        if (!isfinite(s->value[i].value))
            return err_set(e, ERR_INVALID, "the value of %s.%s is not a finite number",
                           s->device, s->value[i].quantity);
    if (!sh->raw_ids && !device_valid(s->device))
        return err_set(e, ERR_INVALID,
                       "\"%.60s\" is not a device name: 1 to 64 letters, digits, _ or -",
                       s->device);
    int n = snprintf(m->topic, sizeof m->topic, sh->topic, prefix ? prefix : sh->prefix,
                     s->device);
    if (n < 0 || (size_t)n >= sizeof m->topic)
        return err_set(e, ERR_INVALID, "the topic for %.60s is longer than %d letters",
                       s->device, SHAPE_TOPIC_SIZE - 1);
    struct buf b;
    buf_init(&b, SHAPE_PAYLOAD_SIZE - 1);
    int rc = sh->body(sh, s, part, &b, e);
    if (!rc && b.full)
        rc = err_set(e, ERR_TOO_LARGE, "the message of %.60s is longer than %d bytes",
                     s->device, SHAPE_PAYLOAD_SIZE - 1);
    if (!rc) {
        m->len = b.len;
        memcpy(m->payload, b.data, b.len + 1);
    }
    buf_done(&b);
    return rc;
}
