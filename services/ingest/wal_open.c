/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Opening the log: its folder, and what lies in it. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
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
        return err_set(e, ERR_UNAVAILABLE,
                       "could not open the log's folder %s for writing: %s", w->dir,
                       strerror(errno));
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

/* The position in the name of a segment: 20 digits and ".log". */
static bool segment_name(const char *name, int64_t *start)
{
    if (strspn(name, "0123456789") != 20 || strcmp(name + 20, ".log") != 0)
        return false;
    errno = 0;
    *start = strtoll(name, NULL, 10);
    if (!errno && *start < INT64_MAX / 2)
        return true;
    log_warn("%s in the log's folder is too large a position: left alone", name);
    return false;
}

static int list_segments(struct wal *w, struct err *e)
{
    DIR *d = opendir(w->dir);
    if (!d)
        return err_set(e, ERR_UNAVAILABLE, "could not read the folder %s: %s", w->dir,
                       strerror(errno));
    for (struct dirent *f; (f = readdir(d));) {
        int64_t start;
        if (!segment_name(f->d_name, &start))
            continue;
        w->segments = xrealloc(w->segments, (w->n_segments + 1) * sizeof *w->segments);
        w->segments[w->n_segments++] = (struct wal_segment){start, start, WAL_NO_TIME};
    }
    closedir(d);
    if (w->n_segments)
        qsort(w->segments, w->n_segments, sizeof *w->segments, ascending);
    for (size_t i = 0; i + 1 < w->n_segments; i++)
        w->segments[i].end = w->segments[i + 1].start;
    return 0;
}

/* ---- whose cursors there are
 * ---------------------------------------------------------------- */

/* Is the file the cursor of a reader that is not open? name: the reader's. */
static bool is_stray(struct wal *w, const char *file, char name[32])
{
    size_t n = strlen(file);
    if (n < 8 || n - 7 > 31 || strcmp(file + n - 7, ".cursor") != 0)
        return false;
    snprintf(name, 32, "%.*s", (int)(n - 7), file);
    for (const struct wal_reader *r = w->readers; r; r = r->next)
        if (!strcmp(r->name, name))
            return false;
    return true;
}

void wal_ready(struct wal *w)
{
    char name[32];
    pthread_mutex_lock(&w->lock);
    DIR *d = opendir(w->dir);
    for (struct dirent *f; d && (f = readdir(d));)
        if (is_stray(w, f->d_name, name))
            log_warn(
                "the log has a cursor of the sink %s, which is switched off: it holds "
                "nothing back, and what the sink has not got is deleted when the "
                "others have it; switch it on again, or delete %s/%s",
                name, w->dir, f->d_name);
    if (d)
        closedir(d);
    w->ready = true;
    wal_prune(w, wal_last_ms(w));
    pthread_mutex_unlock(&w->lock);
}

struct wal *wal_open(const struct wal_opts *o, struct err *e)
{
    struct wal *w = xcalloc(1, sizeof *w);
    w->dir = xstrdup(o->dir);
    w->max_bytes = o->max_bytes;
    w->segment_bytes = o->segment_bytes;
    w->segment_ms = o->segment_ms;
    w->max_age_ms = o->max_age_ms;
    w->grace_ms = o->grace_ms;
    w->time_pos = -1;
    w->power = o->power;
    w->dir_fd = w->lock_fd = w->fd = -1;
    pthread_mutex_init(&w->lock, NULL);
    if (lock_dir(w, e) || list_segments(w, e) ||
        (w->n_segments ? wal_recover(w, e) : wal_segment_new(w, 0, e))) {
        wal_close(w);
        return NULL;
    }
    atomic_store(&w->first, w->segments[0].start);
    atomic_store(&w->wake_at, INT64_MAX);
    return w;
}
