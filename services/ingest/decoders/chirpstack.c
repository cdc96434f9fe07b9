/* SPDX-License-Identifier: GPL-3.0-or-later */
/* application/<id>/device/<dev eui>/event/up: ChirpStack 4, as JSON.
 *   {"deduplicationId":"3ac7e3c4-…","time":"2026-11-20T10:00:00.775023242+00:00",
 *    "deviceInfo":{"applicationId":"…","deviceName":"Greenhouse 2",
 *                  "devEui":"0101010101010101","tags":{}},
 *    "fCnt":10,"fPort":1,"data":"AWcA1w==","object":{"temperature":21.5},
 *    "rxInfo":[{"gatewayId":"0016c001f153a14c","rssi":-48,"snr":9.0}]}
 * object is there when a codec is set; without one, data is read as Cayenne LPP. Members
 * that are zero are left out. .../event/status has
 *   {"deviceInfo":{…},"margin":10,"externalPowerSource":false,"batteryLevel":75.5}
 * and becomes a reading of battery_level and margin. join, ack, txack, log, location and
 * integration are in order and say nothing to store. */
#include <string.h>

#include "services/ingest/decoders/lora.h"

bool fits_chirpstack(const json_t *root)
{
    return json_is_string(
               json_object_get(json_object_get(root, "deviceInfo"), "devEui")) &&
           json_object_get(root, "deduplicationId");
}

static enum reject status(const json_t *root, struct message *m, struct err *e)
{
    static const char *const keys[][2] = {{"batteryLevel", "battery_level"},
                                          {"margin", "margin"}};
    bool no_level = json_is_true(json_object_get(root, "externalPowerSource")) ||
                    json_is_true(json_object_get(root, "batteryLevelUnavailable"));
    enum reject r = REJECT_NONE;
    for (size_t i = no_level; i < 2 && !r; i++) {
        const json_t *v = json_object_get(root, keys[i][0]);
        if (json_is_number(v))
            r = decode_loose(m, keys[i][1], json_number_value(v), NULL, e);
    }
    if (!message_last(m)->r.n && !message_last(m)->left_out)
        m->n = 0;
    return r;
}

/* Of a topic that is ChirpStack's, the event; else that of the shape. */
static const char *event_of(const char *topic, char out[32])
{
    bool ours = !strncmp(topic, "application/", 12) && topic_level(topic, 5, out, 32);
    return ours ? out : "up";
}

enum reject decode_chirpstack(const struct input *in, struct message *m, struct err *e)
{
    char event[32];
    const json_t *root = in->root, *info = json_object_get(root, "deviceInfo");
    const char *what = event_of(in->topic, event);
    if (strcmp(what, "up") != 0 && strcmp(what, "status") != 0) {
        m->n = 0;
        return REJECT_NONE;
    }
    const char *id = json_string_value(json_object_get(info, "devEui"));
    if (!id)
        return reject_say(REJECT_NO_DEVICE, e,
                          "field \"deviceInfo.devEui\" is missing: it names the device "
                          "(ChirpStack 4 sends it)");
    enum reject r =
        lora_device(m, json_string_value(json_object_get(info, "deviceName")), id, e);
    if (r || (r = decode_time(m, json_object_get(root, "time"), "time", e)))
        return r;
    if (!strcmp(what, "status"))
        return status(root, m, e);
    r = lora_gateways(m, json_object_get(root, "rxInfo"), e);
    return r ? r
             : lora_values(m, json_object_get(root, "object"),
                           json_object_get(root, "data"), e);
}
