/* SPDX-License-Identifier: GPL-3.0-or-later */
/* homeassistant/sensor/<node>/<object_id>/config, retained:
 *   {"name":"Energy","stat_t":"porch/sensor/energy/state","unit_of_meas":"kWh",...}
 * or with the keys written out, state_topic and unit_of_measurement; "~" at the beginning
 * or the end of a topic stands for the member of that name. Others announce themselves
 * here too: what is no announcement of a topic of ESPHome's is passed over. */
#include "services/ingest/decoders/ha_units.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/json.h"
#include "common/mem.h"
#include "common/mqtt.h"
#include "services/ingest/decode.h"

#define STATE_FILTER "+/sensor/+/state"
#define TOPIC_SIZE 512

static const char *text(const json_t *root, const char *brief, const char *full)
{
    const char *s = json_string_value(json_object_get(root, brief));
    return s ? s : json_string_value(json_object_get(root, full));
}

/* The topic of the values; false: none of ESPHome's. */
static bool state_topic(const json_t *root, char out[TOPIC_SIZE])
{
    const char *topic = text(root, "stat_t", "state_topic"), *base = text(root, "~", "~");
    size_t n = topic ? strlen(topic) : 0;
    bool first = n && topic[0] == '~', last = n > 1 && topic[n - 1] == '~';
    if (!n || ((first || last) && !base))
        return false;
    int len = snprintf(out, TOPIC_SIZE, "%s%.*s%s", first ? base : "",
                       (int)(n - first - last), topic + first, last ? base : "");
    return len < TOPIC_SIZE && mqtt_match(STATE_FILTER, out);
}

bool remember_ha_units(const struct input *in, struct memory_change *c, struct buf *texts)
{
    char topic[TOPIC_SIZE];
    struct err e = ERR_INIT;
    json_t *root = in->payload && in->len
                       ? json_parse(in->payload, in->len, "the payload", &e)
                       : NULL;
    bool found = root && state_topic(root, topic);
    if (found) {
        const char *unit = text(root, "unit_of_meas", "unit_of_measurement");
        bool put = unit && *unit && strlen(unit) < HA_UNIT_SIZE;
        buf_add(texts, topic, strlen(topic) + 1);
        buf_adds(texts, put ? unit : "");
        c->topic = texts->data;
        c->payload = texts->data + strlen(topic) + 1;
        c->len = put ? strlen(unit) : 0;
        c->put = put;
        c->forget = !put;
    }
    json_decref(root);
    return found;
}

enum reject decode_ha_units(const struct input *in, struct message *m, struct err *e)
{
    (void)in;
    (void)e;
    m->n = 0;
    return REJECT_NONE;
}

static void *make(const void *payload, size_t len)
{
    return xstrndup(payload, len);
}

static const struct memo_kind kind = {make, free};

bool ha_unit(const struct memory *m, const char *topic, char out[HA_UNIT_SIZE])
{
    struct memo *memo = memory_find(m, topic, &kind);
    snprintf(out, HA_UNIT_SIZE, "%s", memo ? (const char *)memo_made(memo) : "");
    memo_release(memo);
    return *out;
}
