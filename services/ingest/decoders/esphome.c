/* SPDX-License-Identifier: GPL-3.0-or-later */
/* <prefix>/sensor/<object_id>/state         21.5, or nan
 * <prefix>/binary_sensor/<object_id>/state  ON, OFF
 * <prefix>/status                           online, offline (the last will), retained
 * The prefix is the node. An object_id is made of the name that the user gave:
 * "temperature", "living_room_temperature". It is a quantity that is known when it ends
 * in one. What stands before it is left out when it repeats the node's name; else it
 * tells two sensors of one node apart, and goes to the device: living-room/outside.
 *
 * No message says a unit, only Home Assistant's discovery messages do (ha_units.h).
 * Without one values are taken to be in ESPHome's own default units where these are the
 * canonical ones. */
#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "services/ingest/decoders/ha_units.h"
#include "services/ingest/decoders/home.h"

struct parts {
    char prefix[RAW_DEVICE_MAX + 1], object[RAW_DEVICE_MAX + 1];
    bool binary, status;
};

static bool split(const char *topic, struct parts *p)
{
    char component[sizeof "binary_sensor"];
    if (!topic_level(topic, 0, p->prefix, sizeof p->prefix) || !*p->prefix ||
        !topic_level(topic, 1, component, sizeof component))
        return false;
    p->status = !strcmp(component, "status");
    p->binary = !strcmp(component, "binary_sensor");
    return p->status ||
           (topic_level(topic, 2, p->object, sizeof p->object) && *p->object);
}

/* Is a word of n letters one of the node's name? Both have small letters only. */
static bool has_word(const char *node, const char *word, size_t n)
{
    for (const char *p = node; *p; p += strcspn(p, "_"), p += *p == '_')
        if (strcspn(p, "_") == n && !strncmp(p, word, n))
            return true;
    return false;
}

/* What of the first n letters of an object_id does not repeat the node's name. */
static void qualifier(const char *node, const char *object, size_t n, char *out)
{
    const char *end = object + n;
    *out = '\0';
    while (object < end) {
        size_t k = strcspn(object, "_");
        k = object + k > end ? (size_t)(end - object) : k;
        if (k && !has_word(node, object, k)) {
            if (*out)
                strcat(out, "_");
            strncat(out, object, k);
        }
        object += k + (object + k < end);
    }
}

/* Small letters, and one _ for everything else; without "sensor" at the end. */
static void words(const char *text, char *out, size_t cap)
{
    size_t n = 0;
    for (; *text && n < cap - 1; text++) {
        if (isalnum((unsigned char)*text))
            out[n++] = (char)tolower((unsigned char)*text);
        else if (n && out[n - 1] != '_')
            out[n++] = '_';
    }
    out[n] = '\0';
    if (n > 7 && !strcmp(out + n - 7, "_sensor"))
        out[n - 7] = '\0';
}

static bool known(const char *name, bool binary)
{
    const struct quantity *q = quantity_find(name);
    return q && !strcmp(q->stem, name) && home_is_switch(name) == binary;
}

/* The longest end of an object_id that is a quantity; without one the whole is. Returns
 * how many letters stand before it. */
static size_t find_quantity(const char *object, bool binary, char name[QUANTITY_MAX + 1],
                            unsigned *index)
{
    for (const char *p = object; *p; p += strcspn(p, "_"), p += *p == '_') {
        *index = 0;
        if (home_quantity(p, name, index) && known(name, binary))
            return (size_t)(p - object);
    }
    *index = 0;
    return 0;
}

/* Device and name of the value. */
static enum reject name_it(const struct parts *p, struct message *m,
                           char name[QUANTITY_MAX + 1], unsigned *index, struct err *e)
{
    char node[RAW_DEVICE_MAX + 1], object[RAW_DEVICE_MAX + 1];
    char more[RAW_DEVICE_MAX + 1], device[2 * RAW_DEVICE_MAX + 2];
    words(p->prefix, node, sizeof node);
    words(p->object, object, sizeof object);
    size_t before = find_quantity(object, p->binary, name, index);
    if (before) {
        qualifier(node, object, before, more);
        snprintf(device, sizeof device, "%s%s%s", p->prefix, *more ? "/" : "", more);
        return decode_device_text(m, device, e);
    }
    if (!known(name, p->binary)) { /* another name: without the node's in front of it */
        size_t n = strlen(node);
        bool repeats = n && !strncmp(object, node, n) && object[n] == '_';
        if (!decode_loose_name(repeats ? object + n + 1 : object, name))
            return reject_say(REJECT_BAD_VALUE, e,
                              "\"%.80s\" is not the name of a quantity", p->object);
        const struct quantity *q = quantity_find(name);
        if (q && home_is_switch(name) != p->binary) /* not that quantity's values */
            strcat(name, "_state");
    }
    return decode_device_text(m, p->prefix, e);
}

/* Text that stands for a reading that there is not: nan, and what Home Assistant says. */
static bool is_missing(const char *text, size_t n)
{
    static const char *const names[] = {"nan", "-nan", "unknown", "unavailable"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (n == strlen(names[i]) && !strncasecmp(text, names[i], n))
            return true;
    return false;
}

static enum reject status(const struct input *in, const struct parts *p,
                          struct message *m, struct err *e)
{
    struct item *it = message_last(m);
    it->kind = ITEM_STATUS;
    if (home_online(in->payload, in->len, &it->online) &&
        strcmp(p->prefix, "homeassistant") != 0)
        return decode_device_text(m, p->prefix, e);
    m->n = 0; /* Home Assistant's own, or something else that has a status */
    return REJECT_NONE;
}

enum reject decode_esphome(const struct input *in, struct message *m, struct err *e)
{
    struct parts p = {.binary = false};
    struct home_names names = {.n = 0};
    char name[QUANTITY_MAX + 1];
    unsigned index = 0;
    double x = NAN;
    if (!split(in->topic, &p))
        return reject_say(REJECT_BAD_DEVICE, e,
                          "the topic \"%.200s\" has an empty or too long level",
                          in->topic);
    if (p.status)
        return status(in, &p, m, e);
    enum reject why = name_it(&p, m, name, &index, e);
    if (why)
        return why;
    bool ok = p.binary ? home_on_off(in->payload, in->len, &x)
                       : decode_number(in->payload, in->len, &x);
    if (!ok && !is_missing(in->payload, in->len))
        return reject_say(REJECT_BAD_VALUE, e, "\"%.*s\" is not %s",
                          in->len > 40 ? 40 : (int)in->len, in->payload,
                          p.binary ? "ON or OFF" : "a number");
    char unit[HA_UNIT_SIZE];
    m->from_memory = !p.binary && ha_unit(in->memory, in->topic, unit);
    why = home_value(&names, name, index, x, m->from_memory ? unit : NULL, e);
    return why ? why : home_give(m, &names, e);
}
