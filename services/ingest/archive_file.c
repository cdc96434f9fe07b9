/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "services/ingest/archive_file.h"

#include <dirent.h>
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

#define PREFIX "readings-"
#define SUFFIX ".jsonl"
#define NAME_BYTES 64
#define TAIL_BYTES (4 << 20) /* more than any record's lines */
#define DAY_MS INT64_C(86400000)

struct archive_file {
    char *dir; /* owned */
    int dir_fd, fd;
    char name[NAME_BYTES]; /* of the file that is written; "" before the first */
    int64_t number, day, size, max_bytes;
    int64_t newest, newest_ms;
};

/* ---- names
 * ------------------------------------------------------------------------------- */

static void name_of(int64_t number, int64_t day, char out[NAME_BYTES])
{
    time_t t = (time_t)(day * (DAY_MS / 1000));
    struct tm tm;
    gmtime_r(&t, &tm);
    snprintf(out, NAME_BYTES, PREFIX "%010" PRId64 "-%04d%02d%02d" SUFFIX, number,
             tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday);
}

/* The number and day of a name; false for a file that is none of ours. */
static bool parse_name(const char *name, int64_t *number, int64_t *day)
{
    struct tm tm = {0};
    size_t n = strlen(PREFIX);
    if (strncmp(name, PREFIX, n) != 0 || strspn(name + n, "0123456789") != 10 ||
        name[n + 10] != '-' || strspn(name + n + 11, "0123456789") != 8 ||
        strcmp(name + n + 19, SUFFIX) != 0)
        return false;
    *number = strtoll(name + n, NULL, 10);
    int64_t date = strtoll(name + n + 11, NULL, 10);
    tm.tm_year = (int)(date / 10000) - 1900;
    tm.tm_mon = (int)(date / 100 % 100) - 1;
    tm.tm_mday = (int)(date % 100);
    *day = timegm(&tm) / (DAY_MS / 1000);
    return true;
}

/* The newest file, and in before the one before it. */
static int find_newest(struct archive_file *a, char before[NAME_BYTES], struct err *e)
{
    DIR *d = opendir(a->dir);
    if (!d)
        return err_set(e, ERR_UNAVAILABLE, "could not look into the archive %s: %s",
                       a->dir, strerror(errno));
    int64_t number, day, second = -1;
    for (const struct dirent *f; (f = readdir(d));) {
        if (!parse_name(f->d_name, &number, &day))
            continue;
        if (number >= a->number) {
            second = a->number;
            strcpy(before, a->name);
            strcpy(a->name, f->d_name); /* its length is checked */
            a->number = number;
            a->day = day;
        } else if (number > second) {
            second = number;
            strcpy(before, f->d_name);
        }
    }
    closedir(d);
    return 0;
}

/* ---- what a crash left
 * -------------------------------------------------------------------- */

/* The number behind a key in one line; -1 when it is not there. */
static int64_t member(const char *line, size_t n, const char *key)
{
    const char *p = memmem(line, n, key, strlen(key));
    return p ? strtoll(p + strlen(key), NULL, 10) : -1;
}

/* Keeps of the n bytes at the end of the file what ends with a whole line of a record
 * that is whole: the last one, if it comes again, may have lost its other lines. Returns
 * how many bytes go. */
static size_t torn(struct archive_file *a, const char *p, size_t n, int64_t from,
                   int64_t to)
{
    size_t end = n;
    int64_t last = -1;
    while (end && p[end - 1] != '\n')
        end--;
    while (end) {
        const char *nl = end > 1 ? memrchr(p, '\n', end - 1) : NULL;
        size_t start = nl ? (size_t)(nl - p) + 1 : 0;
        int64_t id = member(p + start, end - start, "{\"id\":");
        if ((last >= 0 && id != last) || (id >= 0 && (id < from || id >= to))) {
            a->newest = id;
            a->newest_ms = member(p + start, end - start, "\"received_ms\":");
            break;
        }
        last = id;
        end = start;
    }
    return n - end;
}

/* The end of a file of that size: *n bytes, to be freed; NULL when it cannot be read. */
static char *tail_of(int fd, int64_t size, size_t *n)
{
    *n = size < TAIL_BYTES ? (size_t)size : TAIL_BYTES;
    char *p = xmalloc(*n + 1);
    ssize_t got = *n ? pread(fd, p, *n, size - (off_t)*n) : 0;
    if (got == (ssize_t)*n)
        return p;
    free(p);
    return NULL;
}

/* Cuts the newest file's end, and learns what is its newest record. */
static int recover(struct archive_file *a, int64_t from, int64_t to, struct err *e)
{
    struct stat st;
    size_t n;
    char *tail = fstat(a->fd, &st) == 0 ? tail_of(a->fd, st.st_size, &n) : NULL;
    a->size = tail ? st.st_size - (int64_t)torn(a, tail, n, from, to) : 0;
    free(tail);
    if (!tail || ftruncate(a->fd, a->size))
        return err_set(e, ERR_UNAVAILABLE, "could not go on with %s/%s: %s", a->dir,
                       a->name, strerror(errno));
    return 0;
}

/* A file that held one record tells nothing; the one before it is whole. */
static void recover_from(struct archive_file *a, const char *before)
{
    struct stat st;
    size_t n;
    int fd = openat(a->dir_fd, before, O_RDONLY | O_CLOEXEC);
    char *tail = fd >= 0 && fstat(fd, &st) == 0 ? tail_of(fd, st.st_size, &n) : NULL;
    if (tail && n > 1) {
        const char *nl = memrchr(tail, '\n', n - 1);
        size_t start = nl ? (size_t)(nl - tail) + 1 : 0;
        a->newest = member(tail + start, n - start, "{\"id\":");
        a->newest_ms = member(tail + start, n - start, "\"received_ms\":");
    }
    free(tail);
    if (fd >= 0)
        close(fd);
}

/* ---- writing
 * ------------------------------------------------------------------------------ */

static int begin_file(struct archive_file *a, int64_t day, struct err *e)
{
    char name[NAME_BYTES];
    name_of(a->number + 1, day, name);
    int fd =
        openat(a->dir_fd, name, O_RDWR | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0640);
    if (fd < 0)
        return err_set(e, ERR_UNAVAILABLE, "could not make %s/%s: %s", a->dir, name,
                       strerror(errno));
    if (a->fd >= 0)
        close(a->fd);
    a->fd = fd;
    a->number++;
    a->day = day;
    a->size = 0;
    strcpy(a->name, name);
    fsync(a->dir_fd);
    return 0;
}

int archive_append(struct archive_file *a, int64_t day_ms, const struct buf *lines,
                   struct err *e)
{
    int64_t day = day_ms / DAY_MS;
    bool full = a->size && a->size + (int64_t)lines->len > a->max_bytes;
    if ((a->fd < 0 || full || day != a->day) && begin_file(a, day, e))
        return -1;
    ssize_t n = write(a->fd, lines->data, lines->len);
    if (n == (ssize_t)lines->len) {
        a->size += n;
        return 0;
    }
    int why = n < 0 ? errno : ENOSPC;
    if (ftruncate(a->fd, a->size)) /* the next start cuts it */
        log_debug("could not cut %s: %s", a->name, strerror(errno));
    return err_set(e, ERR_UNAVAILABLE, "could not write to %s/%s: %s", a->dir, a->name,
                   strerror(why));
}

int archive_sync(struct archive_file *a, struct err *e)
{
    if (a->fd < 0 || fdatasync(a->fd) == 0)
        return 0;
    return err_set(e, ERR_UNAVAILABLE, "could not sync %s/%s: %s", a->dir, a->name,
                   strerror(errno));
}

int archive_expire(struct archive_file *a, int64_t now_ms, int64_t keep_d)
{
    int gone = 0;
    DIR *d = opendir(a->dir);
    if (!d)
        return 0;
    int64_t number, day;
    for (const struct dirent *f; (f = readdir(d));)
        if (parse_name(f->d_name, &number, &day) && now_ms / DAY_MS - day > keep_d &&
            strcmp(f->d_name, a->name) != 0 && unlinkat(a->dir_fd, f->d_name, 0) == 0)
            gone++;
    closedir(d);
    return gone;
}

/* ---- life
 * --------------------------------------------------------------------------------- */

static int open_newest(struct archive_file *a, int64_t from, int64_t to, struct err *e)
{
    if (mkdir(a->dir, 0750) && errno != EEXIST)
        return err_set(e, ERR_UNAVAILABLE, "could not make the archive %s: %s", a->dir,
                       strerror(errno));
    a->dir_fd = open(a->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (a->dir_fd < 0)
        return err_set(e, ERR_UNAVAILABLE, "could not open the archive %s: %s", a->dir,
                       strerror(errno));
    char before[NAME_BYTES] = "";
    if (find_newest(a, before, e))
        return -1;
    if (!*a->name)
        return 0;
    a->fd = openat(a->dir_fd, a->name, O_RDWR | O_APPEND | O_CLOEXEC);
    if (a->fd < 0)
        return err_set(e, ERR_UNAVAILABLE, "could not open %s/%s: %s", a->dir, a->name,
                       strerror(errno));
    if (recover(a, from, to, e))
        return -1;
    if (a->newest < 0 && *before)
        recover_from(a, before);
    return 0;
}

struct archive_file *archive_open(const char *dir, int64_t max_bytes, int64_t from,
                                  int64_t to, struct err *e)
{
    struct archive_file *a = xcalloc(1, sizeof *a);
    a->dir = xstrdup(dir);
    a->dir_fd = a->fd = -1;
    a->max_bytes = max_bytes;
    a->newest = -1;
    if (open_newest(a, from, to, e) == 0)
        return a;
    archive_close(a);
    return NULL;
}

void archive_close(struct archive_file *a)
{
    if (!a)
        return;
    if (a->fd >= 0)
        close(a->fd);
    if (a->dir_fd >= 0)
        close(a->dir_fd);
    free(a->dir);
    free(a);
}

int64_t archive_newest(const struct archive_file *a, int64_t *receive_ms)
{
    *receive_ms = a->newest_ms;
    return a->newest;
}
