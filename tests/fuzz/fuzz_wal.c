/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Any bytes behind three sound records, in their place from some byte on, or as a segment
 * of their own, with or without a sound record behind them: the log opens, gives back the
 * records that were not touched, goes on, and what is appended then is read again, also
 * after another start. No byte is gone: it is in the log, or kept beside it. */
#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/log.h"
#include "services/ingest/wal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

#define SOUND 3
#define RECORD 34 /* size of each of them: a header, the topic "t", a digit */

static char dir[64];

static void must(bool ok, const char *what)
{
    if (ok)
        return;
    fprintf(stderr, "broken: %s\n", what);
    abort();
}

static struct wal *open_log(void)
{
    struct err e = ERR_INIT;
    struct wal_opts o = {.dir = dir, .max_bytes = 64 << 20, .segment_bytes = 1 << 20};
    struct wal *w = wal_open(&o, &e);
    must(w, e.text);
    return w;
}

static void append(struct wal *w, const char *payload)
{
    struct err e = ERR_INIT;
    struct wal_record r = {
        .topic = "t", .topic_len = 1, .payload = payload, .len = strlen(payload)};
    must(wal_append(w, &r, 1, &e) == 0, e.text);
}

static bool is(const struct wal_record *r, const char *payload)
{
    return r->len == strlen(payload) && !memcmp(r->payload, payload, r->len);
}

/* The first `sound` records are there, then more or less, behind it one more if it was
 * put there, and the last. */
static void check(struct wal *w, int sound, bool behind, bool last)
{
    struct err e = ERR_INIT;
    struct wal_record r;
    int64_t pos;
    struct wal_reader *reader = wal_reader_open(w, "", 0, &e);
    for (int i = 0; i < sound; i++)
        must(wal_read(reader, &r, &pos, &e) == 1 &&
                 is(&r, (char[]){(char)('0' + i), '\0'}),
             "the sound records");
    while (wal_read(reader, &r, &pos, &e) > 0) {
        behind = behind && !is(&r, "behind");
        last = last && !is(&r, "last");
    }
    must(!behind, "the record behind the bytes");
    must(!last, "the record after the damage");
    must(wal_newest(w, 1000, INT64_MAX) == wal_first(w), "the newest records");
    wal_reader_close(reader);
}

static void path_of(int64_t start, const char *more, char out[160])
{
    snprintf(out, 160, "%s/%020" PRId64 ".log%s", dir, start, more);
}

static void put(int64_t segment, int64_t at, const uint8_t *data, size_t n)
{
    char path[160];
    path_of(segment, "", path);
    int fd = open(path, O_WRONLY | O_CREAT, 0640);
    must(fd >= 0 && pwrite(fd, data, n, at) == (ssize_t)n, "the bytes");
    close(fd);
}

static bool file_has(int64_t segment, const char *more, int64_t at, const uint8_t *data,
                     size_t n)
{
    static uint8_t got[8192];
    char path[160];
    path_of(segment, more, path);
    int fd = open(path, O_RDONLY);
    bool ok = fd >= 0 && pread(fd, got, n, at) == (ssize_t)n && !memcmp(got, data, n);
    if (fd >= 0)
        close(fd);
    return ok;
}

/* The bytes as they were put there: in the segment as far as it goes, then in what was
 * cut off; or the segment was set aside. */
static void must_be_kept(int64_t segment, int64_t at, const uint8_t *data, size_t n,
                         int64_t end)
{
    int64_t left = end - segment - at; /* of the bytes, in the segment */
    size_t in = left < 0 ? 0 : (size_t)left < n ? (size_t)left : n;
    bool ours = file_has(segment, "", at, data, in);
    if (ours && in < n)
        ours = file_has(segment, ".torn", left < 0 ? -left : 0, data + in, n - in);
    must(ours || file_has(segment, ".aside", at, data, n), "bytes are gone");
}

/* Do readers come upon the record at that place of the segment? Bytes before it that make
 * a sound record of their own, checksum and all, may reach into it. What lies in another
 * segment they come upon. */
static bool is_reached(int64_t segment, int64_t place)
{
    static uint8_t got[8192];
    char path[160];
    struct wal_record r;
    size_t at = (size_t)place, p = 0, need;
    path_of(segment, "", path);
    int fd = open(path, O_RDONLY);
    ssize_t n = fd >= 0 ? pread(fd, got, sizeof got, 0) : 0;
    if (fd >= 0)
        close(fd);
    if (n <= place)
        return true;
    while (p < at) {
        long size = wal_record_parse(got + p, (size_t)n - p, &r, &need);
        p += size > 0 ? (size_t)size : 1;
    }
    return p == at;
}

static void clean(void)
{
    DIR *d = opendir(dir);
    for (struct dirent *f; d && (f = readdir(d));)
        unlinkat(dirfd(d), f->d_name, 0);
    if (d)
        closedir(d);
}

static void leave(void)
{
    clean();
    rmdir(dir);
}

/* Opens what was damaged; returns where it ended. */
static int64_t go_on(void)
{
    struct wal *w = open_log();
    int64_t end = wal_end(w);
    append(w, "last");
    wal_close(w);
    return end;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static uint8_t bytes[4096 + 64];
    if (!*dir) {
        log_init("fuzz", LOG_FATAL);
        strcpy(dir, "/tmp/fieldcast-fuzz-XXXXXX");
        must(mkdtemp(dir), "a folder");
        atexit(leave);
    }
    if (n < 2 || n > 4096)
        return 0;
    /* 0..101: over the records from there on, up to 120: behind them, more: apart */
    unsigned where = data[0] & 127, size = SOUND * RECORD;
    bool behind = data[0] & 128;
    memcpy(bytes, data + 1, --n);
    size_t own = n;
    if (behind) {
        struct wal_record r = {.topic = "", .payload = "behind", .len = 6};
        wal_record_write(&r, bytes + n);
        n += wal_record_size(&r);
    }
    clean();
    struct wal *w = open_log();
    for (int i = 0; i < SOUND; i++)
        append(w, (char[]){(char)('0' + i), '\0'});
    must(wal_end(w) == size, "the size of records");
    wal_close(w);
    int64_t segment = where > 120 ? size : 0;
    int64_t at = segment ? 0 : where < size ? where : size;
    put(segment, at, bytes, n);
    int64_t end = go_on();
    must_be_kept(segment, at, bytes, n, end);
    behind = behind && is_reached(segment, at + (int64_t)own);
    w = open_log();
    check(w, segment ? SOUND : (int)(at / RECORD), behind,
          is_reached(segment, end - segment));
    wal_close(w);
    return 0;
}
