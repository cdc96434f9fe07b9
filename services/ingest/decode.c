/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "services/ingest/decode.h"

#include <stdio.h>
#include <string.h>

#include "common/json.h"
#include "common/mqtt.h"
#include "services/ingest/mapping.h"
#include "services/ingest/native_fast.h"

/* ---- the table
 * ------------------------------------------------------------------------- */

#define NATIVE_FILTER "fieldcast/+/readings"

/* clang-format off */
static const struct row {
    const char *name;
    const char *filters[6];           /* ended by NULL */
    bool text;                        /* the payload is not a JSON object */
    bool (*fits)(const json_t *root); /* NULL: only its topics tell */
    decode_fn decode;
    remember_fn remember;             /* NULL: nothing of it is needed later */
    bool (*ignores)(const char *topic); /* NULL: none of its topics */
} table[] = {
    {"native", {NATIVE_FILTER}, false, fits_native, decode_native, NULL, NULL},
    {"status", {"fieldcast/+/status"}, true, NULL, decode_status, NULL, NULL},
    {"system0", {"home/+/dht22"}, false, fits_system0, decode_system0, NULL, NULL},
    {"system1", {"iot-device-data", "sensor/output"}, false, fits_system1, decode_system1,
     NULL, NULL},
    {"system2", {"iot-frames-model", "iot-frames-sensor"}, false, fits_system2,
     decode_system2, NULL, NULL},
    {"system3", {"sensors/+/data"}, false, fits_system3, decode_system3, NULL, NULL},
    {"tasmota", {"tele/+/SENSOR", "tele/+/STATE", "stat/+/STATUS8", "stat/+/STATUS10"},
     false, fits_tasmota, decode_tasmota, NULL, NULL},
    {"tasmota_lwt", {"tele/+/LWT"}, true, NULL, decode_tasmota_lwt, NULL, NULL},
    {"zigbee2mqtt", {"zigbee2mqtt/#"}, true, fits_zigbee2mqtt, decode_zigbee2mqtt, NULL,
     ignores_zigbee2mqtt},
    {"chirpstack", {"application/+/device/+/event/+"}, false, fits_chirpstack,
     decode_chirpstack, NULL, NULL},
    {"ttn", {"v3/+/devices/+/up"}, false, fits_ttn, decode_ttn, NULL, NULL},
    {"line", {"influx/#"}, true, NULL, decode_line, NULL, NULL},
    {"sparkplug", {"spBv1.0/#"}, true, NULL, decode_sparkplug, remember_sparkplug, NULL},
    {"homie", {"homie/#"}, true, NULL, decode_homie, remember_homie, NULL},
    {"ha_units", {"homeassistant/sensor/+/+/config"}, true, NULL, decode_ha_units,
     remember_ha_units, NULL},
    /* last: its topics are those of others too */
    {"esphome", {"+/sensor/+/state", "+/binary_sensor/+/state", "+/status"}, true, NULL,
     decode_esphome, NULL, NULL},
};
/* clang-format on */
#define N_ROWS (sizeof table / sizeof *table)

const char *decode_row_name(size_t i)
{
    return i < N_ROWS ? table[i].name : NULL;
}

const char *decode_row_filter(size_t i, size_t f)
{
    return i < N_ROWS ? table[i].filters[f] : NULL;
}

static const struct row *by_topic(const char *topic)
{
    for (size_t i = 0; i < N_ROWS; i++)
        for (const char *const *f = table[i].filters; *f; f++)
            if (mqtt_match(*f, topic))
                return &table[i];
    return NULL;
}

static const struct row *by_shape(const json_t *root)
{
    for (size_t i = 0; i < N_ROWS; i++)
        if (table[i].fits && table[i].fits(root))
            return &table[i];
    return NULL;
}

/* ---- a message
 * --------------------------------------------------------------------------- */

static void begin(struct message *m)
{
    message_begin(m);
    message_add(m);
}

static enum reject by_row(const struct row *row, const struct input *in,
                          struct message *m, struct err *e)
{
    if (!row)
        return reject_say(REJECT_UNKNOWN_TOPIC, e,
                          "no decoder knows the topic \"%.200s\"", in->topic);
    m->decoder = row->name;
    m->from_memory = row->remember != NULL;
    return row->decode(in, m, e);
}

static enum reject by_tree(const struct row *row, struct input *in, struct message *m,
                           struct err *e)
{
    json_t *root = json_parse(in->payload, in->len, "the payload", e);
    enum reject r;
    if (!root) {
        snprintf(e->slug, sizeof e->slug, "%s", reject_name(REJECT_BAD_JSON));
        return REJECT_BAD_JSON;
    }
    in->root = root;
    if (!json_is_object(root))
        r = reject_say(row ? REJECT_BAD_SHAPE : REJECT_UNKNOWN_TOPIC, e,
                       "the payload must be a JSON object");
    else
        r = by_row(row ? row : by_shape(root), in, m, e);
    json_decref(root);
    return r;
}

static void without_value(struct message *m, struct item *it)
{
    struct err e = ERR_INIT;
    it->reject = it->left_out;
    if (it->reject)
        return;
    it->reject = reject_say(REJECT_NO_VALUES, &e, "the message from %s has no value",
                            it->r.device);
    message_refuse(m, it, it->reject, &e);
}

/* An item without a value is none; the message falls with its last item. */
static enum reject judge(struct message *m, struct err *e)
{
    size_t taken = 0;
    for (size_t i = 0; i < m->n; i++) {
        struct item *it = &m->item[i];
        if (it->kind == ITEM_READING && !it->reject)
            decode_ranges(m, it);
        if (it->kind == ITEM_READING && !it->reject && !it->r.n)
            without_value(m, it);
        taken += !it->reject;
    }
    return taken || !m->n ? REJECT_NONE : message_rejected(m, e);
}

enum reject decode_message_slowly(const struct memory *memory, const char *topic,
                                  const void *payload, size_t len, struct message *m,
                                  struct err *e)
{
    struct input in = {.topic = topic, .payload = payload, .len = len, .memory = memory};
    const struct row *row = by_topic(topic);
    begin(m);
    enum reject r = row && row->text ? by_row(row, &in, m, e) : by_tree(row, &in, m, e);
    return r ? r : judge(m, e);
}

enum reject decode_message(const struct memory *memory, const char *topic,
                           const void *payload, size_t len, struct message *m,
                           struct err *e)
{
    begin(m);
    if (mqtt_match(NATIVE_FILTER, topic) && decode_native_fast(topic, payload, len, m))
        return REJECT_NONE;
    return decode_message_slowly(memory, topic, payload, len, m, e);
}

bool decode_ignores(const char *topic)
{
    const struct row *row = by_topic(topic);
    return row && row->ignores && row->ignores(topic);
}

bool decode_remember(const char *topic, const void *payload, size_t len, bool cut,
                     struct memory_change *c, struct buf *texts)
{
    const struct row *row = by_topic(topic);
    struct input in = {.topic = topic, .payload = cut ? NULL : payload, .len = len};
    *c = (struct memory_change){.topic = topic, .payload = payload, .len = len};
    return row && row->remember && row->remember(&in, c, texts);
}

enum reject decode_mapped(const struct mapping_row *row, const char *topic,
                          const void *payload, size_t len, struct message *m,
                          struct err *e)
{
    struct input in = {.topic = topic, .payload = payload, .len = len};
    json_t *root = NULL;
    begin(m);
    m->decoder = mapping_row_name(row);
    m->mapped = true;
    double x;
    if (!mapping_row_is_text(row))
        root = decode_number(payload, len, &x) /* nothing but a number is a value too */
                   ? json_real(x)
                   : json_parse(payload, len, "the payload", e);
    if (!mapping_row_is_text(row) && !root) {
        snprintf(e->slug, sizeof e->slug, "%s", reject_name(REJECT_BAD_JSON));
        return REJECT_BAD_JSON;
    }
    in.root = root;
    enum reject r = mapping_read(row, &in, m, e);
    json_decref(root);
    return r ? r : judge(m, e);
}
