/* SPDX-License-Identifier: GPL-3.0-or-later */
/* wal_log: a log in a folder of its own, with records that are known by their numbers.
 * For the tests of the log. */
#ifndef FC_TESTS_WAL_LOG_H
#define FC_TESTS_WAL_LOG_H

#include "tests/unit/unit.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/log.h"
#include "services/ingest/wal.h"

#define SEGMENT 4096
#define MAX_BYTES (INT64_C(64) * 1024)

static char dir[64];
static struct wal_opts opts; /* of open_log(); a test may change them */

static inline int setup(void **unused)
{
    (void)unused;
    strcpy(dir, "/tmp/fieldcast-wal-XXXXXX");
    opts =
        (struct wal_opts){.dir = dir, .max_bytes = MAX_BYTES, .segment_bytes = SEGMENT};
    return mkdtemp(dir) ? 0 : -1;
}

static inline int teardown(void **unused)
{
    (void)unused;
    DIR *d = opendir(dir);
    for (struct dirent *f; d && (f = readdir(d));)
        unlinkat(dirfd(d), f->d_name, 0);
    if (d)
        closedir(d);
    return rmdir(dir);
}

/* Not yet wal_ready(): nothing is deleted. */
static inline struct wal *open_log(void)
{
    struct err e = ERR_INIT;
    struct wal *w = wal_open(&opts, &e);
    if (!w)
        fail_msg("%s", e.text);
    return w;
}

static inline struct wal_reader *open_reader(struct wal *w, const char *name)
{
    struct err e = ERR_INIT;
    struct wal_reader *r = wal_reader_open(w, name, 0, &e);
    assert_non_null(r);
    return r;
}

/* Record n: its payload tells its number and has a length of its own. */
static inline size_t payload(int n, char out[256])
{
    int len = sprintf(out, "%d:", n);
    memset(out + len, 'a' + n % 26, (size_t)(n % 200));
    return (size_t)(len + n % 200);
}

/* Record n; text is the memory of its payload. */
static inline struct wal_record numbered(int n, int64_t receive_ms, char text[256])
{
    return (struct wal_record){.receive_ms = receive_ms,
                               .assigned_ms = -n,
                               .flags = (unsigned)n & 63,
                               .topic = "fieldcast/kitchen/readings",
                               .topic_len = 26,
                               .payload = text,
                               .len = payload(n, text)};
}

static inline int append_at(struct wal *w, int n, int64_t receive_ms, struct err *e)
{
    char text[256];
    struct wal_record r = numbered(n, receive_ms, text);
    return wal_append(w, &r, 1, e);
}

static inline int append(struct wal *w, int n, struct err *e)
{
    return append_at(w, n, 1000 + n, e);
}

static inline void must_append(struct wal *w, int from, int to)
{
    struct err e = ERR_INIT;
    for (int n = from; n < to; n++)
        if (append(w, n, &e))
            fail_msg("%s", e.text);
}

static inline void check_record(const struct wal_record *r, int n)
{
    char text[256];
    assert_int_equal(r->assigned_ms, -n);
    assert_int_equal(r->flags, n & 63);
    assert_string_equal(r->topic, "fieldcast/kitchen/readings");
    assert_int_equal(r->len, payload(n, text));
    assert_memory_equal(r->payload, text, r->len);
}

/* Reads what there is; it must be the records from..to-1. Returns the last one's
 * position. */
static inline int64_t must_read(struct wal_reader *r, int from, int to)
{
    struct err e = ERR_INIT;
    struct wal_record rec;
    int64_t pos = -1;
    for (int n = from; n < to; n++) {
        assert_int_equal(wal_read(r, &rec, &pos, &e), 1);
        check_record(&rec, n);
    }
    int64_t last = pos;
    assert_int_equal(wal_read(r, &rec, &pos, &e), 0);
    return last;
}

static inline void segment_path(int64_t start, char out[160])
{
    snprintf(out, 160, "%s/%020" PRId64 ".log", dir, start);
}

static inline size_t file_size(const char *path)
{
    struct stat st;
    return stat(path, &st) ? 0 : (size_t)st.st_size;
}

/* Files in the folder whose name has this part. */
static inline int count_files(const char *part)
{
    int n = 0;
    DIR *d = opendir(dir);
    for (struct dirent *f; (f = readdir(d));)
        n += strstr(f->d_name, part) != NULL;
    closedir(d);
    return n;
}

/* Where the newest segment begins. */
static inline int64_t newest_segment(void)
{
    int64_t newest = 0, start;
    DIR *d = opendir(dir);
    for (struct dirent *f; (f = readdir(d));)
        if (strlen(f->d_name) == 24 && sscanf(f->d_name, "%20" SCNd64, &start) == 1 &&
            start > newest)
            newest = start;
    closedir(d);
    return newest;
}

static inline void must_commit(struct wal_reader *r, int64_t pos)
{
    struct err e = ERR_INIT;
    if (wal_commit(r, pos, &e))
        fail_msg("%s", e.text);
}

#endif
