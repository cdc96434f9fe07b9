/* SPDX-License-Identifier: GPL-3.0-or-later */
/* fieldcast/<device>/readings
 *   {"device":"kitchen","boot":12,"seq":4711,"ts_ms":1795132800000,
 *    "values":{"temperature":21.4,"humidity":48.2}}
 * device may be left out: the topic says it. ts_ms is absent while the clock is not set.
 */
#include <string.h>

#include "services/ingest/decode.h"

bool fits_native(const json_t *root)
{
    return json_is_string(json_object_get(root, "device")) &&
           json_is_object(json_object_get(root, "values"));
}

static enum reject count(const json_t *root, const char *key, int64_t *out, struct err *e)
{
    const json_t *v = json_object_get(root, key);
    if (!v || json_is_null(v))
        return REJECT_NONE;
    if (json_is_integer(v) && json_integer_value(v) >= 0) {
        *out = json_integer_value(v);
        return REJECT_NONE;
    }
    return reject_say(REJECT_BAD_VALUE, e,
                      "field \"%s\" must be a whole number of 0 or more", key);
}

static enum reject device(const char *topic, const json_t *v, struct message *m,
                          struct err *e)
{
    const struct reading *r = &message_last(m)->r;
    char level[RAW_DEVICE_MAX + 1];
    bool in_topic = !strncmp(topic, "fieldcast/", 10) &&
                    topic_level(topic, 1, level, sizeof level) && *level;
    if (in_topic && (!v || json_is_null(v)))
        return decode_device_text(m, level, e);
    enum reject why = decode_device(m, v, "device", e);
    if (why || !in_topic || !strcmp(level, r->raw_device) || !strcmp(level, r->device))
        return why;
    return reject_say(REJECT_BAD_DEVICE, e,
                      "the payload says device \"%s\", the topic \"%s\"", r->raw_device,
                      level);
}

enum reject decode_native(const struct input *in, struct message *m, struct err *e)
{
    const json_t *root = in->root;
    enum reject r = device(in->topic, json_object_get(root, "device"), m, e);
    if (r || (r = count(root, "boot", &message_last(m)->r.boot, e)) ||
        (r = count(root, "seq", &message_last(m)->r.seq, e)) ||
        (r = decode_time(m, json_object_get(root, "ts_ms"), "ts_ms", e)))
        return r;
    const json_t *values = json_object_get(root, "values");
    if (json_is_object(values))
        return decode_values(m, values, NULL, e);
    r = !values || json_is_null(values) ? REJECT_NO_VALUES : REJECT_BAD_SHAPE;
    return reject_say(r, e, "field \"values\" must be an object of quantities");
}
