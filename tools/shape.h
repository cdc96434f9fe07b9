/* SPDX-License-Identifier: GPL-3.0-or-later */
/* shape: one sample as the MQTT messages a kind of device would send.
 *
 * `native` is Fieldcast's own (firmware/main/payload); system0 to system3 are the wire
 * forms of the four reference systems, with their topics, names and units. A shape that
 * cannot carry a quantity leaves it out. Pure; any thread. */
#ifndef FC_TOOLS_SHAPE_H
#define FC_TOOLS_SHAPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"

#define SAMPLE_VALUES_MAX 32
#define SHAPE_TOPIC_SIZE 200
#define SHAPE_PAYLOAD_SIZE 8192

struct sample_value {
    const char *quantity; /* canonical name, borrowed */
    double value;         /* canonical unit */
    bool boolean;         /* it is a yes or no: written as true or false where JSON may */
};

struct sample {
    const char *device; /* borrowed */
    uint32_t boot, seq; /* native only */
    int64_t ts_ms;
    bool past; /* not sent at ts_ms but later: a shape without a device time adds one */
    struct sample_value value[SAMPLE_VALUES_MAX];
    size_t n;
};

struct shape_message {
    char topic[SHAPE_TOPIC_SIZE];
    char payload[SHAPE_PAYLOAD_SIZE];
    size_t len; /* of the payload */
};

struct shape;

/* By name; NULL if there is none. shape_names() lists them for help and errors. */
const struct shape *shape_find(const char *name);
const char *shape_names(void);

/* Can this quantity travel in this shape? */
bool shape_carries(const struct shape *sh, const char *quantity);

/* Does it send device ids as they are ("b8:27:eb:bf:9d:51")? The others want a device
 * name. */
bool shape_sends_raw_ids(const struct shape *sh);

/* A value in another unit, to 12 digits: 281 / 10 is 28.1. */
double shape_scale(double x, double factor);

/* How many messages the sample becomes: 0 when nothing of it can be carried. */
size_t shape_parts(const struct shape *sh, const struct sample *s);

/* Writes message number part (from 0). prefix replaces the first level of the topic; NULL
 * = the shape's own. Fails for names or values that cannot be sent. */
int shape_write(const struct shape *sh, const struct sample *s, size_t part,
                const char *prefix, struct shape_message *m, struct err *e) MUST_CHECK;

#endif
