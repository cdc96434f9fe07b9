/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Looking through a segment file once. By read(2), not mmap(2): a disk that cannot be
 * read is an error here, not a signal. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/mem.h"
#include "services/ingest/wal_internal.h"

#define BUFFER (WAL_RECORD_MAX + 262144) /* always room for one whole record */

struct window {
    int fd;
    int64_t from; /* where in the file the bytes begin */
    size_t len;
    bool last;          /* the file has no more */
    unsigned char *buf; /* owned */
};

/* Moves the window so that it begins at `from` and is as long as can be. */
static int slide(struct window *v, int64_t from, struct err *e)
{
    size_t keep = (size_t)(v->from + (int64_t)v->len - from);
    memmove(v->buf, v->buf + v->len - keep, keep);
    v->from = from;
    v->len = keep;
    while (v->len < BUFFER) {
        ssize_t n =
            pread(v->fd, v->buf + v->len, BUFFER - v->len, from + (int64_t)v->len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return err_set(e, ERR_UNAVAILABLE, "could not read the log: %s",
                           strerror(errno));
        v->last = !n;
        if (!n)
            break;
        v->len += (size_t)n;
    }
    return 0;
}

static void note(struct wal_scan *s, int64_t at, const struct wal_record *r)
{
    if (s->n % WAL_MARK_EVERY == 0) {
        if ((s->n_marks & (s->n_marks - 1)) == 0) /* grows to powers of two */
            s->mark =
                xrealloc(s->mark, (s->n_marks ? s->n_marks * 2 : 1) * sizeof *s->mark);
        s->mark[s->n_marks++] = at;
    }
    s->n++;
    s->last_ms = wal_sane_ms(r->receive_ms);
}

/* How far it is from p to where a record may begin. */
static size_t to_next(const unsigned char *p, size_t n)
{
    const unsigned char *next = n > 1 ? memchr(p + 1, WAL_MAGIC_FIRST, n - 1) : NULL;
    return next ? (size_t)(next - p) : n;
}

static int scan(struct window *v, struct wal_scan *s, struct err *e)
{
    struct wal_record r;
    size_t need;
    int64_t at = 0, sound = 0; /* sound: bytes of records */
    for (;;) {
        const unsigned char *p = v->buf + (at - v->from);
        size_t left = v->len - (size_t)(at - v->from);
        long size = left ? wal_record_parse(p, left, &r, &need) : 0;
        if (size == 0 && !v->last) {
            if (slide(v, at, e))
                return -1;
        } else if (size > 0) {
            note(s, at, &r);
            at += size;
            sound += size;
            s->end = at;
        } else if (left) {
            at += (int64_t)to_next(p, left);
        } else {
            s->bad = s->end - sound;
            return 0;
        }
    }
}

int wal_scan(int fd, struct wal_scan *s, struct err *e)
{
    struct window v = {.fd = fd, .buf = xmalloc(BUFFER)};
    *s = (struct wal_scan){0};
    int rc = scan(&v, s, e);
    free(v.buf);
    return rc;
}

int64_t wal_first_ms(int fd)
{
    struct wal_record r;
    size_t need = WAL_HEADER;
    int64_t t_ms = WAL_NO_TIME;
    unsigned char *p = NULL;
    for (size_t have = 0; need > have;) {
        have = need;
        p = xrealloc(p, have);
        if (pread(fd, p, have, 0) != (ssize_t)have)
            break;
        if (wal_record_parse(p, have, &r, &need) > 0)
            t_ms = wal_sane_ms(r.receive_ms);
    }
    free(p);
    return t_ms;
}

/* ---- the newest records
 * --------------------------------------------------------------------- */

/* Where about the last `n` of the records begin that were found in the segment at start.
 */
static int64_t last_of(const struct wal_scan *s, int64_t start, size_t n)
{
    return n < s->n ? start + s->mark[(s->n - n) / WAL_MARK_EVERY] : start;
}

/* Looks through the segment that ends before pos; false when it cannot be read. */
static bool scan_before(struct wal *w, int64_t pos, struct wal_scan *s)
{
    struct wal_segment seg;
    char path[PATH_MAX];
    wal_segment_find(w, pos - 1, &seg);
    wal_segment_path(w, seg.start, path);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    bool ok = fd >= 0 && wal_scan(fd, s, NULL) == 0;
    s->start = seg.start;
    if (fd >= 0)
        close(fd);
    return ok;
}

int64_t wal_newest(struct wal *w, size_t n, int64_t bytes)
{
    int64_t from = last_of(&w->scan, w->scan.start, n);
    size_t found = w->scan.n;
    while (found < n && from > wal_first(w) && wal_end(w) - from < bytes) {
        struct wal_scan s = {0};
        bool ok = scan_before(w, from, &s);
        if (ok)
            from = last_of(&s, s.start, n - found);
        found += s.n;
        free(s.mark);
        if (!ok)
            break;
    }
    return from;
}
