/* SPDX-License-Identifier: GPL-3.0-or-later */
/* deadletter: messages that became no point, kept with the reason.
 *
 * A letter is a line (letter_line.h) in one of two files (letter_file.h). It is written
 * once for each reason, however often its record is looked at. A letter that was replayed
 * is marked so in a third file, deadletters.replayed, by a hash of its line
 * (letter_marks.h). Any thread. */
#ifndef FC_INGEST_DEADLETTER_H
#define FC_INGEST_DEADLETTER_H

#include <jansson.h>

#include "services/ingest/letter_line.h"

struct deadletter;

/* dir: of all three files. max_bytes: of the letters. from: letters from this id on may
 * come a second time. */
struct deadletter *deadletter_open(const char *dir, int64_t max_bytes, int64_t from,
                                   struct err *e) MUST_CHECK;
void deadletter_close(struct deadletter *d);

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
