/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "services/ingest/memory_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/log.h"
#include "common/mem.h"

#define SMALL (64u << 10) /* not worth writing anew */

struct memory_file {
    char *dir, *path; /* owned */
    int fd;
    bool power, damaged;
    size_t size;  /* up to the end of the last whole record */
    size_t again; /* at this size it may be written anew */
};

static void sync_dir(const char *dir)
{
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return;
    if (fsync(fd))
        log_debug("could not sync %s: %s", dir, strerror(errno));
    close(fd);
}

/* ---- reading
 * ----------------------------------------------------------------------------- */

/* The record that begins at p, or 0: there is none, or not all of it. */
static size_t record_at(const unsigned char *p, size_t n, struct wal_record *r)
{
    size_t need;
    long size = wal_record_parse(p, n, r, &need);
    return size > 0 ? (size_t)size : 0;
}

/* From at on, where a whole record begins; n: there is none. */
static size_t next_record(const unsigned char *p, size_t n, size_t at)
{
    struct wal_record r;
    while (at < n) {
        const unsigned char *first = memchr(p + at, WAL_MAGIC_FIRST, n - at);
        if (!first)
            return n;
        at = (size_t)(first - p);
        if (record_at(first, n - at, &r))
            return at;
        at++;
    }
    return n;
}

static void read_records(struct memory_file *f, const unsigned char *p, size_t n,
                         void (*take)(void *arg, const struct wal_record *r), void *arg)
{
    size_t lost = 0;
    for (size_t at = 0; at < n;) {
        struct wal_record r;
        size_t size = record_at(p + at, n - at, &r);
        if (!size) {
            size_t next = next_record(p, n, at + 1);
            if (next < n)
                lost += next - at;
            at = next;
            continue;
        }
        char topic[WAL_TOPIC_MAX + 1];
        memcpy(topic, r.topic, r.topic_len);
        topic[r.topic_len] = '\0';
        r.topic = topic;
        take(arg, &r);
        at += size;
        f->size = at;
    }
    if (!lost)
        return;
    f->damaged = true;
    char *bad = xasprintf("%s.bad", f->path);
    unlink(bad);
    bool kept = link(f->path, bad) == 0; /* the file itself is written anew */
    log_warn("%zu bytes of %s are damaged: births or descriptions may be missing%s%s",
             lost, f->path, kept ? "; the file is kept as " : "", kept ? bad : "");
    free(bad);
}

static int read_file(struct memory_file *f,
                     void (*take)(void *arg, const struct wal_record *r), void *arg,
                     struct err *e)
{
    struct stat st;
    f->fd = open(f->path, O_RDWR | O_CREAT | O_CLOEXEC, 0640);
    if (f->fd < 0 || fstat(f->fd, &st))
        return err_set(e, ERR_UNAVAILABLE, "could not open %s: %s", f->path,
                       strerror(errno));
    size_t n = (size_t)st.st_size;
    if (!n && f->power)
        sync_dir(f->dir); /* it may be new */
    if (!n)
        return 0;
    void *p = mmap(NULL, n, PROT_READ, MAP_PRIVATE, f->fd, 0);
    if (p == MAP_FAILED)
        return err_set(e, ERR_UNAVAILABLE, "could not read %s: %s", f->path,
                       strerror(errno));
    read_records(f, p, n, take, arg);
    munmap(p, n);
    if (f->size == n)
        return 0;
    log_info("dropped %zu bytes at the end of %s: they are no whole entry", n - f->size,
             f->path);
    if (ftruncate(f->fd, (off_t)f->size))
        return err_set(e, ERR_UNAVAILABLE, "could not cut %s: %s", f->path,
                       strerror(errno));
    return 0;
}

struct memory_file *memory_file_open(const char *dir, bool power,
                                     void (*take)(void *arg, const struct wal_record *r),
                                     void *arg, struct err *e)
{
    struct memory_file *f = xcalloc(1, sizeof *f);
    f->dir = xstrdup(dir);
    f->path = xasprintf("%s/memory", dir);
    f->power = power;
    f->fd = -1;
    if (read_file(f, take, arg, e) == 0)
        return f;
    memory_file_close(f);
    return NULL;
}

void memory_file_close(struct memory_file *f)
{
    if (!f)
        return;
    if (f->fd >= 0)
        close(f->fd);
    free(f->dir);
    free(f->path);
    free(f);
}

/* ---- writing
 * ----------------------------------------------------------------------------- */

static int write_at(const struct memory_file *f, int fd, const struct wal_record *r,
                    size_t at, struct err *e)
{
    size_t n = wal_record_size(r);
    unsigned char *bytes = xmalloc(n);
    wal_record_write(r, bytes);
    int rc = 0;
    for (size_t done = 0; done < n && !rc;) {
        ssize_t k = pwrite(fd, bytes + done, n - done, (off_t)(at + done));
        if (k > 0)
            done += (size_t)k;
        else if (k == 0 || errno != EINTR)
            rc = err_set(e, ERR_UNAVAILABLE, "could not write to %s: %s", f->path,
                         k < 0 ? strerror(errno) : "nothing was taken");
    }
    free(bytes);
    return rc;
}

/* What a refused append left is not to be found after a restart: a whole record would be
 * taken then. If it cannot be cut now, the next append writes over it. */
int memory_file_append(struct memory_file *f, const struct wal_record *r, size_t n,
                       struct err *e)
{
    size_t at = f->size;
    int rc = 0;
    for (size_t i = 0; i < n && !rc; i++) {
        rc = write_at(f, f->fd, &r[i], at, e);
        at += wal_record_size(&r[i]);
    }
    if (!rc && f->power && fdatasync(f->fd))
        rc = err_set(e, ERR_UNAVAILABLE, "could not sync %s: %s", f->path,
                     strerror(errno));
    if (!rc)
        f->size = at;
    else if (ftruncate(f->fd, (off_t)f->size))
        log_debug("could not cut %s: %s", f->path, strerror(errno));
    return rc;
}

bool memory_file_grown(const struct memory_file *f, size_t needed)
{
    return f->damaged || (f->size > 2 * needed && f->size > SMALL && f->size > f->again);
}

static int write_new(struct memory_file *f, int fd, size_t *size,
                     bool (*next)(void *arg, size_t i, struct wal_record *r), void *arg,
                     struct err *e)
{
    struct wal_record r;
    for (size_t i = 0; next(arg, i, &r); i++) {
        if (write_at(f, fd, &r, *size, e))
            return -1;
        *size += wal_record_size(&r);
    }
    if (fsync(fd))
        return err_set(e, ERR_UNAVAILABLE, "could not sync: %s", strerror(errno));
    return 0;
}

void memory_file_rewrite(struct memory_file *f,
                         bool (*next)(void *arg, size_t i, struct wal_record *r),
                         void *arg)
{
    struct err e = ERR_INIT;
    size_t size = 0;
    char *path = xasprintf("%s.new", f->path);
    int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
    bool done = fd >= 0 && write_new(f, fd, &size, next, arg, &e) == 0 &&
                rename(path, f->path) == 0;
    f->again = done ? 0 : 2 * f->size;
    f->damaged = false;
    if (done) {
        sync_dir(f->dir);
        close(f->fd);
        f->fd = fd;
        f->size = size;
    } else {
        log_warn("could not write %s anew, it goes on growing: %s", f->path,
                 e.code ? e.text : strerror(errno));
        unlink(path);
        if (fd >= 0)
            close(fd);
    }
    free(path);
}
