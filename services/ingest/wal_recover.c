/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What is done at a start about segments that do not hold what they should: cut, or set
 * aside, and said. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/log.h"
#include "common/mem.h"
#include "services/ingest/wal_internal.h"

#define TORN_MAX (1 << 20) /* a longer tail is no half-written append */

static int open_segment(const struct wal *w, int64_t start, int flags,
                        char path[PATH_MAX], int64_t *size, struct err *e)
{
    struct stat st;
    wal_segment_path(w, start, path);
    int fd = open(path, flags | O_CLOEXEC);
    bool ok = fd >= 0 && fstat(fd, &st) == 0;
    if (ok && S_ISREG(st.st_mode)) {
        *size = st.st_size;
        return fd;
    }
    err_set(e, ERR_UNAVAILABLE, "could not open the log segment %s: %s", path,
            ok ? "it is no file" : strerror(errno));
    if (fd >= 0)
        close(fd);
    return -1;
}

/* ---- what is not ours
 * ----------------------------------------------------------------------- */

/* Does the file begin as a segment, as far as it goes? */
static bool begins_as_segment(int fd)
{
    unsigned char head[WAL_MAGIC_SIZE];
    ssize_t n = pread(fd, head, sizeof head, 0);
    return n >= 0 && wal_record_begins(head, (size_t)n);
}

static int set_aside(const char *path, int64_t size, struct err *e)
{
    char to[PATH_MAX + 16];
    snprintf(to, sizeof to, "%s.aside", path);
    for (int i = 2; access(to, F_OK) == 0 && i < 100; i++)
        snprintf(to, sizeof to, "%s.aside.%d", path, i);
    if (rename(path, to))
        return err_set(e, ERR_UNAVAILABLE, "could not rename the log segment %s: %s",
                       path, strerror(errno));
    log_error("the log segment %s (%" PRId64 " bytes) holds no record of this version: "
              "it is now %s and was not delivered; another version of ingest may be "
              "able to read it",
              path, size, to);
    return 0;
}

/* Its positions become the tail of the one before it: what readers step over. */
static void unlist(struct wal *w, size_t i)
{
    if (i)
        w->segments[i - 1].end = w->segments[i].end;
    w->n_segments--;
    memmove(w->segments + i, w->segments + i + 1,
            (w->n_segments - i) * sizeof *w->segments);
}

static bool is_foreign(const struct wal *w, int fd)
{
    struct err e = ERR_INIT;
    struct wal_scan s;
    if (begins_as_segment(fd))
        return false;
    bool ok = wal_scan(fd, &s, &e) == 0; /* if not, its readers will say so as well */
    if (!ok)
        log_error("%s, in %s", e.text, w->dir);
    free(s.mark);
    return ok && !s.n;
}

/* Notes when the first record of segment i came, which has successors. Sets the segment
 * aside if there is no record in it at all and it does not begin as if there were: then
 * *gone. */
static int look_at(struct wal *w, size_t i, bool *gone, struct err *e)
{
    char path[PATH_MAX];
    int64_t size;
    int fd = open_segment(w, w->segments[i].start, O_RDONLY, path, &size, e);
    if (fd < 0)
        return -1;
    w->segments[i].first_ms = wal_first_ms(fd);
    *gone = w->segments[i].first_ms == WAL_NO_TIME && size && is_foreign(w, fd);
    close(fd);
    return *gone ? set_aside(path, size, e) : 0;
}

/* All but the last one. */
static int look_at_closed(struct wal *w, struct err *e)
{
    for (size_t i = w->n_segments - 1; i-- > 0;) {
        struct wal_segment *s = &w->segments[i];
        bool gone;
        if (look_at(w, i, &gone, e))
            return -1;
        if (gone)
            unlist(w, i);
        else if (s->first_ms == WAL_NO_TIME)
            s->first_ms = s[1].first_ms; /* not older than it can be */
        else if (!wal_last_ms(w))
            atomic_store(&w->last_ms, s->first_ms); /* those behind it are empty */
    }
    return 0;
}

/* ---- the end of the last one
 * ---------------------------------------------------------------- */

/* Copies n bytes from `from` to the file beside the segment. */
static bool keep_torn(const struct wal *w, const char *path, int64_t from, size_t n)
{
    char to[PATH_MAX + 8];
    unsigned char *p = xmalloc(n);
    snprintf(to, sizeof to, "%s.torn", path);
    int fd = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
    bool ok = fd >= 0 && pread(w->fd, p, n, from) == (ssize_t)n &&
              write(fd, p, n) == (ssize_t)n;
    if (fd >= 0)
        close(fd);
    if (!ok && fd >= 0)
        unlink(to); /* a part of it would look like all there was */
    free(p);
    return ok;
}

/* The segment has size bytes, of which those behind the last sound record are cut. */
static int cut(const struct wal *w, const char *path, int64_t size, struct err *e)
{
    int64_t end = w->scan.end;
    bool kept = keep_torn(w, path, end, (size_t)(size - end));
    if (ftruncate(w->fd, end))
        return err_set(e, ERR_UNAVAILABLE, "could not cut the log segment %s: %s", path,
                       strerror(errno));
    log_warn("cut %" PRId64 " bytes of an unfinished record from the log segment %s%s",
             size - end, path, kept ? "; they are kept beside it, as .torn" : "");
    return 0;
}

/* The last segment is left as it is; the log goes on behind it. */
static int begin_another(struct wal *w, const char *path, int64_t size, struct err *e)
{
    size_t last = w->n_segments - 1;
    int64_t start = w->segments[last].start;
    bool ours = w->scan.n || begins_as_segment(w->fd);
    if (wal_segment_new(w, start + size, e))
        return -1;
    atomic_store(&w->end, start + size);
    if (ours) {
        log_error("the last %" PRId64
                  " bytes of the log segment %s are no records: they stay there, readers "
                  "step over them",
                  size - w->scan.end, path);
        return 0;
    }
    if (set_aside(path, size, e))
        return -1;
    unlist(w, last);
    return 0;
}

static int mend(struct wal *w, const char *path, int64_t size, struct err *e)
{
    const struct wal_scan *s = &w->scan;
    if (s->bad)
        log_error("the log segment %s has %" PRId64
                  " damaged bytes; readers step over them",
                  path, s->bad);
    if (size - s->end > TORN_MAX || (size && !s->n && !begins_as_segment(w->fd)))
        return begin_another(w, path, size, e);
    return s->end < size ? cut(w, path, size, e) : 0;
}

int wal_recover(struct wal *w, struct err *e)
{
    struct wal_segment *last = &w->segments[w->n_segments - 1];
    char path[PATH_MAX];
    int64_t size;
    w->fd = open_segment(w, last->start, O_RDWR, path, &size, e);
    if (w->fd < 0)
        return -1;
    if (wal_scan(w->fd, &w->scan, e))
        return err_prefix(e, "%s", path);
    w->scan.start = last->start;
    w->newest = last->start;
    last->end = last->start + w->scan.end;
    last->first_ms = wal_first_ms(w->fd);
    w->newest_ms = last->first_ms == WAL_NO_TIME ? 0 : last->first_ms;
    atomic_store(&w->last_ms, w->scan.last_ms);
    atomic_store(&w->end, last->end);
    return look_at_closed(w, e) || mend(w, path, size, e) ? -1 : 0;
}
