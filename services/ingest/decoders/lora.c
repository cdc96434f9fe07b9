/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "services/ingest/decoders/lora.h"

#include <stdlib.h>
#include <string.h>

#include "common/base64.h"
#include "services/ingest/decoders/cayenne.h"
#include "services/ingest/decoders/tree.h"

#define BYTES_MAX 512 /* of a LoRaWAN payload: 242 are possible */

/* ---- device and gateways
 * ---------------------------------------------------------------- */

enum reject lora_device(struct message *m, const char *name, const char *id,
                        struct err *e)
{
    char device[DEVICE_MAX + 1];
    enum reject r = decode_device_text(m, id, e);
    if (!r && name && device_from_raw(name, device) == 0)
        strcpy(message_last(m)->r.device, device);
    return r;
}

enum reject lora_gateways(struct message *m, const json_t *gateways, struct err *e)
{
    const json_t *g, *best = NULL;
    size_t i;
    double x, most = 0, snr;
    json_array_foreach(gateways, i, g)
    {
        if (json_is_number(json_object_get(g, "rssi")) &&
            (x = json_number_value(json_object_get(g, "rssi")), !best || x > most)) {
            best = g;
            most = x;
        }
    }
    if (!best)
        return REJECT_NONE;
    enum reject r = decode_loose(m, "rssi", most, NULL, e);
    /* without one it is 0, or not measured (FSK): nobody can tell */
    if (!r && json_is_number(json_object_get(best, "snr"))) {
        snr = json_number_value(json_object_get(best, "snr"));
        r = decode_loose(m, "snr", snr, NULL, e);
    }
    return r;
}

/* ---- values
 * ----------------------------------------------------------------------------- */

static enum reject add_bytes(struct message *m, const json_t *bytes, struct err *e)
{
    size_t n = 0;
    unsigned char *p = NULL;
    if (json_is_string(bytes) && json_string_length(bytes) <= BYTES_MAX)
        p = base64_decode(json_string_value(bytes), json_string_length(bytes), &n);
    if (!p) {
        reject_say(REJECT_BAD_SHAPE, e,
                   "the payload must be at most %d characters of base64", BYTES_MAX);
        message_refuse(m, message_last(m), REJECT_BAD_SHAPE, e);
        return REJECT_NONE;
    }
    enum reject r = decode_cayenne(m, p, n, e);
    free(p);
    return r;
}

enum reject lora_values(struct message *m, const json_t *decoded, const json_t *bytes,
                        struct err *e)
{
    if (json_object_size(decoded))
        return decode_tree(m, "", decoded, NULL, e);
    return bytes && !json_is_null(bytes) ? add_bytes(m, bytes, e) : REJECT_NONE;
}
