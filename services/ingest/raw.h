/* SPDX-License-Identifier: GPL-3.0-or-later */
/* raw: a message's bytes as a member of a JSON object, as dead letters and accounts keep
 * them: "payload" when they are text, else "payload_base64". Pure; any thread. */
#ifndef FC_INGEST_RAW_H
#define FC_INGEST_RAW_H

#include <jansson.h>
#include <stddef.h>

#include "common/buf.h"

/* UTF-8 without control characters other than tab and line ends. */
bool raw_is_text(const void *p, size_t n);

/* Appends `"payload":"…"` or `"payload_base64":"…"`: at most 4/3 of n and 24 KiB. */
void raw_add(struct buf *b, const void *p, size_t n);

/* The bytes back: new memory, *n bytes, NUL-terminated, or NULL when the object has
 * none. */
char *raw_get(const json_t *o, size_t *n);

#endif
