/* SPDX-License-Identifier: GPL-3.0-or-later */
/* deadletter: messages that became no point, kept with the reason.
 *
 * One JSON object a line: {"id","time","reason","detail","device","topic","payload"} or,
 * when the payload is not text, "payload_base64"; "cut":true when it is only the
 * beginning. id is the message's position in the log: a letter is written once for each
 * reason, however often its record is looked at. Two files, the older one dropped when
 * the newer is full. Any thread. */
#ifndef FC_INGEST_DEADLETTER_H
#define FC_INGEST_DEADLETTER_H

#include <jansson.h>

#include "services/ingest/message.h"
#include "services/ingest/wal_record.h"

struct deadletter;

/* dir: of the files deadletters.jsonl and deadletters.1.jsonl. max_bytes: of both
 * together. from: letters from this id on may come a second time. */
struct deadletter *deadletter_open(const char *dir, int64_t max_bytes, int64_t from,
                                   struct err *e) MUST_CHECK;
void deadletter_close(struct deadletter *d);

int deadletter_add(struct deadletter *d, int64_t id, const struct wal_record *rec,
                   enum reject why, const char *detail, const char *device,
                   struct err *e) MUST_CHECK;

/* New array of at most limit letters, newest first; before: only what was written before
 * that letter (-1: all); reason "" = any. *next is the id to go on from, or -1 at the
 * end. */
json_t *deadletter_list(struct deadletter *d, int64_t before, int limit,
                        const char *reason, int64_t *next, struct err *e) MUST_CHECK;

#endif
