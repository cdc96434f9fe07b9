/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a row of the mapping makes of a message. */
#include <stdio.h>
#include <string.h>

#include "services/ingest/decoders/tree.h"
#include "services/ingest/mapping_row.h"

const char *mapping_row_name(const struct mapping_row *row)
{
    return row->name;
}

bool mapping_row_is_text(const struct mapping_row *row)
{
    return row->line;
}

enum mapping_retained mapping_row_retained(const struct mapping_row *row)
{
    return row->retained;
}

/* ---- device and location
 * ------------------------------------------------------------------- */

static enum reject part(const struct source *s, const struct input *in,
                        char out[RAW_DEVICE_MAX + 1], struct err *e)
{
    if (s->text) {
        snprintf(out, RAW_DEVICE_MAX + 1, "%s", s->text);
        return REJECT_NONE;
    }
    if (!s->path)
        return topic_level(in->topic, s->level, out, RAW_DEVICE_MAX + 1)
                   ? REJECT_NONE
                   : reject_say(REJECT_NO_DEVICE, e,
                                "the topic %.100s has no level %d of at most %d bytes, "
                                "which names the device",
                                in->topic, s->level, RAW_DEVICE_MAX);
    const json_t *v = json_path_get(s->path, in->root);
    if (json_is_integer(v)) {
        snprintf(out, RAW_DEVICE_MAX + 1, "%" JSON_INTEGER_FORMAT, json_integer_value(v));
        return REJECT_NONE;
    }
    if (!v || json_is_null(v))
        return reject_say(REJECT_NO_DEVICE, e, "nothing is at %s, which names the device",
                          json_path_text(s->path));
    if (!json_is_string(v) || json_string_length(v) > RAW_DEVICE_MAX)
        return reject_say(REJECT_BAD_DEVICE, e,
                          "at %s, which names the device, a text of at most %d bytes is "
                          "expected",
                          json_path_text(s->path), RAW_DEVICE_MAX);
    strcpy(out, json_string_value(v));
    return REJECT_NONE;
}

static enum reject device(const struct mapping_row *row, const struct input *in,
                          struct message *m, struct err *e)
{
    char raw[DEVICE_PARTS_MAX * (RAW_DEVICE_MAX + 1) + 1] = "";
    char one[RAW_DEVICE_MAX + 1] = "";
    for (size_t i = 0; i < row->n_device; i++) {
        enum reject r = part(&row->device[i], in, one, e);
        if (r)
            return r;
        if (!*one)
            return reject_say(REJECT_NO_DEVICE, e, "the device's id is empty");
        strcat(raw, i ? "-" : "");
        strcat(raw, one);
    }
    return decode_device_text(m, raw, e);
}

static void location(const struct mapping_row *row, const struct input *in,
                     struct message *m)
{
    char text[RAW_DEVICE_MAX + 1];
    struct err e = ERR_INIT;
    if (row->has_location && part(&row->location, in, text, &e) == REJECT_NONE)
        snprintf(message_last(m)->r.location, sizeof message_last(m)->r.location, "%.64s",
                 text);
}

/* ---- values
 * ------------------------------------------------------------------------------- */

/* A text that is a number counts as one; anything else that is no number is refused. */
static enum reject value(const struct value_row *to, const struct input *in,
                         struct message *m, struct err *e)
{
    const json_t *v = json_path_get(to->path, in->root);
    const char *unit = *to->unit ? to->unit : NULL;
    double x;
    if (!v)
        return REJECT_NONE;
    if (!json_is_string(v) || !decode_json_number(v, &x))
        return decode_value(m, to->name, v, unit, e);
    json_t *number = json_real(x);
    enum reject r = decode_value(m, to->name, number, unit, e);
    json_decref(number);
    return r;
}

/* All numbers but what the row has said already. */
static enum reject all(const struct mapping_row *row, const struct input *in,
                       struct message *m, struct err *e)
{
    const json_t *skip[DEVICE_PARTS_MAX + READING_VALUES_MAX + 3] = {NULL}, *v;
    size_t n = 0;
    for (size_t i = 0; i < row->n_device; i++)
        if (row->device[i].path && (v = json_path_get(row->device[i].path, in->root)))
            skip[n++] = v;
    for (size_t i = 0; i < row->n_values; i++)
        if ((v = json_path_get(row->value[i].path, in->root)))
            skip[n++] = v;
    if (row->location.path && (v = json_path_get(row->location.path, in->root)))
        skip[n++] = v;
    if (row->time && (v = json_path_get(row->time, in->root)))
        skip[n++] = v;
    return decode_tree(m, json_path_last_name(row->all),
                       json_path_get(row->all, in->root), skip, e);
}

enum reject mapping_read(const struct mapping_row *row, const struct input *in,
                         struct message *m, struct err *e)
{
    if (row->line)
        return decode_line(in, m, e);
    enum reject r = device(row, in, m, e);
    if (!r && row->time)
        r = decode_time(m, json_path_get(row->time, in->root), json_path_text(row->time),
                        e);
    location(row, in, m);
    for (size_t i = 0; i < row->n_values && !r; i++)
        r = value(&row->value[i], in, m, e);
    return !r && row->all ? all(row, in, m, e) : r;
}
