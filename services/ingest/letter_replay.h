/* SPDX-License-Identifier: GPL-3.0-or-later */
/* letter_replay: dead letters once more, after what refused them was mended. */
#ifndef FC_INGEST_LETTER_REPLAY_H
#define FC_INGEST_LETTER_REPLAY_H

#include "services/ingest/deadletter.h"
#include "services/ingest/intake.h"

/* body: {"ids":[…]} or {"reason":"…"} or {"all":true}, with "limit" (1 to LETTERS_MAX,
 * the default) and "before" (next of an earlier answer). Letters are taken newest first
 * and replayed oldest first; one that was replayed is not again. New reference:
 * {"replayed","stored","duplicate","still_refused":[{"id","reason","detail"}],"next"}.
 * NULL when the log takes no more: what was done until then is done, and the text says
 * how much. */
json_t *letter_replay(struct deadletter *d, struct intake *in, const json_t *body,
                      struct err *e) MUST_CHECK;

#endif
