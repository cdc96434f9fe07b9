/* SPDX-License-Identifier: GPL-3.0-or-later */
/* iot-device-data, sensor/output: sensor arrays with several gases.
 *   {"device_id":"5e:44:3b:f3:79:c8","ts":1594598726.5,
 *    "data":{"co":0.0045,"humidity":58.2,"light":true,"lpg":0.0072,"motion":false,
 *            "smoke":0.019,"temp":27.0}}
 * or with "time" (ISO or epoch) and "temperature". null is a reading that failed. light
 * is a switch here (true or false) and becomes 0 or 1. */
#include "services/ingest/decode.h"

bool fits_system1(const json_t *root)
{
    return json_object_get(root, "device_id") &&
           json_is_object(json_object_get(root, "data"));
}

enum reject decode_system1(const struct input *in, struct message *m, struct err *e)
{
    const json_t *root = in->root;
    enum reject r = decode_device(m, json_object_get(root, "device_id"), "device_id", e);
    if (r)
        return r;
    const json_t *ts = json_object_get(root, "ts"), *data = json_object_get(root, "data");
    r = ts ? decode_time(m, ts, "ts", e)
           : decode_time(m, json_object_get(root, "time"), "time", e);
    if (r)
        return r;
    if (json_is_object(data))
        return decode_values(m, data, NULL, e);
    r = data ? REJECT_BAD_SHAPE : REJECT_NO_VALUES;
    return reject_say(r, e, "field \"data\" must be an object of quantities");
}
