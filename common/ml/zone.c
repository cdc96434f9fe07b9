/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/ml/zone.h"

#include <stdlib.h>
#include <string.h>

#include "common/mem.h"

bool zone_add(struct zone *z, int64_t from_s, int offset_s)
{
    if (z->n && z->span[z->n - 1].offset_s == offset_s)
        return true;
    if (z->n == ZONE_SPANS_MAX)
        return false;
    z->span[z->n].from_s = from_s;
    z->span[z->n++].offset_s = offset_s;
    return true;
}

struct zone *zone_copy(const struct zone *z)
{
    struct zone *copy = z ? xmalloc(sizeof *copy) : NULL;
    if (z)
        *copy = *z;
    return copy;
}

int zone_offset(const struct zone *z, int64_t t_s)
{
    if (!z || !z->n)
        return 0;
    size_t i = z->n - 1;
    while (i && t_s < z->span[i].from_s)
        i--;
    return z->span[i].offset_s;
}

json_t *zone_to_json(const struct zone *z)
{
    json_t *offsets = json_array();
    for (size_t i = 0; i < z->n; i++)
        json_array_append_new(offsets, json_pack("[I, i]", (json_int_t)z->span[i].from_s,
                                                 z->span[i].offset_s));
    return json_pack("{s:s, s:o}", "name", z->name, "offsets", offsets);
}

/* One pair of numbers, behind those that are there. */
static bool read_span(struct zone *z, const json_t *pair)
{
    const json_t *from = json_array_get(pair, 0), *offset = json_array_get(pair, 1);
    json_int_t s = json_integer_value(offset);
    if (json_array_size(pair) != 2 || !json_is_integer(from) ||
        !json_is_integer(offset) || s < -ZONE_OFFSET_MAX || s > ZONE_OFFSET_MAX ||
        (z->n && json_integer_value(from) <= z->span[z->n - 1].from_s))
        return false;
    size_t n = z->n;
    return zone_add(z, json_integer_value(from), (int)s) && z->n == n + 1;
}

struct zone *zone_from_json(const json_t *j, struct err *e)
{
    const char *name = json_string_value(json_object_get(j, "name"));
    const json_t *offsets = json_object_get(j, "offsets");
    size_t n = json_array_size(offsets);
    if (!name || !*name || strlen(name) >= ZONE_NAME_SIZE || json_object_size(j) != 2 ||
        !n || n > ZONE_SPANS_MAX) {
        err_set(e, ERR_INVALID,
                "a zone must have a name and 1 to %d offsets, and nothing else",
                ZONE_SPANS_MAX);
        return NULL;
    }
    struct zone *z = xcalloc(1, sizeof *z);
    strcpy(z->name, name); /* its length was checked */
    for (size_t i = 0; i < n; i++)
        if (!read_span(z, json_array_get(offsets, i))) {
            err_set(e, ERR_INVALID,
                    "offset %zu of the zone must be a time in seconds after the one "
                    "before, and up to %d s of another difference from UTC",
                    i, ZONE_OFFSET_MAX);
            free(z);
            return NULL;
        }
    return z;
}
