/* SPDX-License-Identifier: GPL-3.0-or-later */
/* json_path: where in a JSON value something stands, as people write it.
 *
 *   $               the value itself
 *   $.meta.id       members of objects: letters, digits, _ and -
 *   $["a b"].c      any name in quotes, "…" or '…', with \ before a quote or a \
 *   $.list[0].t     elements of arrays, from 0
 *
 * Nothing else of JSONPath. At most JSON_PATH_STEPS steps. Pure. */
#ifndef FC_INGEST_JSON_PATH_H
#define FC_INGEST_JSON_PATH_H

#include <jansson.h>

#include "common/err.h"

#define JSON_PATH_STEPS 16
#define JSON_PATH_MAX 256 /* bytes of its text */

struct json_path;

/* NULL with what is wrong in it and where. Free with json_path_free(). */
struct json_path *json_path_parse(const char *text, struct err *e) MUST_CHECK;
void json_path_free(struct json_path *p);

/* Borrowed; NULL when there is nothing. */
const json_t *json_path_get(const struct json_path *p, const json_t *root);
const char *json_path_text(const struct json_path *p);
/* The name that ends it ("t" of $.list[0].t, "list" of $.list[0]), or "". */
const char *json_path_last_name(const struct json_path *p);

#endif
