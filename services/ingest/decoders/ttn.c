/* SPDX-License-Identifier: GPL-3.0-or-later */
/* v3/<application>@<tenant>/devices/<device>/up: The Things Stack 3 (the open source one
 * without @<tenant>).
 *   {"end_device_ids":{"device_id":"greenhouse-2","dev_eui":"0004A30B001C0530",
 *                      "application_ids":{"application_id":"farm"}},
 *    "received_at":"2026-11-20T10:00:01.045787212Z",
 *    "uplink_message":{"f_port":1,"f_cnt":42,"frm_payload":"AWcA1w==",
 *      "decoded_payload":{"temperature_1":21.5},
 *      "rx_metadata":[{"gateway_ids":{…},"rssi":-48,"snr":9}],
 *      "received_at":"2026-11-20T10:00:00.835Z"}}
 * Without decoded_payload the bytes are read as Cayenne LPP. Members that are zero or
 * empty are left out. A device's id is its own only within its application. */
#include <stdio.h>
#include <string.h>

#include "services/ingest/decoders/lora.h"

bool fits_ttn(const json_t *root)
{
    return json_is_string(
               json_object_get(json_object_get(root, "end_device_ids"), "device_id")) &&
           json_is_object(json_object_get(root, "uplink_message"));
}

static enum reject device(const char *topic, const json_t *root, struct message *m,
                          struct err *e)
{
    char level[RAW_DEVICE_MAX + 1] = "", id[2 * RAW_DEVICE_MAX + 2];
    const json_t *ids = json_object_get(root, "end_device_ids");
    const char *name = json_string_value(json_object_get(ids, "device_id"));
    const char *application = json_string_value(
        json_object_get(json_object_get(ids, "application_ids"), "application_id"));
    if (!name || !*name)
        return reject_say(
            REJECT_NO_DEVICE, e,
            "field \"end_device_ids.device_id\" is missing: it names the device");
    if (!strncmp(topic, "v3/", 3) && topic_level(topic, 1, level, sizeof level))
        application = level;
    if (!application || !*application)
        return lora_device(m, name, name, e);
    snprintf(id, sizeof id, "%.128s/%.128s", application, name);
    return lora_device(m, name, id, e);
}

enum reject decode_ttn(const struct input *in, struct message *m, struct err *e)
{
    const json_t *root = in->root, *up = json_object_get(root, "uplink_message");
    enum reject r = device(in->topic, root, m, e);
    if (r)
        return r;
    if (!json_is_object(up))
        return reject_say(REJECT_BAD_SHAPE, e,
                          "field \"uplink_message\" must be an object");
    const json_t *at = json_object_get(up, "received_at");
    at = at ? at : json_object_get(root, "received_at");
    if ((r = decode_time(m, at, "received_at", e)) ||
        (r = lora_gateways(m, json_object_get(up, "rx_metadata"), e)))
        return r;
    return lora_values(m, json_object_get(up, "decoded_payload"),
                       json_object_get(up, "frm_payload"), e);
}
