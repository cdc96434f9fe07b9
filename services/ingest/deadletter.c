/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "services/ingest/deadletter.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/json.h"
#include "common/log.h"
#include "common/mem.h"
#include "services/ingest/raw.h"

#define LINE_MAX_BYTES (1u << 20) /* a payload of 512 KiB in base64, and all else */
#define NO_ID INT64_C(-1)
#define AGAIN_LINES 2000 /* newest letters that are looked through after a restart */

struct deadletter {
    pthread_mutex_t lock;
    char *path, *older; /* owned */
    int fd;
    int64_t size, max_bytes;
    uint64_t *again; /* letters that are there already and may come again; owned */
    size_t n_again, cap_again;
    bool unfinished; /* the file ends within a line */
};

/* ---- writing
 * ----------------------------------------------------------------------------- */

static void add_text(struct buf *b, const char *key, const char *text)
{
    buf_addf(b, ",\"%s\":", key);
    if (text && raw_is_text(text, strlen(text)))
        buf_add_json_string(b, text);
    else
        buf_adds(b, "null");
}

static int rotate(struct deadletter *d, struct err *e)
{
    if (rename(d->path, d->older) && errno != ENOENT)
        return err_set(e, ERR_UNAVAILABLE, "could not rename %s: %s", d->path,
                       strerror(errno));
    int fd = open(d->path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
    if (fd < 0)
        return err_set(e, ERR_UNAVAILABLE, "could not open %s: %s", d->path,
                       strerror(errno));
    close(d->fd);
    d->fd = fd;
    d->size = 0;
    return 0;
}

static int put_line(struct deadletter *d, struct buf *b, struct err *e)
{
    if (d->size && d->size + (int64_t)b->len > d->max_bytes / 2 && rotate(d, e))
        return -1;
    if (d->unfinished && write(d->fd, "\n", 1) == 1)
        d->unfinished = false;
    ssize_t n = write(d->fd, b->data, b->len);
    if (n == (ssize_t)b->len) {
        d->size += n;
        return 0;
    }
    d->unfinished = n > 0 || d->unfinished;
    return err_set(e, ERR_UNAVAILABLE, "could not write to %s: %s", d->path,
                   n < 0 ? strerror(errno) : "the disk is full");
}

/* A letter is known by its record and its reason: one record may have several. */
static uint64_t letter_hash(int64_t id, const char *reason, const char *detail)
{
    uint64_t h = (uint64_t)id ^ UINT64_C(0xcbf29ce484222325); /* FNV-1a */
    for (; *reason; reason++)
        h = (h ^ (unsigned char)*reason) * UINT64_C(0x100000001b3);
    for (; detail && *detail; detail++)
        h = (h ^ (unsigned char)*detail) * UINT64_C(0x100000001b3);
    return h;
}

static bool is_again(const struct deadletter *d, uint64_t hash)
{
    for (size_t i = 0; i < d->n_again; i++)
        if (d->again[i] == hash)
            return true;
    return false;
}

int deadletter_add(struct deadletter *d, int64_t id, const struct wal_record *rec,
                   enum reject why, const char *detail, const char *device, struct err *e)
{
    struct buf b;
    char time[CLOCK_RFC3339_SIZE];
    int rc = 0;
    buf_init(&b, LINE_MAX_BYTES);
    buf_addf(&b, "{\"id\":%" PRId64 ",\"time\":\"%s\",\"reason\":\"%s\"", id,
             clock_format(rec->receive_ms, time), reject_name(why));
    add_text(&b, "detail", detail);
    add_text(&b, "device", device && *device ? device : NULL);
    add_text(&b, "topic", rec->topic);
    buf_addc(&b, ',');
    raw_add(&b, rec->payload, rec->len);
    buf_adds(&b, rec->flags & WAL_CUT ? ",\"cut\":true}\n" : "}\n");
    pthread_mutex_lock(&d->lock);
    if (!is_again(d, letter_hash(id, reject_name(why), detail)))
        rc = put_line(d, &b, e);
    pthread_mutex_unlock(&d->lock);
    buf_done(&b);
    return rc;
}

/* ---- reading
 * ----------------------------------------------------------------------------- */

/* A file mapped for reading; data NULL when it is empty or missing. */
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

static void unmap(struct view v)
{
    if (v.n)
        munmap(v.data, v.n);
}

static json_t *parse_line(const char *p, size_t n, int64_t *id)
{
    json_t *j = json_loadb(p, n, 0, NULL);
    json_t *v = json_object_get(j, "id");
    if (json_is_integer(v)) {
        *id = json_integer_value(v);
        return j;
    }
    json_decref(j);
    return NULL; /* what a crash left unfinished */
}

/* From the end of a file to its beginning. Ids do not descend strictly: what InfluxDB
 * refuses comes later than what could not be decoded. */
static void list_file(const char *path, int64_t *before, size_t limit, const char *reason,
                      json_t *items, int64_t *next)
{
    struct view v = map(path);
    size_t end = v.n;
    while (end && json_array_size(items) < limit) {
        end -= v.data[end - 1] == '\n';
        const char *nl = end ? memrchr(v.data, '\n', end) : NULL;
        size_t start = nl ? (size_t)(nl - v.data) + 1 : 0;
        int64_t id = 0;
        json_t *j = parse_line(v.data + start, end - start, &id);
        const char *r = json_string_value(json_object_get(j, "reason"));
        if (j && *before < 0 && (!*reason || (r && !strcmp(r, reason)))) {
            json_array_append(items, j);
            *next = id;
        }
        if (j && id == *before)
            *before = NO_ID; /* the next one is the first that is wanted */
        json_decref(j);
        end = start;
    }
    unmap(v);
}

json_t *deadletter_list(struct deadletter *d, int64_t before, int limit,
                        const char *reason, int64_t *next, struct err *e)
{
    (void)e;
    json_t *items = json_array();
    int64_t last = NO_ID;
    pthread_mutex_lock(&d->lock); /* no rotation meanwhile */
    list_file(d->path, &before, (size_t)limit, reason, items, &last);
    list_file(d->older, &before, (size_t)limit, reason, items, &last);
    pthread_mutex_unlock(&d->lock);
    *next = json_array_size(items) == (size_t)limit ? last : NO_ID;
    return items;
}

/* ---- life
 * -------------------------------------------------------------------------------- */

/* The ids from `from` on among the newest lines of a file: what was written after the
 * cursor was last saved. */
static void load_again(struct deadletter *d, const char *path, int64_t from)
{
    struct view v = map(path);
    for (size_t end = v.n, lines = 0; end && lines < AGAIN_LINES; lines++) {
        end -= v.data[end - 1] == '\n';
        const char *nl = end ? memrchr(v.data, '\n', end) : NULL;
        size_t start = nl ? (size_t)(nl - v.data) + 1 : 0;
        int64_t id = 0;
        json_t *j = parse_line(v.data + start, end - start, &id);
        if (j && id >= from) {
            if (d->n_again == d->cap_again) {
                d->cap_again = d->cap_again ? d->cap_again * 2 : 64;
                d->again = xrealloc(d->again, d->cap_again * sizeof *d->again);
            }
            const char *reason = json_string_value(json_object_get(j, "reason"));
            d->again[d->n_again++] =
                letter_hash(id, reason ? reason : "",
                            json_string_value(json_object_get(j, "detail")));
        }
        json_decref(j);
        end = start;
    }
    unmap(v);
}

struct deadletter *deadletter_open(const char *dir, int64_t max_bytes, int64_t from,
                                   struct err *e)
{
    struct deadletter *d = xcalloc(1, sizeof *d);
    pthread_mutex_init(&d->lock, NULL);
    d->max_bytes = max_bytes;
    d->path = xasprintf("%s/deadletters.jsonl", dir);
    d->older = xasprintf("%s/deadletters.1.jsonl", dir);
    d->fd = open(d->path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
    struct stat st;
    if (d->fd < 0 || fstat(d->fd, &st)) {
        err_set(e, ERR_UNAVAILABLE, "could not open %s: %s", d->path, strerror(errno));
        deadletter_close(d);
        return NULL;
    }
    d->size = st.st_size;
    char last = '\n';
    if (d->size && pread(d->fd, &last, 1, d->size - 1) == 1)
        d->unfinished = last != '\n';
    load_again(d, d->path, from);
    load_again(d, d->older, from);
    return d;
}

void deadletter_close(struct deadletter *d)
{
    if (!d)
        return;
    if (d->fd >= 0)
        close(d->fd);
    pthread_mutex_destroy(&d->lock);
    free(d->path);
    free(d->older);
    free(d->again);
    free(d);
}
