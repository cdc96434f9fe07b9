/* SPDX-License-Identifier: GPL-3.0-or-later */
/* In tele/<topic>/SENSOR, of sensors that a bridge hears, each a device of its own:
 *   {"ZbReceived":{"0x3A1F":{"Device":"0x3A1F","Name":"Kitchen","Temperature":21.3,
 *    "Endpoint":1,"LinkQuality":70}}}
 *   {"Time":"…","ATC226754":{"mac":"a4c138226754","Temperature":23.3,"RSSI":-52},…}
 *   {"Time":"…","IBEACON":{"MAC":"A4C1387FC1E1","RSSI":-56,"STATE":"ON"}}
 * Each message has one sensor or a few, now these, now those: as values of the bridge
 * they would be one series. */
#include <stdio.h>
#include <string.h>

#include "services/ingest/decoders/tasmota.h"

/* Keys of Zigbee that are not called as what they are. What Illuminance and Contact count
 * hangs on the maker. */
static const struct {
    const char *key, *name;
} zigbee_keys[] = {
    {"LinkQuality", "linkquality"}, {"BatteryPercentage", "battery_level"},
    {"BatteryVoltage", "battery"},  {"Power", "switch"},
    {"ActivePower", "power"},       {"RMSVoltage", "voltage"},
    {"RMSCurrent", "current"},      {"Illuminance", "illuminance_raw"},
    {"Contact", "contact_raw"},
};

static bool is_bluetooth(const json_t *v)
{
    return json_is_string(json_object_get(v, "mac")) ||
           json_is_string(json_object_get(v, "MAC"));
}

bool tasmota_is_bridged(const char *key, const json_t *v)
{
    return !strcmp(key, "ZbReceived") || is_bluetooth(v);
}

/* Begins the item of a sensor. Names and series stay apart: each is <bridge>/<sensor>. */
static enum reject heard(struct tasmota_work *w, const char *name, struct err *e)
{
    char raw[2 * RAW_DEVICE_MAX + 2];
    enum reject why = home_give(w->m, &w->names, e);
    if (why)
        return why;
    if (w->names.n && !message_add(w->m))
        return reject_say(REJECT_TOO_MANY_VALUES, e, "the message has too many sensors");
    w->names.n = 0;
    message_last(w->m)->time = w->time;
    snprintf(raw, sizeof raw, "%s/%.*s", w->bridge, RAW_DEVICE_MAX, name);
    return decode_device_text(w->m, raw, e);
}

static enum reject zigbee(struct tasmota_work *w, const char *name, const json_t *o,
                          struct err *e)
{
    const char *key, *known = json_string_value(json_object_get(o, "Name"));
    json_t *v;
    enum reject why = heard(w, known && *known ? known : name, e);
    json_object_foreach((json_t *)o, key, v)
    {
        const char *called = key;
        for (size_t i = 0; i < sizeof zigbee_keys / sizeof *zigbee_keys; i++)
            if (!strcmp(key, zigbee_keys[i].key))
                called = zigbee_keys[i].name;
        if (!why && strcmp(key, "Endpoint") != 0)
            why = tasmota_member(w, called, 0, v, "", e);
    }
    return why;
}

enum reject tasmota_bridged(struct tasmota_work *w, const json_t *root, struct err *e)
{
    const char *key;
    json_t *v;
    enum reject why = REJECT_NONE;
    json_object_foreach(json_object_get(root, "ZbReceived"), key, v)
    {
        if (!why && json_is_object(v))
            why = zigbee(w, key, v, e);
    }
    json_object_foreach((json_t *)root, key, v)
    {
        const char *mac = json_string_value(json_object_get(v, "MAC"));
        if (why || !is_bluetooth(v))
            continue;
        why = heard(w, mac ? mac : key, e);
        if (!why)
            why = tasmota_sensor(w, key, v, e);
    }
    return why;
}
