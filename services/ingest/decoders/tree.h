/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tree: all numbers of a JSON value of people's own making, however it is nested. Pure.
 */
#ifndef FC_INGEST_DECODERS_TREE_H
#define FC_INGEST_DECODERS_TREE_H

#include "services/ingest/decode.h"

/* Adds them to m's newest item under loose names: a member has its own key's name; that
 * of the object it is in when its key says nothing ("value", a number), both when it is a
 * letter (gyro_x); numbered when a name is taken. name: of v itself, or "". A "unit"
 * beside a "value" is understood. Texts that are numbers count; other texts and null are
 * passed over, and so are the numbers and texts in skip (ended by NULL; NULL = none).
 * Rejects the message only when it has too many values. */
enum reject decode_tree(struct message *m, const char *name, const json_t *v,
                        const json_t *const *skip, struct err *e);

#endif
