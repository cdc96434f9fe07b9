/* SPDX-License-Identifier: GPL-3.0-or-later */
/* deadletter: messages that became no point, kept with the reason.
 *
 * One JSON object a line: {"id","time","reason","detail","device","topic","payload"} or,
 * when the payload is not text, "payload_base64"; "cut":true when it is only the
 * beginning. For a replay also "retain" and "http" (how it came), "taken" (what was
 * stored of the message) and "point" (what InfluxDB refused), as items of an account, and
 * "logged":true when it was taken and could not be understood again. id is the message's
 * position in the log: a letter is written once for each reason, however often its record
 * is looked at. Two files, the older one dropped when the newer is full.
 *
 * A letter that was replayed is marked so in a third file, deadletters.replayed, by a
 * hash of its line. Any thread. */
#ifndef FC_INGEST_DEADLETTER_H
#define FC_INGEST_DEADLETTER_H

#include <jansson.h>

#include "common/buf.h"
#include "services/ingest/message.h"
#include "services/ingest/wal_record.h"

struct deadletter;

/* dir: of the files deadletters.jsonl and deadletters.1.jsonl. max_bytes: of both
 * together. from: letters from this id on may come a second time. */
struct deadletter *deadletter_open(const char *dir, int64_t max_bytes, int64_t from,
                                   struct err *e) MUST_CHECK;
void deadletter_close(struct deadletter *d);

/* What a replay needs to know beyond the message. All borrowed, NULL or false: none. */
struct letter_extra {
    const json_t *taken, *before; /* arrays of items */
    const struct item *point;
    bool logged;
};

/* extra NULL: none. */
int deadletter_add(struct deadletter *d, int64_t id, const struct wal_record *rec,
                   enum reject why, const char *detail, const char *device,
                   const struct letter_extra *extra, struct err *e) MUST_CHECK;

/* Which letters are wanted. */
struct letter_query {
    int64_t before;     /* only what was written before that letter; -1: all */
    int limit;          /* 1..LETTERS_MAX */
    const char *reason; /* "" = any */
    const json_t *ids;  /* array of integers, NULL = any */
    bool replayed;      /* those that were; else those that were not */
};
#define LETTERS_MAX 1000

/* New array of letters, newest first. *next is the id to go on from, or -1 at the end.
 * keys, when not NULL, gets what deadletter_mark() wants of each: limit of them. */
json_t *deadletter_list(struct deadletter *d, const struct letter_query *q,
                        uint64_t *keys, int64_t *next, struct err *e) MUST_CHECK;

/* Remembers on disk that a letter was replayed. */
int deadletter_mark(struct deadletter *d, uint64_t key, struct err *e) MUST_CHECK;

/* One replay at a time: between these two. */
void deadletter_hold(struct deadletter *d);
void deadletter_release(struct deadletter *d);

#endif
