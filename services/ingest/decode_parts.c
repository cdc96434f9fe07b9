/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the decoders have in common: devices, times, names, units. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "common/utf8.h"
#include "services/ingest/decode.h"

/* ---- device
 * ---------------------------------------------------------------------------- */

bool topic_level(const char *topic, int n, char *out, size_t cap)
{
    while (n--) {
        topic = strchr(topic, '/');
        if (!topic)
            return false;
        topic++;
    }
    size_t len = strcspn(topic, "/");
    if (len >= cap)
        return false;
    memcpy(out, topic, len);
    out[len] = '\0';
    return true;
}

enum reject decode_device_text(struct message *m, const char *raw, struct err *e)
{
    if (!*raw)
        return reject_say(REJECT_NO_DEVICE, e, "the device's id is empty");
    if (strlen(raw) >= sizeof message_last(m)->r.raw_device)
        return reject_say(REJECT_BAD_DEVICE, e,
                          "the device's id \"%.80s...\" is too long", raw);
    if (!utf8_valid(raw))
        return reject_say(REJECT_BAD_DEVICE, e, "the device's id is not UTF-8");
    char name[DEVICE_MAX + 1];
    if (device_from_raw(raw, name))
        return reject_say(REJECT_BAD_DEVICE, e,
                          "the device's id \"%.130s\" has no letter or digit", raw);
    strcpy(message_last(m)->r.raw_device, raw);
    strcpy(message_last(m)->r.device, name);
    return REJECT_NONE;
}

enum reject decode_device(struct message *m, const json_t *v, const char *key,
                          struct err *e)
{
    if (!v || json_is_null(v))
        return reject_say(REJECT_NO_DEVICE, e,
                          "field \"%s\" is missing: it names the device", key);
    if (json_is_string(v))
        return decode_device_text(m, json_string_value(v), e);
    if (!json_is_integer(v))
        return reject_say(REJECT_BAD_DEVICE, e, "field \"%s\" must be a string", key);
    char number[32];
    snprintf(number, sizeof number, "%" JSON_INTEGER_FORMAT, json_integer_value(v));
    return decode_device_text(m, number, e);
}

void decode_location(struct message *m, const json_t *v)
{
    if (json_is_string(v))
        snprintf(message_last(m)->r.location, sizeof message_last(m)->r.location, "%s",
                 json_string_value(v));
}

/* ---- time
 * ------------------------------------------------------------------------------ */

enum reject decode_time(struct message *m, const json_t *v, const char *key,
                        struct err *e)
{
    struct raw_time *t = &message_last(m)->time;
    if (!v || json_is_null(v))
        return REJECT_NONE;
    if (json_is_number(v)) {
        t->kind = RAW_TIME_NUMBER;
        t->number = json_number_value(v);
        return REJECT_NONE;
    }
    if (!json_is_string(v) || json_string_length(v) >= sizeof t->text)
        return reject_say(REJECT_BAD_TIME, e,
                          "field \"%s\" must be a number or a short text", key);
    t->kind = RAW_TIME_TEXT;
    strcpy(t->text, json_string_value(v));
    return REJECT_NONE;
}

/* ---- names
 * ----------------------------------------------------------------------------- */

static const struct {
    const char *key, *quantity;
} aliases[] = {
    {"temp", "temperature"},
    {"temp_c", "temperature"},
    {"temperature_c", "temperature"},
    {"hum", "humidity"},
    {"hum_pct", "humidity"},
    {"humidity_pct", "humidity"},
    {"pm2_5", "pm25"},
    {"press", "pressure"},
    {"dewpoint", "dew_point"},
    {"pressure_hpa", "pressure"},
};

/* Fields that every point has beside its quantities, and what an hour adds to a name. */
static bool reserved(const char *q)
{
    static const char *const names[] = {"time", "device", "received_ms", "seq",
                                        "quality"};
    static const char *const ends[] = {"_min", "_max", "_n"};
    size_t n = strlen(q);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (!strcmp(q, names[i]))
            return true;
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
        if (n > strlen(ends[i]) && !strcmp(q + n - strlen(ends[i]), ends[i]))
            return true;
    return false;
}

enum reject decode_name(const char *key, char out[QUANTITY_MAX + 1], struct err *e)
{
    size_t n = strlen(key);
    if (!n || n > QUANTITY_MAX)
        return reject_say(REJECT_BAD_VALUE, e, "\"%.80s\" is not the name of a quantity",
                          key);
    for (size_t i = 0; i <= n; i++)
        out[i] = (char)tolower((unsigned char)key[i]);
    for (size_t i = 0; i < sizeof aliases / sizeof *aliases; i++)
        if (!strcmp(out, aliases[i].key))
            strcpy(out, aliases[i].quantity);
    if (!quantity_valid(out))
        return reject_say(
            REJECT_BAD_VALUE, e,
            "\"%.70s\" is not a quantity: letters, digits and _ are expected", key);
    if (reserved(out))
        return reject_say(REJECT_BAD_VALUE, e,
                          "\"%.70s\" cannot be a quantity: the name is used for "
                          "something else",
                          key);
    return REJECT_NONE;
}

/* ---- units
 * ----------------------------------------------------------------------------- */

static const struct {
    const char *stem, *unit;
    double factor, offset; /* canonical = value × factor + offset */
} units[] = {
    {"pressure", "pa", 0.01, 0},
    {"pressure", "kpa", 10, 0},
    {"pressure", "bar", 1000, 0},
    {"pressure", "psi", 68.94757293168, 0},
    {"pressure", "mmhg", 1.33322387415, 0},
    {"pressure", "inhg", 33.86388666667, 0},
    {"temperature", "f", 5.0 / 9, -160.0 / 9},
    {"temperature", "degf", 5.0 / 9, -160.0 / 9},
    {"temperature",
     "\xc2\xb0"
     "f",
     5.0 / 9, -160.0 / 9},
    {"temperature", "fahrenheit", 5.0 / 9, -160.0 / 9},
    {"temperature", "k", 1, -273.15},
    {"temperature", "kelvin", 1, -273.15},
    {"vibration", "g", 9.80665, 0},
};

/* Pascal where hectopascal is meant is known by its size: the air's pressure on this
 * planet lies between 300 and 1200 hPa. */
#define PASCAL_LEAST 30000
#define PASCAL_MOST 120000

double decode_unit(const char *quantity, double v, const char *unit)
{
    const struct quantity *q = quantity_find(quantity);
    const char *stem = q ? q->stem : "";
    if (!strcmp(stem, "dew_point"))
        stem = "temperature";
    for (size_t i = 0; unit && i < sizeof units / sizeof *units; i++)
        if (!strcmp(stem, units[i].stem) && !strcasecmp(unit, units[i].unit))
            return v * units[i].factor + units[i].offset;
    if (!unit && !strcmp(stem, "pressure") && v >= PASCAL_LEAST && v <= PASCAL_MOST)
        return v / 100;
    return v;
}

/* ---- values
 * ---------------------------------------------------------------------------- */

/* A value under a name that is there already with another: neither is to be believed. */
static enum reject put(struct reading *r, const char *name, double x, struct err *e)
{
    for (size_t i = 0; i < r->n; i++) {
        if (strcmp(r->values[i].quantity, name) != 0)
            continue;
        if (r->values[i].value == x)
            return REJECT_NONE;
        reject_say(REJECT_BAD_VALUE, e, "%s is given twice: %.15g and %.15g", name,
                   r->values[i].value, x);
        r->values[i] = r->values[--r->n];
        return REJECT_BAD_VALUE;
    }
    return reading_add(r, name, x, e) ? REJECT_BAD_VALUE : REJECT_NONE;
}

/* One value, or why not. */
static enum reject value(struct reading *r, const char *key, const json_t *v,
                         const char *unit, struct err *e)
{
    char name[QUANTITY_MAX + 1];
    enum reject why = decode_name(key, name, e);
    if (why)
        return why;
    if (!json_is_number(v) && !json_is_boolean(v))
        return reject_say(REJECT_BAD_VALUE, e, "the value of \"%.70s\" must be a number",
                          key);
    double x = json_is_boolean(v) ? json_is_true(v) : json_number_value(v);
    return put(r, name, decode_unit(name, x, unit), e);
}

enum reject decode_value(struct message *m, const char *key, const json_t *v,
                         const char *unit, struct err *e)
{
    struct item *it = message_last(m);
    if (json_is_null(v))
        return REJECT_NONE;
    if (it->r.n == READING_VALUES_MAX)
        return reject_say(REJECT_TOO_MANY_VALUES, e,
                          "the message has more than 64 values");
    enum reject why = value(&it->r, key, v, unit, e);
    if (why) {
        snprintf(e->slug, sizeof e->slug, "%s", reject_name(why));
        message_refuse(m, it, why, e);
    }
    return REJECT_NONE;
}

enum reject decode_values(struct message *m, const json_t *o, const char *const *skip,
                          struct err *e)
{
    const char *key;
    json_t *v;
    json_object_foreach((json_t *)o, key, v)
    {
        bool skipped = false;
        for (const char *const *s = skip; s && *s && !skipped; s++)
            skipped = !strcmp(key, *s);
        enum reject r = skipped ? REJECT_NONE : decode_value(m, key, v, NULL, e);
        if (r)
            return r;
    }
    return REJECT_NONE;
}

/* Beyond these a sensor of that kind can not be telling the truth. */
void decode_ranges(struct message *m, struct item *it)
{
    size_t kept = 0;
    for (size_t i = 0; i < it->r.n; i++) {
        const struct quantity *q = quantity_find(it->r.values[i].quantity);
        double v = it->r.values[i].value;
        double min = q ? q->min : -READING_VALUE_MAX;
        double max = q ? q->max : READING_VALUE_MAX;
        if (v >= min && v <= max) {
            if (kept != i)
                it->r.values[kept] = it->r.values[i];
            kept++;
            continue;
        }
        struct err e = ERR_INIT;
        reject_say(REJECT_OUT_OF_RANGE, &e,
                   "%s is %.15g: possible are %.15g to %.15g%s%s",
                   it->r.values[i].quantity, v, min, max, q && *q->symbol ? " " : "",
                   q ? q->symbol : "");
        message_refuse(m, it, REJECT_OUT_OF_RANGE, &e);
    }
    it->r.n = kept;
}
