/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "services/ingest/decode.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "common/json.h"
#include "common/mqtt.h"
#include "services/ingest/native_fast.h"

/* ---- reasons
 * --------------------------------------------------------------------------- */

static const struct {
    const char *name, *sentence;
} reasons[REJECT_N] = {
    [REJECT_NONE] = {"none", "it is taken"},
    [REJECT_BAD_JSON] = {"bad_json", "the payload is not valid JSON"},
    [REJECT_BAD_SHAPE] = {"bad_shape",
                          "the JSON is not built as this topic's messages are"},
    [REJECT_UNKNOWN_TOPIC] = {"unknown_topic", "no decoder knows the topic or the shape"},
    [REJECT_NO_DEVICE] = {"no_device",
                          "the message does not say which device it is from"},
    [REJECT_BAD_DEVICE] = {"bad_device", "the device's id cannot be made a name"},
    [REJECT_DEVICE_CLASH] = {"device_clash",
                             "another device's id gave the same name before"},
    [REJECT_TOO_MANY_DEVICES] = {"too_many_devices", "there are FC_DEVICES_MAX devices"},
    [REJECT_NO_VALUES] = {"no_values", "the message has no value"},
    [REJECT_BAD_VALUE] = {"bad_value", "a value or its name is malformed"},
    [REJECT_OUT_OF_RANGE] = {"out_of_range",
                             "a value is beyond what is physically possible"},
    [REJECT_TOO_MANY_VALUES] = {"too_many_values", "the message has too many values"},
    [REJECT_BAD_TIME] = {"bad_time", "the time field is neither a number nor a text"},
    [REJECT_RETAINED_WITHOUT_TIME] =
        {"retained_without_time", "the broker had kept it and it has no time of its own"},
    [REJECT_TOO_LARGE] = {"too_large", "the message is larger than 256 KiB"},
    [REJECT_REFUSED_BY_INFLUXDB] = {"refused_by_influxdb", "InfluxDB refused the point"},
};

const char *reject_name(enum reject r)
{
    return reasons[r].name;
}

const char *reject_sentence(enum reject r)
{
    return reasons[r].sentence;
}

/* ---- the table
 * ------------------------------------------------------------------------- */

#define NATIVE_FILTER "fieldcast/+/readings"
#define STATUS_FILTER "fieldcast/+/status"

static const struct row {
    const char *name;
    const char *filters[3]; /* ended by NULL */
    bool (*fits)(const json_t *root);
    decode_fn decode;
} table[] = {
    {"native", {NATIVE_FILTER}, fits_native, decode_native},
    {"system0", {"home/+/dht22"}, fits_system0, decode_system0},
    {"system1", {"iot-device-data", "sensor/output"}, fits_system1, decode_system1},
    {"system2", {"iot-frames-model", "iot-frames-sensor"}, fits_system2, decode_system2},
    {"system3", {"sensors/+/data"}, fits_system3, decode_system3},
};
#define N_ROWS (sizeof table / sizeof *table)

const char *decode_row_name(size_t i)
{
    return i < N_ROWS ? table[i].name : NULL;
}

const char *decode_row_filter(size_t i)
{
    return i < N_ROWS ? table[i].filters[0] : NULL;
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
        if (table[i].fits(root))
            return &table[i];
    return NULL;
}

static enum reject say(enum reject r, struct err *e, const char *fmt, const char *what)
{
    err_kind(e, ERR_INVALID, reject_name(r), fmt, what);
    return r;
}

static enum reject decode_status(const char *topic, const char *text, size_t len,
                                 struct message *m, struct err *e)
{
    char raw[DEVICE_MAX * 2 + 1];
    m->decoder = "status";
    m->kind = MESSAGE_STATUS;
    if (!topic_level(topic, 1, raw, sizeof raw))
        return say(REJECT_BAD_DEVICE, e, "the device in the topic %.200s is too long",
                   topic);
    enum reject r = decode_device_text(m, raw, e);
    if (r)
        return r;
    m->online = len == 6 && !strncasecmp(text, "online", 6);
    if (m->online || (len == 7 && !strncasecmp(text, "offline", 7)))
        return REJECT_NONE;
    return say(REJECT_BAD_VALUE, e, "a status is \"online\" or \"offline\"%s", "");
}

/* Beyond these a sensor of that kind can not be telling the truth. */
static enum reject check_ranges(const struct reading *r, struct err *e)
{
    for (size_t i = 0; i < r->n; i++) {
        const struct quantity *q = quantity_find(r->values[i].quantity);
        double v = r->values[i].value;
        double min = q ? q->min : -READING_VALUE_MAX;
        double max = q ? q->max : READING_VALUE_MAX;
        if (!(v >= min && v <= max)) {
            err_kind(e, ERR_INVALID, reject_name(REJECT_OUT_OF_RANGE),
                     "%s is %.15g: possible are %.15g to %.15g%s%s",
                     r->values[i].quantity, v, min, max, q && *q->symbol ? " " : "",
                     q ? q->symbol : "");
            return REJECT_OUT_OF_RANGE;
        }
    }
    return REJECT_NONE;
}

static enum reject decode_root(const char *topic, const json_t *root, struct message *m,
                               struct err *e)
{
    const struct row *row = by_topic(topic);
    if (!json_is_object(root))
        return say(row ? REJECT_BAD_SHAPE : REJECT_UNKNOWN_TOPIC, e,
                   "the payload must be a JSON object%s", "");
    if (!row)
        row = by_shape(root);
    if (!row)
        return say(REJECT_UNKNOWN_TOPIC, e, "no decoder knows the topic \"%.200s\"",
                   topic);
    m->decoder = row->name;
    enum reject r = row->decode(topic, root, m, e);
    if (!r && !m->r.n)
        r = say(REJECT_NO_VALUES, e, "the message from %s has no value", m->r.device);
    return r ? r : check_ranges(&m->r, e);
}

static void begin(struct message *m)
{
    m->kind = MESSAGE_READING;
    m->decoder = NULL;
    m->online = false;
    m->time.kind = RAW_TIME_NONE;
    m->r.device[0] = m->r.raw_device[0] = m->r.location[0] = '\0';
    m->r.time_ms = INT64_MIN;
    m->r.boot = m->r.seq = -1;
    m->r.poor = false;
    m->r.n = 0;
}

enum reject decode_message_slowly(const char *topic, const void *payload, size_t len,
                                  struct message *m, struct err *e)
{
    begin(m);
    if (mqtt_match(STATUS_FILTER, topic))
        return decode_status(topic, payload, len, m, e);
    json_t *root = json_parse(payload, len, "the payload", e);
    if (!root) {
        snprintf(e->slug, sizeof e->slug, "%s", reject_name(REJECT_BAD_JSON));
        return REJECT_BAD_JSON;
    }
    enum reject r = decode_root(topic, root, m, e);
    json_decref(root);
    return r;
}

enum reject decode_message(const char *topic, const void *payload, size_t len,
                           struct message *m, struct err *e)
{
    begin(m);
    if (mqtt_match(NATIVE_FILTER, topic) && decode_native_fast(topic, payload, len, m))
        return REJECT_NONE;
    return decode_message_slowly(topic, payload, len, m, e);
}
