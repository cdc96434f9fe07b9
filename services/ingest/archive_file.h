/* SPDX-License-Identifier: GPL-3.0-or-later */
/* archive_file: readings as JSON lines in files that are closed by size and day.
 *
 *   <dir>/readings-0000000042-20261121.jsonl
 *
 * numbered as they were begun, with the day (UTC) of their records. Each line is a native
 * message with `id`, the position of its record in the log:
 *
 *   {"id":67108864,"device":"kitchen","boot":12,"seq":4711,"ts_ms":…,"received_ms":…,
 *    "values":{…}}
 *
 * A record's lines are written together or not at all: what a crash left of one is cut
 * off at the next start, which goes on behind the newest record that is whole for sure.
 * One thread. */
#ifndef FC_INGEST_ARCHIVE_FILE_H
#define FC_INGEST_ARCHIVE_FILE_H

#include <stdint.h>

#include "common/buf.h"
#include "common/err.h"

struct archive_file;

/* dir: made if missing. max_bytes: a file is closed at this size. from, to: the records
 * of the log that come again; all others are whole (those from `to` on are of another
 * log).
 */
struct archive_file *archive_open(const char *dir, int64_t max_bytes, int64_t from,
                                  int64_t to, struct err *e) MUST_CHECK;
void archive_close(struct archive_file *a);

/* Position of the newest record that is wholly in the archive, and when it was received;
 * -1 when there is none to be found. */
int64_t archive_newest(const struct archive_file *a, int64_t *receive_ms);

/* Appends a record's lines (not empty). day_ms: when it came. After a failure the files
 * are as before, and the same may be tried again. */
int archive_append(struct archive_file *a, int64_t day_ms, const struct buf *lines,
                   struct err *e) MUST_CHECK;
/* What was appended survives a power cut. */
int archive_sync(struct archive_file *a, struct err *e) MUST_CHECK;

/* Deletes files whose day is more than keep_d days before now_ms; not the one that is
 * written. Returns how many. */
int archive_expire(struct archive_file *a, int64_t now_ms, int64_t keep_d);

#endif
