/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "services/ingest/ha_config.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "common/version.h"

/* Home Assistant's device classes, by stem: developers.home-assistant.io, "sensor" and
 * "binary_sensor". A class refuses units that are not its own, so a quantity without a
 * row has none. */
static const struct {
    const char *stem, *device_class;
} classes[] = {
    {"temperature", "temperature"},
    {"dew_point", "temperature"},
    {"humidity", "humidity"},
    {"soil_moisture", "moisture"},
    {"pressure", "atmospheric_pressure"},
    {"co", "carbon_monoxide"},
    {"co2", "carbon_dioxide"},
    {"tvoc", "volatile_organic_compounds_parts"},
    {"pm1", "pm1"},
    {"pm25", "pm25"},
    {"pm10", "pm10"},
    {"no2", "nitrogen_dioxide"},
    {"o3", "ozone"},
    {"so2", "sulphur_dioxide"},
    {"light", "illuminance"},
    {"sound", "sound_pressure"},
    {"voltage", "voltage"},
    {"battery", "voltage"},
    {"battery_level", "battery"},
    {"current", "current"},
    {"power", "power"},
    {"energy", "energy"},
    {"speed", "speed"},
    {"rain", "precipitation"},
    {"rssi", "signal_strength"},
    {"motion", "motion"},
    {"occupancy", "occupancy"},
    {"contact", "opening"},
};

static bool is_binary(const struct quantity *q)
{
    return q && !strcmp(q->unit, "0 or 1");
}

static bool is_stem(const struct quantity *q, const char *stem)
{
    return q && !strcmp(q->stem, stem);
}

static const char *component(const struct quantity *q)
{
    return is_binary(q) ? "binary_sensor" : "sensor";
}

void ha_config_topic(const struct ha_config *c, char out[HA_TOPIC_MAX + 1])
{
    snprintf(out, HA_TOPIC_MAX + 1, "%s/%s/fieldcast_%s/%s/config", c->prefix,
             component(quantity_find(c->quantity)), c->device, c->quantity);
}

static void set_text(json_t *o, const char *key, const char *text)
{
    json_object_set_new(o, key, json_string(text));
}

/* Takes text. */
static void set_made(json_t *o, const char *key, char *text)
{
    set_text(o, key, text);
    free(text);
}

/* A message need not have every quantity: nothing is what leaves the state as it is. */
static void set_template(json_t *o, const struct ha_config *c, const struct quantity *q)
{
    char *v = xasprintf("value_json['values']['%s']", c->quantity);
    set_made(o, "value_template",
             is_binary(q)
                 ? xasprintf("{{ '' if %s is not defined or %s is none else 'ON' if %s "
                             "else 'OFF' }}",
                             v, v, v)
                 : xasprintf("{{ %s | default('') }}", v));
    free(v);
}

static void set_kind(json_t *o, const struct quantity *q)
{
    for (size_t i = 0; i < sizeof classes / sizeof *classes; i++)
        if (is_stem(q, classes[i].stem))
            set_text(o, "device_class", classes[i].device_class);
    if (is_stem(q, "contact")) { /* 1 is closed; an opening that is ON is open */
        set_text(o, "payload_on", "OFF");
        set_text(o, "payload_off", "ON");
    }
    if (is_binary(q))
        return;
    set_text(o, "state_class", is_stem(q, "energy") ? "total_increasing" : "measurement");
    if (q && *q->symbol)
        set_text(o, "unit_of_measurement", q->symbol);
}

/* "soil_moisture_2": "Soil moisture 2". */
static char *for_people(const char *quantity)
{
    char *name = xstrdup(quantity);
    for (char *p = name; *p; p++)
        *p = *p == '_' ? ' ' : *p;
    *name = (char)toupper((unsigned char)*name);
    return name;
}

/* "sensor.kitchen_temperature": small letters, digits and _. */
static char *entity(const struct ha_config *c, const struct quantity *q)
{
    char *id = xasprintf("%s.%s_%s", component(q), c->device, c->quantity);
    for (char *p = id + strlen(component(q)) + 1; *p; p++)
        *p = *p == '-' ? '_' : (char)tolower((unsigned char)*p);
    return id;
}

json_t *ha_config_json(const struct ha_config *c)
{
    const struct quantity *q = quantity_find(c->quantity);
    json_t *o = json_object(), *device = json_object(), *ids = json_array();
    char *id = xasprintf("fieldcast_%s", c->device);
    set_made(o, "name", for_people(c->quantity));
    set_made(o, "unique_id", xasprintf("fieldcast.%s.%s", c->device, c->quantity));
    set_made(o, "default_entity_id", entity(c, q));
    set_made(o, "state_topic", xasprintf("fieldcast/%s/readings", c->level));
    set_template(o, c, q);
    set_kind(o, q);
    if (c->has_status) /* else it would never be available */
        set_made(o, "availability_topic", xasprintf("fieldcast/%s/status", c->level));
    if (c->expire_s)
        json_object_set_new(o, "expire_after", json_integer(c->expire_s));
    json_array_append_new(ids, json_string(id));
    json_object_set_new(device, "identifiers", ids);
    set_text(device, "name", c->device);
    json_object_set_new(o, "device", device);
    json_object_set_new(
        o, "origin",
        json_pack("{s:s,s:s}", "name", "Fieldcast", "sw_version", fc_version));
    free(id);
    return o;
}
