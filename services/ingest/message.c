/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "services/ingest/message.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"

#define KEEP_ITEMS 16 /* more are given back after the message that needed them */

/* ---- reasons
 * --------------------------------------------------------------------------- */

static const struct {
    const char *name, *sentence;
} reasons[REJECT_N] = {
    [REJECT_NONE] = {"none", "it is taken"},
    [REJECT_BAD_JSON] = {"bad_json", "the payload is not valid JSON"},
    [REJECT_BAD_SHAPE] = {"bad_shape",
                          "the payload is not built as this topic's messages are"},
    [REJECT_UNKNOWN_TOPIC] = {"unknown_topic", "no decoder knows the topic or the shape"},
    [REJECT_NO_DEVICE] = {"no_device",
                          "the message does not say which device it is from"},
    [REJECT_BAD_DEVICE] = {"bad_device", "the device's id cannot be made a name"},
    [REJECT_DEVICE_CLASH] = {"device_clash",
                             "another device's id gave the same name before"},
    [REJECT_TOO_MANY_DEVICES] = {"too_many_devices", "there are FC_DEVICES_MAX devices"},
    [REJECT_NO_VALUES] = {"no_values", "the message has no value"},
    [REJECT_BAD_VALUE] = {"bad_value", "a value or its name is malformed"},
    [REJECT_OUT_OF_RANGE] = {"out_of_range",
                             "a value is beyond what is physically possible"},
    [REJECT_TOO_MANY_VALUES] = {"too_many_values", "the message has too many values"},
    [REJECT_BAD_TIME] = {"bad_time", "the time field is neither a number nor a text"},
    [REJECT_RETAINED_WITHOUT_TIME] =
        {"retained_without_time", "the broker had kept it and it has no time of its own"},
    [REJECT_TOO_LARGE] = {"too_large", "the message is larger than 256 KiB"},
    [REJECT_UNKNOWN_ALIAS] = {"unknown_alias",
                              "the birth that says what its numbers mean is not known: a "
                              "rebirth was asked for; it can be sent again from the dead "
                              "letters"},
    [REJECT_MEMORY_FULL] = {"memory_full",
                            "there is no room to remember this birth or description"},
    [REJECT_REFUSED_BY_INFLUXDB] = {"refused_by_influxdb", "InfluxDB refused the point"},
    [REJECT_TOO_MANY_NEW_DEVICES] =
        {"too_many_new_devices", "FC_DEVICES_PER_MIN devices were new within a minute"},
    [REJECT_TOO_MANY_QUANTITIES] =
        {"too_many_quantities", "the device, or all together, have too many quantities"},
};

const char *reject_name(enum reject r)
{
    return reasons[r].name;
}

const char *reject_sentence(enum reject r)
{
    return reasons[r].sentence;
}

enum reject reject_find(const char *name)
{
    for (int r = REJECT_NONE + 1; name && r < REJECT_N; r++)
        if (!strcmp(reasons[r].name, name))
            return (enum reject)r;
    return REJECT_NONE;
}

enum reject reject_say(enum reject r, struct err *e, const char *fmt, ...)
{
    char text[sizeof e->text];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    err_kind(e, ERR_INVALID, reject_name(r), "%s", text);
    return r;
}

/* ---- items
 * ----------------------------------------------------------------------------- */

void message_init(struct message *m)
{
    *m = (struct message){.cap = 1};
    m->item = xcalloc(1, sizeof *m->item);
}

void message_done(struct message *m)
{
    free(m->item);
    *m = (struct message){0};
}

void message_begin(struct message *m)
{
    if (m->cap > KEEP_ITEMS) {
        free(m->item);
        m->item = xcalloc(1, sizeof *m->item);
        m->cap = 1;
    }
    m->decoder = NULL;
    m->mapped = false;
    m->from_memory = false;
    m->edge.id[0] = '\0';
    m->edge.seq = -1;
    m->edge.birth = m->edge.lost = false;
    m->n = m->n_refused = 0;
    m->refused = REJECT_NONE;
}

struct item *message_add(struct message *m)
{
    if (m->n == MESSAGE_ITEMS_MAX)
        return NULL;
    if (m->n == m->cap) {
        m->cap *= 2;
        m->item = xrealloc(m->item, m->cap * sizeof *m->item);
    }
    struct item *it = &m->item[m->n++]; /* its values are not cleared: they are many */
    it->kind = ITEM_READING;
    it->time.kind = RAW_TIME_NONE;
    it->online = it->known = it->r.poor = false;
    it->left_out = it->reject = REJECT_NONE;
    it->device = NULL;
    it->source = TIME_NONE;
    it->id = 0;
    it->r.device[0] = it->r.raw_device[0] = it->r.location[0] = '\0';
    it->r.time_ms = it->said_ms = INT64_MIN;
    it->r.boot = it->r.seq = -1;
    it->r.n = 0;
    return it;
}

void message_refuse(struct message *m, struct item *it, enum reject why, struct err *e)
{
    if (it && !it->left_out)
        it->left_out = why;
    if (!m->n_refused++) {
        m->refused = why;
        m->why = *e;
    }
    *e = (struct err)ERR_INIT;
}

void message_refuse_all(struct message *m, enum reject why)
{
    m->n = m->n && m->item[0].r.device[0];
    if (m->n)
        m->item[0].reject = why;
}

enum reject message_rejected(const struct message *m, struct err *e)
{
    enum reject r = m->item[0].reject;
    if (m->n_refused && m->refused == r)
        *e = m->why;
    else
        reject_say(r, e, "%s", reject_sentence(r));
    return r;
}
