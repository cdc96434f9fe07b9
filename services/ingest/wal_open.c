/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Opening the log: find the segments, look through the last one, cut what a crash left.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/log.h"
#include "common/mem.h"
#include "services/ingest/wal_internal.h"

static int make_dirs(const char *dir, struct err *e)
{
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s", dir);
    for (char *p = path + 1;; p++) {
        if (*p && *p != '/')
            continue;
        char was = *p;
        *p = '\0';
        if (mkdir(path, 0750) && errno != EEXIST)
            return err_set(e, ERR_UNAVAILABLE, "could not make the folder %s: %s", path,
                           strerror(errno));
        *p = was;
        if (!was)
            return 0;
    }
}

static int lock_dir(struct wal *w, struct err *e)
{
    if (make_dirs(w->dir, e))
        return -1;
    w->dir_fd = open(w->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (w->dir_fd >= 0)
        w->lock_fd = openat(w->dir_fd, "lock", O_RDWR | O_CREAT | O_CLOEXEC, 0640);
    if (w->lock_fd < 0)
        return err_set(e, ERR_UNAVAILABLE, "could not open the log's folder %s: %s",
                       w->dir, strerror(errno));
    if (flock(w->lock_fd, LOCK_EX | LOCK_NB))
        return err_set(e, ERR_CONFLICT, "the log in %s is in use by another process",
                       w->dir);
    return 0;
}

static int ascending(const void *a, const void *b)
{
    int64_t x = ((const struct wal_segment *)a)->start;
    int64_t y = ((const struct wal_segment *)b)->start;
    return (x > y) - (x < y);
}

static int list_segments(struct wal *w, struct err *e)
{
    DIR *d = opendir(w->dir);
    if (!d)
        return err_set(e, ERR_UNAVAILABLE, "could not read the folder %s: %s", w->dir,
                       strerror(errno));
    for (struct dirent *f; (f = readdir(d));) {
        int64_t start;
        int used = 0;
        if (strlen(f->d_name) != 24 ||
            sscanf(f->d_name, "%20" SCNd64 ".log%n", &start, &used) != 1 || used != 24)
            continue;
        w->segments = xrealloc(w->segments, (w->n_segments + 1) * sizeof *w->segments);
        w->segments[w->n_segments++] = (struct wal_segment){start, start};
    }
    closedir(d);
    if (w->n_segments)
        qsort(w->segments, w->n_segments, sizeof *w->segments, ascending);
    for (size_t i = 0; i + 1 < w->n_segments; i++)
        w->segments[i].end = w->segments[i + 1].start;
    return 0;
}

/* The end of the last sound record among n bytes; *bad counts bytes before it that belong
 * to none. Behind a damaged place the search goes on byte by byte. */
static size_t sound_end(const unsigned char *p, size_t n, size_t *bad)
{
    size_t end = 0, skipped = 0;
    struct wal_record r;
    *bad = 0;
    for (size_t at = 0, need; at < n;) {
        long size = wal_record_parse(p + at, n - at, &r, &need);
        if (size > 0) {
            at += (size_t)size;
            end = at;
            *bad += skipped;
            skipped = 0;
        } else {
            at++;
            skipped++;
        }
    }
    return end;
}

/* Opens the newest segment for appending, without a half-written record at its end. */
static int recover(struct wal *w, struct err *e)
{
    struct wal_segment *last = &w->segments[w->n_segments - 1];
    char path[PATH_MAX];
    struct stat st;
    wal_segment_path(w, last->start, path);
    w->fd = open(path, O_RDWR | O_CLOEXEC);
    if (w->fd < 0 || fstat(w->fd, &st))
        return err_set(e, ERR_UNAVAILABLE, "could not open the log segment %s: %s", path,
                       strerror(errno));
    size_t n = (size_t)st.st_size, end = 0, bad = 0;
    if (n) {
        unsigned char *p = mmap(NULL, n, PROT_READ, MAP_PRIVATE, w->fd, 0);
        if (p == MAP_FAILED)
            return err_set(e, ERR_UNAVAILABLE, "could not read the log segment %s: %s",
                           path, strerror(errno));
        end = sound_end(p, n, &bad);
        munmap(p, n);
    }
    if (bad)
        log_error("the log segment %s has %zu damaged bytes; readers step over them",
                  path, bad);
    if (end < n) {
        log_warn("cut %zu bytes of an unfinished record from the log segment %s", n - end,
                 path);
        if (ftruncate(w->fd, (off_t)end))
            return err_set(e, ERR_UNAVAILABLE, "could not cut the log segment %s: %s",
                           path, strerror(errno));
    }
    w->newest = last->start;
    last->end = last->start + (int64_t)end;
    atomic_store(&w->end, last->end);
    return 0;
}

struct wal *wal_open(const struct wal_opts *o, struct err *e)
{
    struct wal *w = xcalloc(1, sizeof *w);
    w->dir = xstrdup(o->dir);
    w->max_bytes = o->max_bytes;
    w->segment_bytes = o->segment_bytes;
    w->power = o->power;
    w->dir_fd = w->lock_fd = w->fd = -1;
    pthread_condattr_t attr;
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_mutex_init(&w->lock, NULL);
    pthread_cond_init(&w->grown, &attr);
    pthread_condattr_destroy(&attr);
    if (lock_dir(w, e) || list_segments(w, e) ||
        (w->n_segments ? recover(w, e) : wal_segment_new(w, 0, e))) {
        wal_close(w);
        return NULL;
    }
    atomic_store(&w->first, w->segments[0].start);
    atomic_store(&w->wake_at, INT64_MAX);
    return w;
}
