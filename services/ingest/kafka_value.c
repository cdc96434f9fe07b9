/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "services/ingest/kafka_value.h"

#include <inttypes.h>
#include <string.h>

#include "common/clock.h"
#include "common/json.h"
#include "services/ingest/reading_json.h"

#define PA_PER_HPA 100

static const struct {
    const char *preset, *shape, *topic;
} shapes[] = {
    [KAFKA_SHAPE_NATIVE] = {"fieldcast", "native", "fieldcast-readings"},
    [KAFKA_SHAPE_SYSTEM2] = {"system2", "system2", "event-frames-model"},
};

int kafka_shape_parse(const char *name, enum kafka_shape *shape)
{
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
        if (!strcmp(shapes[i].preset, name)) {
            *shape = (enum kafka_shape)i;
            return 0;
        }
    return -1;
}

const char *kafka_shape_name(enum kafka_shape shape)
{
    return shapes[shape].shape;
}

const char *kafka_shape_topic(enum kafka_shape shape)
{
    return shapes[shape].topic;
}

const char *kafka_value_key(enum kafka_shape shape, const struct reading *r)
{
    return shape == KAFKA_SHAPE_SYSTEM2 && *r->raw_device ? r->raw_device : r->device;
}

static void set_time(json_t *payload, int64_t t_ms)
{
    char date[CLOCK_RFC3339_SIZE];
    json_object_set_new(payload, "timestamp", json_integer(t_ms));
    json_object_set_new(payload, "date", json_string(clock_format(t_ms, date)));
}

static json_t *as_it_came(const struct kafka_reading *k)
{
    struct err e = ERR_INIT;
    json_t *root = json_parse(k->rec->payload, k->rec->len, "payload", &e);
    json_t *payload = json_object_get(root, "payload");
    if (json_is_object(payload))
        return root;
    json_decref(root);
    return NULL;
}

static json_t *translated(const struct reading *r)
{
    json_t *root = json_object(), *payload = json_object();
    const char *name = kafka_value_key(KAFKA_SHAPE_SYSTEM2, r);
    json_object_set_new(root, "id", json_string(r->device));
    json_object_set_new(root, "name", json_string(name));
    json_object_set_new(root, "place_id", json_string(r->location));
    for (size_t i = 0; i < r->n; i++) {
        const struct quantity *q = quantity_find(r->values[i].quantity);
        bool pressure = q && !strcmp(q->stem, "pressure");
        json_object_set_new(
            payload, r->values[i].quantity,
            json_number(r->values[i].value * (pressure ? PA_PER_HPA : 1)));
    }
    json_object_set_new(root, "payload", payload);
    return root;
}

int kafka_value(enum kafka_shape shape, const struct kafka_reading *k, struct buf *b)
{
    if (shape == KAFKA_SHAPE_NATIVE) {
        reading_write(b, k->r, k->rec->receive_ms);
        return b->full ? -1 : 0;
    }
    json_t *root = k->decoder && !strcmp(k->decoder, "system2") ? as_it_came(k) : NULL;
    if (!root)
        root = translated(k->r);
    set_time(json_object_get(root, "payload"), k->r->time_ms);
    int rc = json_write(b, root);
    json_decref(root);
    return rc || b->full ? -1 : 0;
}
