/* SPDX-License-Identifier: GPL-3.0-or-later */
/* wal_internal: what the files wal*.c share. Not for others. */
#ifndef FC_INGEST_WAL_INTERNAL_H
#define FC_INGEST_WAL_INTERNAL_H

#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>

#include "services/ingest/wal.h"

#define WAL_NO_TIME INT64_MAX

struct wal_segment {
    int64_t start,
        end;          /* end: of the newest one, as far as it was when it was looked at */
    int64_t first_ms; /* its first record's receive time, or WAL_NO_TIME */
};

/* What was found in a segment, looked through from its beginning. */
struct wal_scan {
    int64_t start;   /* of the segment; the rest counts from there */
    int64_t end;     /* behind the last sound record */
    int64_t bad;     /* bytes before that which belong to none */
    size_t n;        /* sound records */
    int64_t last_ms; /* the last one's receive time */
    int64_t *mark;   /* where every WAL_MARK_EVERY-th one begins; owned */
    size_t n_marks;
};
#define WAL_MARK_EVERY 64

struct wal {
    char *dir; /* owned */
    int64_t max_bytes, segment_bytes, segment_ms, max_age_ms, grace_ms;
    bool power;
    int dir_fd, lock_fd, fd; /* fd: the newest segment, for writing */
    unsigned char *buf; /* what is staged; owned by who appends, like the next three */
    size_t cap, staged;
    int64_t staged_ms; /* the last of it came then */
    int64_t looked_s;  /* when the newest segment was last seen to be there; as buf */
    bool gone;
    int64_t newest;      /* where the newest segment begins; owned by who appends */
    int64_t newest_ms;   /* its first record's receive time; as newest */
    int64_t due_ms;      /* no reader is too far behind before that; as newest, and: */
    int64_t old_mono_ms; /* when one was first found to be, real; 0: none is */
    int64_t time_pos,
        time_ms;          /* when the record at a position came: the last asked for */
    struct wal_scan scan; /* of the newest segment, as it was found */
    atomic_llong end, first, last_ms;
    atomic_llong wake_at; /* who waits wants to know when the log ends behind this */
    pthread_mutex_t lock; /* segments, readers; waiting */
    bool ready;
    struct wal_segment *segments; /* ascending, never empty once open; owned */
    size_t n_segments;
    struct wal_reader *readers; /* those with a cursor */
    struct wal_reader *waiting; /* in wal_wait() */
};

struct wal_reader {
    struct wal *w;
    struct wal_reader *next;
    char name[32];
    int64_t pos, committed, lost;
    int fd; /* the segment that pos is in, or -1 */
    struct wal_segment segment;
    unsigned char *buf; /* bytes of the segment from buf_pos; owned */
    size_t len;
    int64_t buf_pos;
    char topic[WAL_TOPIC_MAX + 1];
    struct wal_reader *next_waiting;
    int64_t wait_for; /* the end that it waits for; INT64_MAX: it was told */
    bool woken;
    pthread_cond_t grown;
};

void wal_segment_path(const struct wal *w, int64_t start, char out[PATH_MAX]);
/* Makes and opens the segment that begins at start, and lists it. */
int wal_segment_new(struct wal *w, int64_t start, struct err *e);
/* Deletes segments that nobody needs; with the lock held. */
void wal_prune(struct wal *w, int64_t now_ms);
/* Tells those who wait for it that the log ends there. */
void wal_tell(struct wal *w, int64_t end);
/* Copies the segment that holds pos. Returns false when pos is before the first one: then
 * *s is the first. */
bool wal_segment_find(struct wal *w, int64_t pos, struct wal_segment *s);

/* Is there room for size more bytes that come at now_ms? As wal_append(). */
int wal_room(struct wal *w, int64_t size, int64_t now_ms, struct err *e);

/* Looks through the file. Free s->mark, also after a failure. */
int wal_scan(int fd, struct wal_scan *s, struct err *e);
/* When the file's first record came; WAL_NO_TIME: there is none at its beginning. */
int64_t wal_first_ms(int fd);
/* Fits the segments that were found: sets aside what is not ours, opens the newest one
 * for appending, without a half-written record at its end. */
int wal_recover(struct wal *w, struct err *e);

/* A time that can be calculated with. */
static inline int64_t wal_sane_ms(int64_t t_ms)
{
    return t_ms < 0 ? 0 : t_ms > INT64_MAX / 4 ? INT64_MAX / 4 : t_ms;
}

#endif
