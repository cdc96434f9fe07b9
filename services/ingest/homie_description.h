/* SPDX-License-Identifier: GPL-3.0-or-later */
/* homie_description: what a Homie 5 device says of itself ($description): its properties
 * with types and units, and the devices that hang on it. Pure; any thread. */
#ifndef FC_INGEST_HOMIE_DESCRIPTION_H
#define FC_INGEST_HOMIE_DESCRIPTION_H

#include <jansson.h>
#include <stdbool.h>

#include "services/ingest/memory.h"

struct homie_description;

/* One property; its texts are the description's. */
struct homie_property {
    const char *datatype, *unit; /* "": none */
    bool alone;                  /* no other node has a property of this name */
};

/* NULL when it is no description: a JSON object whose nodes are objects. */
struct homie_description *homie_description_new(const json_t *root);
void homie_description_free(struct homie_description *d); /* NULL is fine */

bool homie_description_find(const struct homie_description *d, const char *node,
                            const char *property, struct homie_property *out);
/* The ith device that hangs on it, or NULL. */
const char *homie_description_child(const struct homie_description *d, size_t i);

/* Descriptions in the memory are kept as these. */
extern const struct memo_kind homie_description_kind;

#endif
