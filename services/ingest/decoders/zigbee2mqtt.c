/* SPDX-License-Identifier: GPL-3.0-or-later */
/* zigbee2mqtt/<friendly name>; the name may have slashes
 *   {"battery":87,"humidity":44.72,"linkquality":105,"temperature":27.34,"voltage":2975,
 *    "last_seen":"2026-11-20T10:00:00.000Z"}
 *   {"state":"ON","power":12.5,"energy":3.2,"voltage":231,"current":0.05}
 * zigbee2mqtt/<friendly name>/<attribute>     27.34, with output: attribute
 * zigbee2mqtt/<friendly name>/availability    {"state":"online"}, or online, retained
 * bridge/... is Zigbee2MQTT's own, .../set and .../get are what others ask of it.
 *
 * What it has cached is sent again when it starts: only last_seen tells that it is old.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "common/json.h"
#include "services/ingest/decoders/home.h"

/* Keys that are not called as what they are. */
static const struct {
    const char *key, *name, *unit;
} keys[] = {
    {"battery", "battery_level", NULL},
    {"battery_voltage", "battery", NULL},
    {"energy", "energy", "kwh"},
    {"produced_energy", "energy_produced", "kwh"},
    {"local_temperature", "temperature", NULL},
    {"presence", "occupancy", NULL},
    {"voc", "tvoc", "ppb"},
};

/* Numbers that are settings or news of the bridge. */
static const char *const not_values[] = {"last_seen", "update_available", NULL};

struct work {
    struct message *m;
    struct home_names names;
    bool battery; /* the message has a battery's level: voltage is the battery's */
    bool lux;     /* it has illuminance_lux: illuminance is the sensor's raw number */
};

/* A battery's voltage comes in mV, the mains' in V. A cell that is not dead has more than
 * 600 mV, and no socket as many volts; beside a battery's level 100 are enough to tell.
 */
static const char *voltage(const struct work *w, char *name, double x)
{
    bool milli = x > (w->battery ? 100 : 600);
    if (milli || w->battery)
        strcpy(name, "battery");
    return milli ? "mv" : NULL;
}

static const char *call_it(const struct work *w, const char *key, char *name, double x,
                           bool boolean)
{
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (!strcmp(key, keys[i].key)) {
            strcpy(name, keys[i].name);
            return !strcmp(name, "battery") && x > 100 ? "mv" : keys[i].unit;
        }
    if (!strcmp(name, "voltage"))
        return voltage(w, name, x);
    if (w->lux && !strcmp(key, "illuminance"))
        strcpy(name, "illuminance_raw");
    if (boolean && quantity_find(name) && !home_is_switch(name))
        strcat(name, "_detected"); /* smoke, vibration: yes or no, not how much */
    return NULL;
}

static enum reject number(struct work *w, const char *key, double x, bool boolean,
                          struct err *e)
{
    char name[QUANTITY_MAX + 16];
    unsigned index = 0;
    for (const char *const *k = not_values; *k; k++)
        if (!strcmp(key, *k))
            return REJECT_NONE;
    if (!home_quantity(key, name, &index))
        return REJECT_NONE;
    const char *unit = call_it(w, key, name, x, boolean);
    return home_value(&w->names, name, index, x, unit, e);
}

/* state, state_l2, state_left: ON and OFF. Covers and locks have other words. */
static enum reject state(struct work *w, const char *key, const char *text, size_t n,
                         struct err *e)
{
    char as_switch[QUANTITY_MAX + 1], name[QUANTITY_MAX + 1];
    unsigned index = 0;
    double x;
    if (strncmp(key, "state", 5) != 0 || (key[5] && key[5] != '_') ||
        !home_on_off(text, n, &x))
        return REJECT_NONE;
    snprintf(as_switch, sizeof as_switch, "switch%s", key + 5);
    return home_quantity(as_switch, name, &index)
               ? home_value(&w->names, name, index, x, NULL, e)
               : REJECT_NONE;
}

static enum reject whole(struct work *w, const json_t *root, struct err *e)
{
    const char *key;
    json_t *v;
    enum reject why =
        decode_time(w->m, json_object_get(root, "last_seen"), "last_seen", e);
    w->battery = json_is_number(json_object_get(root, "battery"));
    w->lux = json_object_get(root, "illuminance_lux") != NULL;
    json_object_foreach((json_t *)root, key, v)
    {
        if (why)
            break;
        if (json_is_string(v))
            why = state(w, key, json_string_value(v), json_string_length(v), e);
        else if (json_is_boolean(v))
            why = number(w, key, json_is_true(v), true, e);
        else if (json_is_number(v) || json_is_null(v))
            why = number(w, key, json_is_null(v) ? NAN : json_number_value(v), false, e);
    }
    return why ? why : home_give(w->m, &w->names, e);
}

/* Only what is known by name: another topic that ends in a bare value may be anything. */
static bool is_attribute(const char *key)
{
    char name[QUANTITY_MAX + 1];
    unsigned index = 0;
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (!strcmp(key, keys[i].key))
            return true;
    if (!strncmp(key, "state", 5) && (!key[5] || key[5] == '_'))
        return true;
    return home_quantity(key, name, &index) && quantity_find(name);
}

static enum reject attribute(struct work *w, const char *key, const char *text, size_t n,
                             struct err *e)
{
    double x;
    if (decode_number(text, n, &x))
        return number(w, key, x, false, e);
    if (!strncmp(key, "state", 5))
        return state(w, key, text, n, e);
    if (home_on_off(text, n, &x))
        return number(w, key, x, true, e);
    return reject_say(REJECT_BAD_VALUE, e, "\"%.*s\" is not a value of %s",
                      n > 40 ? 40 : (int)n, text, key);
}

/* {"state":"online"}, or online. */
static enum reject availability(const struct input *in, struct message *m, struct err *e)
{
    struct item *it = message_last(m);
    const char *text = in->payload;
    size_t n = in->len;
    json_t *root = n && *text == '{' ? json_parse(text, n, "the payload", e) : NULL;
    const json_t *says = json_object_get(root, "state");
    it->kind = ITEM_STATUS;
    if (root) {
        text = json_is_string(says) ? json_string_value(says) : "";
        n = strlen(text);
    }
    bool ok = home_online(text, n, &it->online);
    json_decref(root);
    *e = (struct err)ERR_INIT;
    if (ok)
        return REJECT_NONE;
    return reject_say(REJECT_BAD_VALUE, e,
                      "an availability is \"online\" or \"offline\"");
}

static enum reject device(struct message *m, const char *name, size_t n, struct err *e)
{
    char raw[RAW_DEVICE_MAX + 2]; /* one that is too long is refused, whole or not */
    snprintf(raw, sizeof raw, "%.*s", n < sizeof raw ? (int)n : (int)sizeof raw, name);
    return decode_device_text(m, raw, e);
}

static enum reject nothing(struct message *m)
{
    m->n = 0;
    return REJECT_NONE;
}

/* One that has only texts, a button's "action", is in order and says nothing to store. */
static enum reject object(const struct input *in, struct work *w, struct err *e)
{
    enum reject why;
    if (in->root) {
        why = whole(w, in->root, e);
        return why || w->names.n ? why : nothing(w->m);
    }
    json_t *root = json_parse(in->payload, in->len, "the payload", e);
    if (!root) {
        snprintf(e->slug, sizeof e->slug, "%s", reject_name(REJECT_BAD_JSON));
        return REJECT_BAD_JSON;
    }
    why = whole(w, root, e);
    json_decref(root);
    return why || w->names.n ? why : nothing(w->m);
}

static bool is_asked(const char *name)
{
    size_t n = strlen(name);
    return strstr(name, "/set/") || strstr(name, "/get/") ||
           (n > 4 && (!strcmp(name + n - 4, "/set") || !strcmp(name + n - 4, "/get")));
}

bool fits_zigbee2mqtt(const json_t *root)
{
    return json_is_integer(json_object_get(root, "linkquality"));
}

/* One value, named by the topic's last level. */
static enum reject bare(const struct input *in, const char *name, const char *last,
                        struct message *m, struct err *e)
{
    struct work w = {.m = m};
    if (!last || !is_attribute(last + 1))
        return nothing(m);
    enum reject why = device(m, name, (size_t)(last - name), e);
    if (!why)
        why = attribute(&w, last + 1, in->payload, in->len, e);
    if (!why)
        why = home_give(m, &w.names, e);
    return why || w.names.n ? why : nothing(m); /* a cover's state, a lock's */
}

/* The friendly name and what follows it. */
static const char *name_in(const char *topic)
{
    const char *slash = strchr(topic, '/');
    return slash ? slash + 1 : topic;
}

bool ignores_zigbee2mqtt(const char *topic)
{
    const char *name = name_in(topic);
    return !strcmp(name, "bridge") || !strncmp(name, "bridge/", 7) || is_asked(name);
}

enum reject decode_zigbee2mqtt(const struct input *in, struct message *m, struct err *e)
{
    const char *name = name_in(in->topic), *last = strrchr(name, '/');
    if (!in->len || ignores_zigbee2mqtt(in->topic))
        return nothing(m);
    bool available = last && !strcmp(last, "/availability");
    if (!available && !in->root && *in->payload != '{')
        return bare(in, name, last, m, e);
    size_t n = available ? (size_t)(last - name) : strlen(name);
    enum reject why = device(m, name, n, e);
    if (why)
        return why;
    struct work w = {.m = m};
    return available ? availability(in, m, e) : object(in, &w, e);
}
