/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "services/ingest/letter_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/mem.h"

static int open_file(const char *path, struct err *e)
{
    int fd = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
    if (fd < 0)
        err_set(e, ERR_UNAVAILABLE, "could not open %s: %s", path, strerror(errno));
    return fd;
}

int letter_file_open(struct letter_file *f, const char *dir, int64_t max_bytes,
                     struct err *e)
{
    struct stat st;
    char last = '\n';
    *f = (struct letter_file){.max_bytes = max_bytes,
                              .path = xasprintf("%s/deadletters.jsonl", dir),
                              .older = xasprintf("%s/deadletters.1.jsonl", dir)};
    f->fd = open_file(f->path, e);
    if (f->fd < 0)
        return -1;
    if (fstat(f->fd, &st))
        return err_set(e, ERR_UNAVAILABLE, "could not open %s: %s", f->path,
                       strerror(errno));
    f->size = st.st_size;
    if (f->size && pread(f->fd, &last, 1, f->size - 1) == 1)
        f->unfinished = last != '\n';
    return 0;
}

void letter_file_close(struct letter_file *f)
{
    if (f->fd >= 0)
        close(f->fd);
    free(f->path);
    free(f->older);
}

static int rotate(struct letter_file *f, struct err *e)
{
    if (rename(f->path, f->older) && errno != ENOENT)
        return err_set(e, ERR_UNAVAILABLE, "could not rename %s: %s", f->path,
                       strerror(errno));
    int fd = open_file(f->path, e);
    if (fd < 0)
        return -1;
    close(f->fd);
    f->fd = fd;
    f->size = 0;
    return 0;
}

int letter_file_put(struct letter_file *f, const struct buf *line, struct err *e)
{
    if (f->size && f->size + (int64_t)line->len > f->max_bytes / 2 && rotate(f, e))
        return -1;
    if (f->unfinished && write(f->fd, "\n", 1) == 1)
        f->unfinished = false;
    ssize_t n = write(f->fd, line->data, line->len);
    if (n == (ssize_t)line->len) {
        f->size += n;
        return 0;
    }
    f->unfinished = n > 0 || f->unfinished;
    return err_set(e, ERR_UNAVAILABLE, "could not write to %s: %s", f->path,
                   n < 0 ? strerror(errno) : "the disk is full");
}

/* A file mapped for reading; n is 0 when it is empty or missing. */
struct view {
    char *data;
    size_t n;
};

static struct view map(const char *path)
{
    struct view v = {NULL, 0};
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd >= 0 && fstat(fd, &st) == 0 && st.st_size > 0) {
        v.data = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
        v.n = v.data == MAP_FAILED ? 0 : (size_t)st.st_size;
    }
    if (fd >= 0)
        close(fd);
    return v;
}

void letter_file_each(const char *path, letter_file_fn *fn, void *arg)
{
    struct view v = map(path);
    for (size_t end = v.n, start; end; end = start) {
        end -= v.data[end - 1] == '\n';
        const char *nl = end ? memrchr(v.data, '\n', end) : NULL;
        start = nl ? (size_t)(nl - v.data) + 1 : 0;
        if (!fn(arg, v.data + start, end - start))
            break;
    }
    if (v.n)
        munmap(v.data, v.n);
}
