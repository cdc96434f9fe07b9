/* SPDX-License-Identifier: GPL-3.0-or-later */
/* rebirth: which Sparkplug edge nodes have to be asked to announce themselves anew.
 *
 * An edge node numbers its messages from 0 to 255 and again. A number that is left out, a
 * metric that no birth has announced, and the first message after a start (a birth may
 * have been missed) make it due; its birth settles that. Each is asked at most once in
 * REBIRTH_PAUSE_MS, one that goes on being due after half as often each time, down to
 * once in REBIRTH_PAUSE_MOST_MS; and few at once, so that a start does not bring all
 * births together. At most REBIRTH_NODES are followed; others are never asked, which is
 * said. Any thread may call. */
#ifndef FC_INGEST_REBIRTH_H
#define FC_INGEST_REBIRTH_H

#include "common/metrics.h"
#include "services/ingest/message.h"

#define REBIRTH_PAUSE_MS 5000
#define REBIRTH_PAUSE_MOST_MS (64 * REBIRTH_PAUSE_MS)
#define REBIRTH_AT_ONCE 100
#define REBIRTH_NODES 20000

struct rebirth;

struct rebirth *rebirth_new(struct metrics *m);
void rebirth_free(struct rebirth *r); /* NULL is fine */

/* A message was taken. again: it may have come before, and its number says nothing. */
void rebirth_note(struct rebirth *r, const struct edge_note *n, bool again);

/* Calls ask(arg, edge) for those that are due, at most REBIRTH_AT_ONCE, "group/edge";
 * those for which it fails stay due. now_ms is monotonic. */
void rebirth_ask(struct rebirth *r, int64_t now_ms,
                 int (*ask)(void *arg, const char *edge), void *arg);

#endif
