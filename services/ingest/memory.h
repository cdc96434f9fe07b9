/* SPDX-License-Identifier: GPL-3.0-or-later */
/* memory: what messages said that later ones take for granted, by topic: the newest
 * payload of births and descriptions (a Sparkplug birth gives metrics their numbers, a
 * Homie device its properties their units).
 *
 * It lies in FC_DATA_DIR/memory as well, so that a restart forgets nothing: records as in
 * the log (wal_record.h), appended before memory_change() returns 0, and written anew
 * when the file has doubled. Bounded: MEMORY_TOPICS, MEMORY_BYTES; what is beyond is
 * refused, nothing is pushed out. One lock inside, any thread. */
#ifndef FC_INGEST_MEMORY_H
#define FC_INGEST_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"

#define MEMORY_TOPICS 20000u
#define MEMORY_BYTES (16u << 20)        /* of all payloads and topics */
#define MEMORY_PAYLOAD_MAX (256u << 10) /* of one */

struct memory;

/* Reads dir/memory, which is made when it is missing. What a crash left unfinished at its
 * end is dropped; if more of it is damaged, the rest is taken, the file is kept as
 * memory.bad and that is said. power: a change survives a power cut. */
struct memory *memory_open(const char *dir, bool power, struct err *e) MUST_CHECK;
void memory_close(struct memory *m); /* NULL is fine */

struct memory_change {
    const char *topic;
    bool put, forget; /* keep the payload under the topic; forget what it has */
    const void *payload;
    size_t len;
    const char *forget_under; /* forget all topics that begin so, of which topic is none;
                                 NULL: no others */
};
/* First forgets, then keeps; all of it or nothing, unless limits stand against keeping:
 * then the topic's older payload, which is no longer true, is forgotten. What is there
 * already is not written again. -1: ERR_TOO_LARGE: a limit; ERR_UNAVAILABLE: the disk
 * does not take it, try again. */
int memory_change(struct memory *m, const struct memory_change *c,
                  struct err *e) MUST_CHECK;

size_t memory_topics(const struct memory *m);
size_t memory_bytes(const struct memory *m);

/* What a reader makes of a payload, once: a table, say. made is the maker's own memory,
 * of a size that the payload bounds; NULL: nothing can be made of it. */
struct memo_kind {
    void *(*make)(const void *payload, size_t len);
    void (*free)(void *made);
};

/* Something kept, in use: it stays as it is until memo_release(), also when a newer one
 * takes its place. */
struct memo;
/* NULL when the topic has none. All calls for a topic give the same kind. m may be NULL:
 * nothing is kept. */
struct memo *memory_find(const struct memory *m, const char *topic,
                         const struct memo_kind *kind);
const void *memo_made(const struct memo *memo);
void memo_release(struct memo *memo); /* NULL is fine */

/* Calls see(arg, topic) for each topic that begins so, in the order of their bytes, until
 * it returns false. see() must not call back. */
void memory_each(const struct memory *m, const char *prefix,
                 bool (*see)(void *arg, const char *topic), void *arg);

#endif
