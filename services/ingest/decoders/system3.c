/* SPDX-License-Identifier: GPL-3.0-or-later */
/* sensors/<id>/data: one value per message, named by its type.
 *   {"sensor_id":"press_001","sensor_type":"pressure","timestamp":"2026-11-20T10:00:00",
 *    "value":101.3,"unit":"kPa","location":"pipe_main",
 *    "metadata":{"sampling_rate":1.0,"quality":"good"}} */
#include <string.h>
#include <strings.h>

#include "services/ingest/decode.h"

bool fits_system3(const json_t *root)
{
    return json_object_get(root, "sensor_id") && json_object_get(root, "sensor_type") &&
           json_object_get(root, "value");
}

enum reject decode_system3(const struct input *in, struct message *m, struct err *e)
{
    const json_t *root = in->root;
    enum reject r = decode_device(m, json_object_get(root, "sensor_id"), "sensor_id", e);
    if (r || (r = decode_time(m, json_object_get(root, "timestamp"), "timestamp", e)))
        return r;
    const char *type = json_string_value(json_object_get(root, "sensor_type"));
    if (!type) {
        return reject_say(
            REJECT_BAD_SHAPE, e,
            "field \"sensor_type\" must be a string: it names the quantity");
    }
    const char *quality =
        json_string_value(json_object_get(json_object_get(root, "metadata"), "quality"));
    message_last(m)->r.poor = quality && !strcasecmp(quality, "poor");
    decode_location(m, json_object_get(root, "location"));
    const json_t *v = json_object_get(root, "value");
    return v ? decode_value(m, type, v, json_string_value(json_object_get(root, "unit")),
                            e)
             : REJECT_NONE; /* no value: the caller says so */
}
