/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the decoders have in common: devices and times. */
#include <stdio.h>
#include <string.h>

#include "common/utf8.h"
#include "services/ingest/decode.h"

/* ---- device
 * ---------------------------------------------------------------------------- */

bool topic_level(const char *topic, int n, char *out, size_t cap)
{
    while (n--) {
        topic = strchr(topic, '/');
        if (!topic)
            return false;
        topic++;
    }
    size_t len = strcspn(topic, "/");
    if (len >= cap)
        return false;
    memcpy(out, topic, len);
    out[len] = '\0';
    return true;
}

enum reject decode_device_text(struct message *m, const char *raw, struct err *e)
{
    if (!*raw)
        return reject_say(REJECT_NO_DEVICE, e, "the device's id is empty");
    if (strlen(raw) >= sizeof message_last(m)->r.raw_device)
        return reject_say(REJECT_BAD_DEVICE, e,
                          "the device's id \"%.80s...\" is too long", raw);
    if (!utf8_valid(raw))
        return reject_say(REJECT_BAD_DEVICE, e, "the device's id is not UTF-8");
    char name[DEVICE_MAX + 1];
    if (device_from_raw(raw, name))
        return reject_say(REJECT_BAD_DEVICE, e,
                          "the device's id \"%.130s\" has no letter or digit", raw);
    strcpy(message_last(m)->r.raw_device, raw);
    strcpy(message_last(m)->r.device, name);
    return REJECT_NONE;
}

enum reject decode_device(struct message *m, const json_t *v, const char *key,
                          struct err *e)
{
    if (!v || json_is_null(v))
        return reject_say(REJECT_NO_DEVICE, e,
                          "field \"%s\" is missing: it names the device", key);
    if (json_is_string(v))
        return decode_device_text(m, json_string_value(v), e);
    if (!json_is_integer(v))
        return reject_say(REJECT_BAD_DEVICE, e, "field \"%s\" must be a string", key);
    char number[32];
    snprintf(number, sizeof number, "%" JSON_INTEGER_FORMAT, json_integer_value(v));
    return decode_device_text(m, number, e);
}

void decode_location(struct message *m, const json_t *v)
{
    if (json_is_string(v))
        snprintf(message_last(m)->r.location, sizeof message_last(m)->r.location, "%s",
                 json_string_value(v));
}

/* ---- time
 * ------------------------------------------------------------------------------ */

enum reject decode_time(struct message *m, const json_t *v, const char *key,
                        struct err *e)
{
    struct raw_time *t = &message_last(m)->time;
    if (!v || json_is_null(v))
        return REJECT_NONE;
    if (json_is_number(v)) {
        t->kind = RAW_TIME_NUMBER;
        t->number = json_number_value(v);
        return REJECT_NONE;
    }
    if (!json_is_string(v) || json_string_length(v) >= sizeof t->text)
        return reject_say(REJECT_BAD_TIME, e,
                          "field \"%s\" must be a number or a short text", key);
    t->kind = RAW_TIME_TEXT;
    strcpy(t->text, json_string_value(v));
    return REJECT_NONE;
}
