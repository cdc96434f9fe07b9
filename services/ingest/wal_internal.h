/* SPDX-License-Identifier: GPL-3.0-or-later */
/* wal_internal: what wal.c, wal_open.c and wal_read.c share. Not for others. */
#ifndef FC_INGEST_WAL_INTERNAL_H
#define FC_INGEST_WAL_INTERNAL_H

#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>

#include "services/ingest/wal.h"

struct wal_segment {
    int64_t start,
        end; /* end: of the newest one, as far as it was when it was looked at */
};

struct wal {
    char *dir; /* owned */
    int64_t max_bytes, segment_bytes;
    bool power;
    int dir_fd, lock_fd, fd; /* fd: the newest segment, for writing */
    unsigned char *buf;      /* one append is put together here; owned by who appends */
    size_t cap;
    int64_t looked_s; /* when the newest segment was last seen to be there; as buf */
    bool gone;
    int64_t newest; /* where the newest segment begins; owned by who appends */
    atomic_llong end, first;
    atomic_llong wake_at; /* who waits wants to know when the log ends behind this */
    pthread_mutex_t lock; /* segments, readers; waiting */
    pthread_cond_t grown;
    bool woken;
    struct wal_segment *segments; /* ascending, never empty once open; owned */
    size_t n_segments;
    struct wal_reader *readers; /* those with a cursor */
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
};

void wal_segment_path(const struct wal *w, int64_t start, char out[PATH_MAX]);
/* Makes and opens the segment that begins at start, and lists it. */
int wal_segment_new(struct wal *w, int64_t start, struct err *e);
/* Deletes segments that no cursor needs; with the lock held. */
void wal_prune(struct wal *w);
/* Copies the segment that holds pos. Returns false when pos is before the first one: then
 * *s is the first. */
bool wal_segment_find(struct wal *w, int64_t pos, struct wal_segment *s);

#endif
