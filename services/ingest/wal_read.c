/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reading the log, and the cursors that say how far a sink has come. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/cond.h"
#include "common/log.h"
#include "common/mem.h"
#include "services/ingest/wal_internal.h"

#define AT_ONCE                                                                          \
    65536u /* what is read unless a record needs more: pages not touched cost nothing */
#define READ_BYTES (WAL_RECORD_MAX + AT_ONCE) /* always room for one whole record */

static void cursor_path(const struct wal_reader *r, const char *suffix,
                        char out[PATH_MAX])
{
    snprintf(out, PATH_MAX, "%s/%s.cursor%s", r->w->dir, r->name, suffix);
}

/* What the file says; -1: there is none. Anything else that is no position: INT64_MAX. */
static int64_t read_cursor(const char *path)
{
    char text[32] = "", *end;
    FILE *f = fopen(path, "re");
    if (!f && errno == ENOENT)
        return -1;
    if (f) {
        text[fread(text, 1, sizeof text - 1, f)] = '\0';
        fclose(f);
    }
    int64_t pos = strtoll(text, &end, 10);
    return end > text && *end == '\n' && pos >= 0 ? pos : INT64_MAX;
}

static int64_t load_cursor(const struct wal_reader *r)
{
    char path[PATH_MAX];
    cursor_path(r, "", path);
    int64_t pos = read_cursor(path), first = wal_first(r->w), end = wal_end(r->w);
    if (pos >= first && pos <= end)
        return pos;
    if (pos > end)
        log_warn("the cursor %s does not lie in the log: reading it from the beginning",
                 path);
    else if (pos >= 0)
        log_error("the sink %s has missed %" PRId64
                  " bytes of the log: they were deleted while it was switched off",
                  r->name, first - pos);
    return first;
}

struct wal_reader *wal_reader_open(struct wal *w, const char *name, int64_t from,
                                   struct err *e)
{
    struct wal_reader *r = xcalloc(1, sizeof *r);
    cond_init(&r->grown);
    r->w = w;
    r->fd = -1;
    r->buf = xmalloc(READ_BYTES);
    snprintf(r->name, sizeof r->name, "%s", name);
    r->pos = r->committed = *name ? load_cursor(r) : from;
    if (!*name)
        return r;
    pthread_mutex_lock(&w->lock);
    r->next = w->readers;
    w->readers = r;
    pthread_mutex_unlock(&w->lock);
    if (wal_commit(r, r->pos, e)) { /* a full disk must not keep us from reading it */
        log_warn("%s", e->text);
        *e = (struct err)ERR_INIT;
    }
    return r;
}

void wal_reader_close(struct wal_reader *r)
{
    if (!r)
        return;
    pthread_mutex_lock(&r->w->lock);
    for (struct wal_reader **p = &r->w->readers; *p; p = &(*p)->next)
        if (*p == r) {
            *p = r->next;
            break;
        }
    pthread_mutex_unlock(&r->w->lock);
    if (r->fd >= 0)
        close(r->fd);
    pthread_cond_destroy(&r->grown);
    free(r->buf);
    free(r);
}

void wal_reader_seek(struct wal_reader *r, int64_t pos)
{
    r->pos = pos;
    r->len = 0;
}

/* Has the file open that holds r->pos. */
static int open_segment(struct wal_reader *r, struct err *e)
{
    if (r->fd >= 0 && r->pos >= r->segment.start && r->pos < r->segment.end)
        return 0;
    struct wal_segment s;
    if (!wal_segment_find(r->w, r->pos, &s))
        wal_reader_seek(r, s.start); /* a reader without a cursor was overtaken */
    char path[PATH_MAX];
    wal_segment_path(r->w, s.start, path);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return err_set(e, ERR_UNAVAILABLE, "could not open the log segment %s: %s", path,
                       strerror(errno));
    if (r->fd >= 0)
        close(r->fd);
    r->fd = fd;
    r->segment = s;
    r->len = 0;
    return 0;
}

/* Brings at least need bytes from r->pos into the buffer, or as many as there are up to
 * limit. Returns how many there are, or -1. */
static long have(struct wal_reader *r, size_t need, int64_t limit, struct err *e)
{
    if (r->pos > r->buf_pos + (int64_t)r->len)
        r->len = 0;
    size_t at = r->len ? (size_t)(r->pos - r->buf_pos) : 0, left = r->len - at;
    if (left >= need || r->pos + (int64_t)left >= limit)
        return (long)left;
    memmove(r->buf, r->buf + at, left);
    r->buf_pos = r->pos;
    r->len = left;
    while (r->len < need && r->buf_pos + (int64_t)r->len < limit) {
        int64_t from = r->buf_pos + (int64_t)r->len;
        size_t want = need > r->len + AT_ONCE ? need - r->len : AT_ONCE;
        want = want < READ_BYTES - r->len ? want : READ_BYTES - r->len;
        want = (int64_t)want < limit - from ? want : (size_t)(limit - from);
        ssize_t n = pread(r->fd, r->buf + r->len, want, from - r->segment.start);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return err_set(e, ERR_UNAVAILABLE, "could not read the log in %s: %s",
                           r->w->dir, strerror(errno));
        if (!n)
            break; /* the file is shorter than it should be */
        r->len += (size_t)n;
    }
    return (long)r->len;
}

/* Steps over bytes that are no record, up to the next one or the end of the segment. -1:
 * the disk could not be read; nothing is stepped over then. */
static int skip_damage(struct wal_reader *r, int64_t limit, struct err *e)
{
    int64_t from = r->pos;
    struct wal_record rec;
    size_t need;
    for (r->pos++; r->pos < limit; r->pos++) {
        long n = have(r, WAL_RECORD_MAX, limit, e);
        if (n < 0) {
            wal_reader_seek(r, from);
            return -1;
        }
        if (n == 0) { /* the file is shorter than it should be */
            r->pos = limit;
            break;
        }
        if (wal_record_parse(r->buf + (r->pos - r->buf_pos), (size_t)n, &rec, &need) > 0)
            break;
    }
    r->lost += r->pos - from;
    log_error("stepped over %" PRId64 " damaged bytes in the log at %" PRId64,
              r->pos - from, from);
    return 0;
}

int wal_read(struct wal_reader *r, struct wal_record *rec, int64_t *pos, struct err *e)
{
    for (;;) {
        int64_t end = wal_end(r->w);
        if (r->pos >= end)
            return 0;
        if (open_segment(r, e))
            return -1;
        int64_t limit = r->segment.end < end ? r->segment.end : end;
        if (r->pos < r->segment.start)
            return 0;
        size_t need = WAL_HEADER;
        long n = have(r, need, limit, e), size = 0;
        while (n >= (long)need &&
               (size = wal_record_parse(r->buf + (r->pos - r->buf_pos), (size_t)n, rec,
                                        &need)) == 0 &&
               r->pos + (int64_t)need <= limit)
            n = have(r, need, limit, e);
        if (n < 0)
            return -1;
        if (size <= 0) {
            /* the newest segment may have got a successor since: look again first */
            struct wal_segment now;
            wal_segment_find(r->w, r->pos, &now);
            if (now.end == r->segment.end && now.start == r->segment.start &&
                skip_damage(r, limit, e))
                return -1;
            r->segment.end = r->segment.start; /* opened afresh */
            continue;
        }
        memcpy(r->topic, rec->topic, rec->topic_len);
        r->topic[rec->topic_len] = '\0';
        rec->topic = r->topic;
        *pos = r->pos;
        r->pos += size;
        return 1;
    }
}

int64_t wal_reader_pos(const struct wal_reader *r)
{
    return r->pos;
}

int64_t wal_reader_lost(const struct wal_reader *r)
{
    return r->lost;
}

int64_t wal_reader_give_up(struct wal_reader *r, int64_t bytes)
{
    struct wal_record rec;
    struct err e = ERR_INIT;
    int64_t from = r->pos, unused;
    while (wal_end(r->w) - r->pos > bytes && wal_read(r, &rec, &unused, &e) > 0)
        ;
    return r->pos - from;
}

static int save_cursor(const struct wal_reader *r, int64_t pos, struct err *e)
{
    char tmp[PATH_MAX], path[PATH_MAX], text[32];
    cursor_path(r, ".new", tmp);
    cursor_path(r, "", path);
    int n = snprintf(text, sizeof text, "%" PRId64 "\n", pos);
    int fd = open(tmp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
    bool ok = fd >= 0 && write(fd, text, (size_t)n) == n && fsync(fd) == 0;
    int why = errno;
    if (fd >= 0)
        close(fd);
    if (ok && rename(tmp, path) == 0)
        return 0;
    return err_set(e, ERR_UNAVAILABLE, "could not save the cursor %s: %s", path,
                   strerror(ok ? errno : why));
}

int wal_commit(struct wal_reader *r, int64_t pos, struct err *e)
{
    if (save_cursor(r, pos, e))
        return -1;
    pthread_mutex_lock(&r->w->lock);
    r->committed = pos;
    wal_prune(r->w, wal_last_ms(r->w));
    pthread_mutex_unlock(&r->w->lock);
    return 0;
}

int64_t wal_committed(const struct wal_reader *r)
{
    return r->committed;
}
