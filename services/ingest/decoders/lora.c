/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "services/ingest/decoders/lora.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base64.h"
#include "services/ingest/decoders/cayenne.h"

#define DEPTH_MAX 8   /* objects in objects; what is deeper is passed over */
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

/* ---- names
 * ------------------------------------------------------------------------------ */

static bool is_number(const char *key)
{
    return *key && strspn(key, "0123456789") == strlen(key);
}

static bool says_nothing(const char *key)
{
    return is_number(key) || !strcmp(key, "value") || !strcmp(key, "val") ||
           !strcmp(key, "v");
}

/* What is inside an object is named by its own key; by the object's when that says
 * nothing ({"temperatureSensor":{"1":21.5}}), by both when it is a letter
 * ({"gyrometer":{"x":1}}). */
static void name_within(const char *parent, const char *key, char out[QUANTITY_MAX + 1])
{
    const char *sign = *parent ? "_" : "";
    if (*parent && says_nothing(key))
        snprintf(out, QUANTITY_MAX + 1, "%s", parent);
    else if (strlen(key) == 1 && strlen(parent) < QUANTITY_MAX - 2)
        snprintf(out, QUANTITY_MAX + 1, "%.60s%s%s", parent, sign, key);
    else
        snprintf(out, QUANTITY_MAX + 1, "%.*s", QUANTITY_MAX, key);
}

/* A name with its number taken off and put back: relative_humidity_2 is humidity_2; and
 * ChirpStack's temperatureSensor is temperature. */
static bool plain_name(const char *key, char out[QUANTITY_MAX + 1])
{
    char name[QUANTITY_MAX + 1], number[QUANTITY_MAX + 1] = "";
    if (!decode_loose_name(key, name))
        return false;
    char *last = strrchr(name, '_');
    if (last && is_number(last + 1)) {
        strcpy(number, last);
        *last = '\0';
        last = strrchr(name, '_');
    }
    if (last && last > name && !strcmp(last, "_sensor"))
        *last = '\0';
    if (!decode_loose_name(name, out) || strlen(out) + strlen(number) > QUANTITY_MAX)
        return false;
    strcat(out, number);
    return true;
}

/* ---- values
 * ----------------------------------------------------------------------------- */

struct place {
    const char *name, *unit;
    unsigned depth;
};

/* A text is a number as codecs write it (toFixed()), not a code that begins with 0. */
static bool is_value(const json_t *v, double *x)
{
    const char *text = json_string_value(v);
    if (text && text[0] == '0' && isdigit((unsigned char)text[1]))
        return false;
    return decode_json_number(v, x);
}

static enum reject add(struct message *m, const json_t *v, const struct place *at,
                       struct err *e)
{
    char name[QUANTITY_MAX + 1];
    enum reject r = REJECT_NONE;
    double x;
    const char *key;
    json_t *inner;
    size_t i;
    if (is_value(v, &x))
        return plain_name(at->name, name) ? decode_loose(m, name, x, at->unit, e)
                                          : REJECT_NONE;
    if (at->depth == DEPTH_MAX)
        return REJECT_NONE;
    struct place in = {name, json_string_value(json_object_get(v, "unit")),
                       at->depth + 1};
    json_object_foreach((json_t *)v, key, inner)
    {
        name_within(at->name, key, name);
        if (!r)
            r = add(m, inner, &in, e);
    }
    in.name = at->name;
    in.unit = at->unit;
    json_array_foreach(v, i, inner)
    {
        if (!r)
            r = add(m, inner, &in, e);
    }
    return r;
}

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
    const struct place top = {"", NULL, 0};
    if (json_object_size(decoded))
        return add(m, decoded, &top, e);
    return bytes && !json_is_null(bytes) ? add_bytes(m, bytes, e) : REJECT_NONE;
}
