/* SPDX-License-Identifier: GPL-3.0-or-later */
/* zone: how far a site's clocks were and will be ahead of UTC, so that hours of the day
 * and of the week are those that people live by.
 *
 * A model keeps the offsets themselves: it needs no table of zones where it serves, and a
 * table that changes later does not change it. Pure. */
#ifndef FC_ML_ZONE_H
#define FC_ML_ZONE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"

#define ZONE_NAME_SIZE 64
#define ZONE_SPANS_MAX 24
#define ZONE_OFFSET_MAX 86400 /* seconds, either way */

struct zone {
    char name[ZONE_NAME_SIZE]; /* IANA's: "Europe/Vienna" */
    size_t n;                  /* at least 1 */
    struct {
        int64_t from_s;
        int offset_s; /* local time - UTC from there on; the first also before */
    } span[ZONE_SPANS_MAX];
};

/* Adds what holds from from_s on, later than all before. Says nothing new: nothing is
 * added. False when there is no room: the last offset then holds for ever. */
bool zone_add(struct zone *z, int64_t from_s, int offset_s);

struct zone *zone_copy(const struct zone *z); /* free(); NULL: NULL */

/* Local time less UTC at t_s, in seconds; 0 where z is NULL. */
int zone_offset(const struct zone *z, int64_t t_s);

/* {"name", "offsets": [[from_s, offset_s], …]}, new; and back into a new struct, free().
 * NULL with a text that names what is wrong. */
json_t *zone_to_json(const struct zone *z);
struct zone *zone_from_json(const json_t *j, struct err *e) MUST_CHECK;

#endif
