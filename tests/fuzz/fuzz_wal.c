/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Any bytes behind three sound records: the log opens, gives these three back, goes on,
 * and what is appended then is read again. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "services/ingest/wal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static char dir[64], path[128];

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

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static const char *const sound[] = {"one", "two", "three"};
    struct err e = ERR_INIT;
    struct wal_record r;
    int64_t pos;
    if (!*dir) {
        log_init("fuzz", LOG_FATAL);
        strcpy(dir, "/tmp/fieldcast-fuzz-XXXXXX");
        must(mkdtemp(dir), "a folder");
        snprintf(path, sizeof path, "%s/%020d.log", dir, 0);
    }
    unlink(path);
    struct wal *w = open_log();
    for (int i = 0; i < 3; i++)
        append(w, sound[i]);
    wal_close(w);
    int fd = open(path, O_WRONLY | O_APPEND);
    must(fd >= 0 && write(fd, data, n) == (ssize_t)n, "the bytes");
    close(fd);
    w = open_log();
    append(w, "last");
    struct wal_reader *reader = wal_reader_open(w, "", 0, &e);
    for (int i = 0; i < 3; i++)
        must(wal_read(reader, &r, &pos, &e) == 1 && is(&r, sound[i]),
             "the sound records");
    bool last = false;
    while (wal_read(reader, &r, &pos, &e) > 0)
        last = is(&r, "last");
    must(last, "the record after the damage");
    wal_reader_close(reader);
    wal_close(w);
    return 0;
}
