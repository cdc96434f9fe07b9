/* SPDX-License-Identifier: GPL-3.0-or-later */
/* iot-frames-model, iot-frames-sensor: frames with a class label.
 *   {"id":"000000000","name":"iot_sensor_0","place_id":"000000000",
 *    "payload":{"temperature":24.1,"humidity":61,"pressure":101325,"fan_speed":1}}
 * The pressure is in pascal. A bridge may have added payload.timestamp and payload.date.
 */
#include "services/ingest/decode.h"

bool fits_system2(const json_t *root)
{
    return json_object_get(root, "name") &&
           json_is_object(json_object_get(root, "payload"));
}

enum reject decode_system2(const struct input *in, struct message *m, struct err *e)
{
    const json_t *root = in->root;
    static const char *const not_values[] = {"timestamp", "date", NULL};
    enum reject r = decode_device(m, json_object_get(root, "name"), "name", e);
    if (r)
        return r;
    const json_t *payload = json_object_get(root, "payload");
    decode_location(m, json_object_get(root, "place_id"));
    if (json_is_object(payload)) {
        r = decode_time(m, json_object_get(payload, "timestamp"), "payload.timestamp", e);
        return r ? r : decode_values(m, payload, not_values, e);
    }
    r = payload ? REJECT_BAD_SHAPE : REJECT_NO_VALUES;
    return reject_say(r, e, "field \"payload\" must be an object of quantities");
}
