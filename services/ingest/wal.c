/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "services/ingest/wal.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "common/log.h"
#include "common/mem.h"
#include "services/ingest/wal_internal.h"

#define APPEND_KEEP (512u * 1024) /* a buffer that grew beyond this is given back */

void wal_segment_path(const struct wal *w, int64_t start, char out[PATH_MAX])
{
    snprintf(out, PATH_MAX, "%s/%020" PRId64 ".log", w->dir, start);
}

int wal_segment_new(struct wal *w, int64_t start, struct err *e)
{
    char path[PATH_MAX];
    wal_segment_path(w, start, path);
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0640);
    if (fd < 0)
        return err_set(e, ERR_UNAVAILABLE, "could not make the log segment %s: %s", path,
                       strerror(errno));
    if (w->power)
        fsync(w->dir_fd);
    pthread_mutex_lock(&w->lock);
    if (w->n_segments)
        w->segments[w->n_segments - 1].end = start;
    w->segments = xrealloc(w->segments, (w->n_segments + 1) * sizeof *w->segments);
    w->segments[w->n_segments++] = (struct wal_segment){start, start, WAL_NO_TIME};
    if (w->fd >= 0)
        close(w->fd);
    w->fd = fd;
    w->newest = start;
    pthread_mutex_unlock(&w->lock);
    return 0;
}

static int write_all(const struct wal *w, size_t n, int64_t at, struct err *e)
{
    for (size_t done = 0; done < n;) {
        ssize_t k = pwrite(w->fd, w->buf + done, n - done, at + (off_t)done);
        if (k < 0 && errno == EINTR)
            continue;
        if (k <= 0)
            return err_set(e, ERR_UNAVAILABLE, "could not write to the log in %s: %s",
                           w->dir, k < 0 ? strerror(errno) : "nothing was taken");
        done += (size_t)k;
    }
    return 0;
}

/* What a refused append left behind the end must not be found there after a restart. If
 * it cannot be cut now, the next append writes over it. */
static void take_back(const struct wal *w, int64_t size)
{
    if (ftruncate(w->fd, size))
        log_debug("could not cut the newest segment of the log in %s: %s", w->dir,
                  strerror(errno));
}

/* After a failed fdatasync(2) the kernel may have dropped the pages and would call the
 * next one a success: so the segment ends before this append and a new one begins. */
static int make_durable(struct wal *w, int64_t end, struct err *e)
{
    if (!w->power || fdatasync(w->fd) == 0)
        return 0;
    int why = errno;
    if (ftruncate(w->fd, end - w->newest) == 0 && end > w->newest)
        wal_segment_new(w, end, NULL);
    return err_set(e, ERR_UNAVAILABLE, "could not sync the log in %s: %s", w->dir,
                   strerror(why));
}

/* Behind what is staged already; memory that one large record took is given back. */
void wal_stage(struct wal *w, const struct wal_record *r)
{
    size_t need = w->staged + wal_record_size(r);
    if (need > w->cap || (w->cap > APPEND_KEEP && need <= APPEND_KEEP)) {
        size_t cap = need < 4096 ? 4096 : need;
        if (need > w->cap && cap < w->cap * 2 && w->cap * 2 <= APPEND_KEEP)
            cap = w->cap * 2;
        w->buf = xrealloc(w->buf, cap);
        w->cap = cap;
    }
    wal_record_write(r, w->buf + w->staged);
    w->staged = need;
    w->staged_ms = wal_sane_ms(r->receive_ms);
}

/* Somebody may have deleted the folder: what is appended then would be gone with the
 * process. Looked at once a second. */
static int still_there(struct wal *w, struct err *e)
{
    struct timespec t;
    struct stat st;
    clock_gettime(CLOCK_MONOTONIC_COARSE, &t);
    if (t.tv_sec == w->looked_s && !w->gone)
        return 0;
    w->looked_s = t.tv_sec;
    w->gone = fstat(w->fd, &st) == 0 && st.st_nlink == 0;
    if (!w->gone)
        return 0;
    return err_set(e, ERR_UNAVAILABLE,
                   "the log in %s was deleted: restart ingest to begin another", w->dir);
}

/* A new segment, when the newest one is full or old. The old one will do when the disk
 * does not want another yet. */
static int rotate(struct wal *w, int64_t end, int64_t now_ms, struct err *e)
{
    int64_t used = end - w->newest;
    if (used >= w->segment_bytes)
        return wal_segment_new(w, end, e);
    if (used && w->segment_ms && now_ms - w->newest_ms >= w->segment_ms)
        wal_segment_new(w, end, NULL);
    return 0;
}

/* now_ms is the newest record's time. */
static void note_time(struct wal *w, int64_t end, int64_t now_ms)
{
    atomic_store(&w->last_ms, now_ms);
    if (end > w->newest) {
        if (now_ms < w->newest_ms)
            w->newest_ms = now_ms; /* the clock was set back */
        return;
    }
    w->newest_ms = now_ms;
    pthread_mutex_lock(&w->lock);
    w->segments[w->n_segments - 1].first_ms = now_ms;
    pthread_mutex_unlock(&w->lock);
}

size_t wal_staged(const struct wal *w)
{
    return w->staged;
}

int wal_flush(struct wal *w, struct err *e)
{
    if (!w->staged)
        return 0;
    if (still_there(w, e))
        return -1;
    int64_t end = atomic_load(&w->end), size = (int64_t)w->staged;
    if (wal_room(w, size, w->staged_ms, e) || rotate(w, end, w->staged_ms, e))
        return -1;
    if (write_all(w, w->staged, end - w->newest, e)) {
        take_back(w, end - w->newest);
        return -1;
    }
    if (make_durable(w, end, e))
        return -1;
    note_time(w, end, w->staged_ms);
    end += size;
    atomic_store(&w->end, end);
    w->staged = 0;
    if (end >
        atomic_load(&w->wake_at)) /* a wake-up per message would cost more than it */
        wal_tell(w, end);
    return 0;
}

int wal_append(struct wal *w, const struct wal_record *r, size_t n, struct err *e)
{
    size_t before = w->staged;
    int64_t before_ms = w->staged_ms;
    for (size_t i = 0; i < n; i++)
        wal_stage(w, &r[i]);
    if (wal_flush(w, e) == 0)
        return 0;
    w->staged = before;
    w->staged_ms = before_ms;
    return -1;
}

/* A disk may be full that still takes a byte: so room for a whole record is asked for. */
int wal_try(struct wal *w, int64_t now_ms, struct err *e)
{
    int64_t end = atomic_load(&w->end);
    now_ms = wal_sane_ms(now_ms);
    if (still_there(w, e) || wal_room(w, WAL_RECORD_MAX, now_ms, e) ||
        rotate(w, end, now_ms, e))
        return -1;
    bool ok = fallocate(w->fd, 0, end - w->newest, WAL_RECORD_MAX) == 0;
    int why = errno;
    take_back(w, end - w->newest);
    return ok || why == EOPNOTSUPP || why == EINTR
               ? 0
               : err_set(e, ERR_UNAVAILABLE, "could not write to the log in %s: %s",
                         w->dir, strerror(why));
}

int64_t wal_end(const struct wal *w)
{
    return atomic_load(&((struct wal *)w)->end);
}

int64_t wal_first(const struct wal *w)
{
    return atomic_load(&((struct wal *)w)->first);
}

int64_t wal_bytes(const struct wal *w)
{
    return wal_end(w) - wal_first(w);
}

int64_t wal_last_ms(const struct wal *w)
{
    return atomic_load(&((struct wal *)w)->last_ms);
}

bool wal_segment_find(struct wal *w, int64_t pos, struct wal_segment *s)
{
    pthread_mutex_lock(&w->lock);
    size_t i = w->n_segments - 1;
    while (i && w->segments[i].start > pos)
        i--;
    *s = w->segments[i];
    if (i + 1 == w->n_segments)
        s->end = INT64_MAX; /* it still grows */
    pthread_mutex_unlock(&w->lock);
    return pos >= s->start;
}

/* All readers have the segment; is it kept all the same? */
static bool spare(const struct wal *w, size_t i, int64_t now_ms)
{
    if (i + 1 == w->n_segments)
        return false;
    return atomic_load(&w->end) - w->segments[i].end >= w->segment_bytes ||
           w->segments[i + 1].first_ms <= now_ms - WAL_KEEP_MS;
}

static bool delete_segment(const struct wal *w, int64_t start)
{
    char path[PATH_MAX], torn[PATH_MAX + 8];
    wal_segment_path(w, start, path);
    snprintf(torn, sizeof torn, "%s.torn", path);
    unlink(torn); /* there is none, as a rule */
    if (unlink(path) == 0 || errno == ENOENT)
        return true;
    log_warn("could not delete the log segment %s: %s", path, strerror(errno));
    return false;
}

void wal_prune(struct wal *w, int64_t now_ms)
{
    int64_t least = INT64_MAX;
    for (const struct wal_reader *r = w->readers; r; r = r->next)
        least = r->committed < least ? r->committed : least;
    if (!w->ready || !w->readers)
        return;
    size_t gone = 0;
    while (spare(w, gone, now_ms) && w->segments[gone].end <= least &&
           delete_segment(w, w->segments[gone].start))
        gone++;
    w->n_segments -= gone;
    memmove(w->segments, w->segments + gone, w->n_segments * sizeof *w->segments);
    atomic_store(&w->first, w->segments[0].start);
}

void wal_tidy(struct wal *w, int64_t now_ms)
{
    int64_t last_ms = wal_last_ms(w);
    pthread_mutex_lock(&w->lock);
    wal_prune(w, now_ms > last_ms ? wal_sane_ms(now_ms) : last_ms);
    pthread_mutex_unlock(&w->lock);
}

void wal_close(struct wal *w)
{
    if (!w)
        return;
    if (w->fd >= 0)
        close(w->fd);
    if (w->lock_fd >= 0)
        close(w->lock_fd);
    if (w->dir_fd >= 0)
        close(w->dir_fd);
    pthread_mutex_destroy(&w->lock);
    free(w->scan.mark);
    free(w->segments);
    free(w->buf);
    free(w->dir);
    free(w);
}
