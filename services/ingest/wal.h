/* SPDX-License-Identifier: GPL-3.0-or-later */
/* wal: the write-ahead log. A message is taken once it is in here.
 *
 * Records (wal_record.h) lie one after the other in segment files, each named by the
 * position of its first byte. A position counts bytes since the log's first record ever;
 * it only grows. One write(2) for all that is appended together; with power, fdatasync(2)
 * before that returns. Each sink reads with a reader of its own, whose cursor is one
 * small file.
 *
 *   <dir>/00000000000000000000.log   <dir>/00000000000067108864.log   <dir>/influx.cursor
 *
 * A segment is closed when it is large enough or its first record old enough. It is
 * deleted when all readers have committed past it and either the segments behind it are
 * together as large as one or all in it is older than WAL_KEEP_MS: the window of
 * duplicates is made from what is kept, so the newest segment always is. Ages go by the
 * receive times of records, so that a virtual clock works as the real one does.
 *
 * Opening looks through the last segment. What a crash left half written at its end is
 * cut off and kept beside it (<segment>.log.torn); a tail that is too large to be that
 * stays, and a new segment begins behind it. A segment in which no record of this format
 * is found, and that does not begin as one, is renamed (<segment>.log.aside) and its
 * positions are skipped. Damage anywhere else is never cut: readers step over it and say
 * how much. Appending is for one thread at a time (the caller's lock); the rest any
 * thread. */
#ifndef FC_INGEST_WAL_H
#define FC_INGEST_WAL_H

#include <stdbool.h>

#include "common/err.h"
#include "services/ingest/wal_record.h"

struct wal;
struct wal_reader;

#define WAL_KEEP_MS INT64_C(86400000)

struct wal_opts {
    const char *dir;       /* made if missing; copied */
    int64_t max_bytes;     /* of all segments; at least 1 MB */
    int64_t segment_bytes; /* a new segment begins when this is reached */
    bool power;
    int64_t segment_ms; /* ... or when its first record is so old; 0: by size alone */
    int64_t max_age_ms; /* how old the oldest record may be that a reader with a cursor
                           has not got; 0: any */
    int64_t grace_ms;   /* real time that a reader has to get over a clock that jumped,
                           before something is too old */
};

/* Locks the folder: two logs in one are refused. */
struct wal *wal_open(const struct wal_opts *o, struct err *e) MUST_CHECK;
void wal_close(struct wal *w);

/* To be called once all readers with cursors are open: nothing is deleted before. Says
 * which cursors in the folder are nobody's; those hold nothing back. */
void wal_ready(struct wal *w);

/* Group commit: records are put together in memory, then all appended with one write (and
 * one wait for the disk): all or none. Readers see nothing of what is staged.
 *
 * wal_flush() fails with ERR_BUSY: the log is full until readers commit, by size or by
 * age; the text says which reader holds it up. ERR_UNAVAILABLE: the disk does not take
 * it. The log is as before then, and what is staged stays so, for the next try. */
void wal_stage(struct wal *w, const struct wal_record *r);
int wal_flush(struct wal *w, struct err *e) MUST_CHECK;
size_t wal_staged(const struct wal *w); /* bytes */

/* Stages n records and flushes, with what was staged before. After a failure, as that of
 * wal_flush(), these are not staged. */
int wal_append(struct wal *w, const struct wal_record *r, size_t n,
               struct err *e) MUST_CHECK;

/* Would a record be taken now, of any size? Fails as wal_append() does, which belongs to
 * the same thread. now_ms: the time that it would come. */
int wal_try(struct wal *w, int64_t now_ms, struct err *e) MUST_CHECK;

int64_t wal_first(const struct wal *w);   /* position of the oldest record there is */
int64_t wal_end(const struct wal *w);     /* position after the newest record */
int64_t wal_bytes(const struct wal *w);   /* on disk */
int64_t wal_last_ms(const struct wal *w); /* the newest record's receive time, or 0 */
/* Where the newest n records begin that there were when the log was opened, or a few
 * more; fewer when they do not begin within `bytes` of the end, counted to a segment's
 * start. Before the first append. */
int64_t wal_newest(struct wal *w, size_t n, int64_t bytes);
/* name "" makes a reader without a cursor: it begins at from and holds no segment back.
 * Otherwise <dir>/<name>.cursor says where to begin; without one, the oldest record.
 * Close all readers before the log. A reader belongs to one thread. */
struct wal_reader *wal_reader_open(struct wal *w, const char *name, int64_t from,
                                   struct err *e) MUST_CHECK;
void wal_reader_close(struct wal_reader *r);

/* The next record: 1, with its position; its memory is borrowed until the next call. 0:
 * there is none yet. -1: the disk could not be read; try again later. */
int wal_read(struct wal_reader *r, struct wal_record *rec, int64_t *pos, struct err *e);
int64_t wal_reader_pos(const struct wal_reader *r);  /* where the next record begins */
int64_t wal_reader_lost(const struct wal_reader *r); /* bytes stepped over as damaged */
void wal_reader_seek(struct wal_reader *r, int64_t pos);
/* Gives up the oldest records, so that at most `bytes` of the log are left to read.
 * Returns how many bytes it went past, or 0. A disk that cannot be read ends it early. */
int64_t wal_reader_give_up(struct wal_reader *r, int64_t bytes);

/* Waits up to ms (real) until wal_end() > pos, or wal_wake(r), also one that was before.
 * Appends that do not end behind pos cost nothing. Many readers may wait, each in its
 * thread. */
void wal_wait(struct wal_reader *r, int64_t pos, int64_t ms);
/* Waits up to ms until there is something to read, then up to more_ms until it is that
 * many bytes: so that many messages that come fast cost one wake-up. */
void wal_wait_for_some(struct wal_reader *r, int64_t ms, int64_t bytes, int64_t more_ms);
void wal_wake(struct wal_reader *r); /* any thread */

/* Remembers on disk that everything before pos is done, and deletes what nobody needs. */
int wal_commit(struct wal_reader *r, int64_t pos, struct err *e) MUST_CHECK;
/* Deletes what has become too old, though nobody commits because nothing comes. To be
 * called now and then; cheap. */
void wal_tidy(struct wal *w, int64_t now_ms);
int64_t wal_committed(const struct wal_reader *r);

#endif
