/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tele/<topic>/SENSOR, stat/<topic>/STATUS8 and STATUS10 (the same in StatusSNS)
 *   {"Time":"2026-11-20T10:00:00","AM2301":{"Temperature":24.6,"Humidity":58.2,
 *    "DewPoint":15.8},"PressureUnit":"hPa","TempUnit":"C"}
 *   {"Time":"…","DS18B20-1":{"Id":"3C01D607A8B4","Temperature":20.1},"DS18B20-2":{…}}
 *   {"Time":"…","ENERGY":{"Total":3.185,"Power":[12,30],"Voltage":230,…}}
 * and what a bridge hears of others: tasmota_bridge.c
 * tele/<topic>/STATE
 *   {"Time":"…","Uptime":"0T00:15:10","UptimeSec":910,"POWER":"ON",
 *    "Wifi":{"RSSI":84,"Signal":-58,…}}
 * Time is local and says no zone, unless its user has asked for one. With another
 * FullTopic the word tele or stat stands elsewhere; what is left is the device. A sensor
 * that fails says null, or -127 (DS18B20), or is left out. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "services/ingest/decoders/tasmota.h"

/* Keys that are not called as what they are. */
static const struct {
    const char *key, *name, *unit;
} keys[] = {
    {"Total", "energy", "kwh"},
    {"Today", "energy_today", "kwh"},
    {"Yesterday", "energy_yesterday", "kwh"},
    {"TotalTariff", "energy_tariff", "kwh"},
    {"ExportActive", "energy_export", "kwh"},
    {"ExportTariff", "energy_export_tariff", "kwh"},
    {"Period", "energy_period", NULL},
    {"Factor", "power_factor", NULL},
    {"eCO2", "co2", NULL},
    {"TVOC", "tvoc", "ppb"},
    {"Moisture", "soil_moisture", NULL},
    {"Battery", "battery_level", NULL},
};

static bool is_word(const char *level, size_t n, const char *const *words)
{
    for (; *words; words++)
        if (n == strlen(*words) && !strncmp(level, *words, n))
            return true;
    return false;
}

/* The topic without its prefix word and its last word. */
static enum reject device(const char *topic, struct message *m, struct err *e)
{
    static const char *const prefixes[] = {"tele", "stat", NULL};
    static const char *const ends[] = {"SENSOR",   "STATE", "STATUS8",
                                       "STATUS10", "LWT",   NULL};
    char raw[RAW_DEVICE_MAX + 2] = "";
    size_t used = 0;
    bool prefix = false;
    while (*topic) {
        size_t n = strcspn(topic, "/");
        bool last = !topic[n], skip = last ? is_word(topic, n, ends)
                                           : !prefix && is_word(topic, n, prefixes);
        prefix |= skip;
        if (!skip) /* one that is too long is refused below, whole or not */
            used += (size_t)snprintf(raw + used, sizeof raw - used, "%s%.*s",
                                     used ? "/" : "", (int)n, topic);
        used = used < sizeof raw ? used : sizeof raw - 1;
        topic += last ? n : n + 1;
    }
    return decode_device_text(m, raw, e);
}

/* DS18B20-2, AM2301_14: the number of the sensor; 0 for one that has none. */
static unsigned index_of(const char *sensor)
{
    size_t n = strlen(sensor), end = n;
    while (n && sensor[n - 1] >= '0' && sensor[n - 1] <= '9')
        n--;
    if (!n || end == n || end - n > 2 || (sensor[n - 1] != '-' && sensor[n - 1] != '_'))
        return 0;
    return (unsigned)strtoul(sensor + n, NULL, 10);
}

/* -127 °C is what a DS18B20 says that does not answer; it comes as -196.6 °F. */
static bool broken(const char *name, double x)
{
    return !strcmp(name, "temperature") && (x == -127 || fabs(x + 196.6) < 0.05);
}

static enum reject number(struct tasmota_work *w, const char *name, unsigned index,
                          const json_t *v, const char *unit, struct err *e)
{
    double x = NAN;
    if (json_is_string(v) || json_is_object(v) || json_is_array(v))
        return REJECT_NONE; /* an Id, a model, a time */
    if (!json_is_null(v) && !decode_json_number(v, &x))
        return REJECT_NONE;
    size_t n = strlen(name);
    if (!unit && n >= 8 && !strcmp(name + n - 8, "pressure"))
        unit = w->pressure_unit;
    if (!unit && ((n >= 11 && !strcmp(name + n - 11, "temperature")) ||
                  !strcmp(name, "dew_point")))
        unit = w->temp_unit;
    return home_value(&w->names, name, index, broken(name, x) ? NAN : x, unit, e);
}

/* An array has one number for each phase or tariff. */
enum reject tasmota_member(struct tasmota_work *w, const char *key, unsigned index,
                           const json_t *v, const char *prefix, struct err *e)
{
    char name[QUANTITY_MAX + 1], full[2 * QUANTITY_MAX + 2];
    const char *unit = NULL;
    if (!home_quantity(key, name, &index))
        return REJECT_NONE;
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (!strcmp(key, keys[i].key)) {
            strcpy(name, keys[i].name);
            unit = keys[i].unit;
        }
    snprintf(full, sizeof full, "%s%s", prefix, name);
    full[QUANTITY_MAX - 8] = '\0';
    if (!json_is_array(v))
        return number(w, full, index, v, unit, e);
    enum reject why = REJECT_NONE;
    for (size_t i = 0; !why && i < json_array_size(v); i++)
        why = number(w, full, (unsigned)i + 1, json_array_get(v, i), unit, e);
    return why;
}

/* The processor's own temperature is not the room's. */
enum reject tasmota_sensor(struct tasmota_work *w, const char *name, const json_t *o,
                           struct err *e)
{
    const char *key, *prefix = !strncmp(name, "ESP32", 5) ? "chip_" : "";
    unsigned index = index_of(name);
    json_t *v;
    enum reject why = REJECT_NONE;
    json_object_foreach((json_t *)o, key, v)
    {
        if (!why)
            why = tasmota_member(w, key, index, v, prefix, e);
    }
    return why;
}

/* "Switch1":"ON" is a switch on the wall: an input. The relay's is POWER, in STATE. */
static enum reject input(struct tasmota_work *w, const char *key, const json_t *v,
                         struct err *e)
{
    double x;
    if (strncmp(key, "Switch", 6) != 0 ||
        !home_on_off(json_string_value(v), json_string_length(v), &x))
        return REJECT_NONE;
    return home_value(&w->names, "input", (unsigned)strtoul(key + 6, NULL, 10) % 100, x,
                      NULL, e);
}

static enum reject sensors(struct tasmota_work *w, const json_t *root, struct err *e)
{
    const char *key;
    json_t *v;
    enum reject why = REJECT_NONE;
    w->temp_unit = json_string_value(json_object_get(root, "TempUnit"));
    w->pressure_unit = json_string_value(json_object_get(root, "PressureUnit"));
    json_object_foreach((json_t *)root, key, v)
    {
        if (why)
            break;
        if (tasmota_is_bridged(key, v))
            continue;
        if (json_is_object(v))
            why = tasmota_sensor(w, key, v, e);
        else if (json_is_string(v))
            why = input(w, key, v, e);
        else if (json_is_number(v))
            why = tasmota_member(w, key, 0, v, "", e);
    }
    return why ? why : tasmota_bridged(w, root, e);
}

/* 0T00:15:10, in s; NAN when it is something else. */
static double uptime(const json_t *root)
{
    const json_t *s = json_object_get(root, "UptimeSec");
    const char *text = json_string_value(json_object_get(root, "Uptime"));
    unsigned d, h, min, sec;
    if (json_is_number(s))
        return json_number_value(s);
    if (text && sscanf(text, "%7uT%2u:%2u:%2u", &d, &h, &min, &sec) == 4)
        return ((d * 24.0 + h) * 60 + min) * 60 + sec;
    return NAN;
}

/* RSSI is a percentage there; Signal is what others call rssi. */
static enum reject state(struct tasmota_work *w, const json_t *root, struct err *e)
{
    const json_t *signal = json_object_get(json_object_get(root, "Wifi"), "Signal");
    const char *key;
    json_t *v;
    enum reject why = home_value(&w->names, "uptime", 0, uptime(root), NULL, e);
    if (!why && json_is_number(signal))
        why = home_value(&w->names, "rssi", 0, json_number_value(signal), NULL, e);
    json_object_foreach((json_t *)root, key, v)
    {
        double x;
        if (!why && !strncmp(key, "POWER", 5) && json_is_string(v) &&
            home_on_off(json_string_value(v), json_string_length(v), &x))
            why = home_value(&w->names, "switch",
                             (unsigned)strtoul(key + 5, NULL, 10) % 100, x, NULL, e);
    }
    return why;
}

bool fits_tasmota(const json_t *root)
{
    const char *key;
    json_t *v;
    if (json_is_object(json_object_get(root, "StatusSNS")))
        return true;
    if (!json_is_string(json_object_get(root, "Time")))
        return false;
    json_object_foreach((json_t *)root, key, v)
    {
        if (json_is_object(v) || !strcmp(key, "UptimeSec"))
            return true;
    }
    return false;
}

enum reject decode_tasmota(const struct input *in, struct message *m, struct err *e)
{
    const json_t *root = in->root, *wrapped = json_object_get(root, "StatusSNS");
    struct tasmota_work w = {.m = m};
    if (json_is_object(wrapped))
        root = wrapped;
    enum reject why = device(in->topic, m, e);
    if (why || (why = decode_time(m, json_object_get(root, "Time"), "Time", e)))
        return why;
    strcpy(w.bridge, message_last(m)->r.raw_device);
    w.time = message_last(m)->time;
    bool is_state = json_object_get(root, "Uptime") || json_object_get(root, "UptimeSec");
    why = is_state ? state(&w, root, e) : sensors(&w, root, e);
    if (!why && !w.names.n)
        m->n--; /* only texts: the card at a reader */
    return why ? why : home_give(m, &w.names, e);
}

/* tele/<topic>/LWT: "Online", or "Offline" (the last will), retained. */
enum reject decode_tasmota_lwt(const struct input *in, struct message *m, struct err *e)
{
    struct item *it = message_last(m);
    it->kind = ITEM_STATUS;
    enum reject why = device(in->topic, m, e);
    if (why || home_online(in->payload, in->len, &it->online))
        return why;
    return reject_say(REJECT_BAD_VALUE, e, "a status is \"Online\" or \"Offline\"");
}
