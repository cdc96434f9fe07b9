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
#include "common/fnv.h"
#include "common/json.h"
#include "common/log.h"
#include "common/mem.h"
#include "services/ingest/account.h"
#include "services/ingest/letter_marks.h"
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
    pthread_mutex_t replay;
    struct letter_marks marks; /* of those that were replayed */
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
    uint64_t h = fnv_add((uint64_t)id ^ FNV_BASIS, reason, strlen(reason));
    return detail ? fnv_add(h, detail, strlen(detail)) : h;
}

static bool is_again(const struct deadletter *d, uint64_t hash)
{
    for (size_t i = 0; i < d->n_again; i++)
        if (d->again[i] == hash)
            return true;
    return false;
}

static void add_items(struct buf *b, const json_t *items, const char **comma)
{
    const json_t *j;
    size_t i;
    json_array_foreach(items, i, j)
    {
        buf_adds(b, *comma);
        json_write(b, j);
        *comma = ",";
    }
}

static void add_extra(struct buf *b, const struct wal_record *rec,
                      const struct letter_extra *extra)
{
    const char *comma = "";
    if (rec->flags & WAL_RETAIN)
        buf_adds(b, ",\"retain\":true");
    if (rec->flags & WAL_HTTP)
        buf_adds(b, ",\"http\":true");
    if (extra && extra->logged)
        buf_adds(b, ",\"logged\":true");
    if (extra && (json_array_size(extra->taken) || json_array_size(extra->before))) {
        buf_adds(b, ",\"taken\":[");
        add_items(b, extra->before, &comma);
        add_items(b, extra->taken, &comma);
        buf_addc(b, ']');
    }
    if (extra && extra->point) {
        buf_adds(b, ",\"point\":");
        account_write_item(b, extra->point);
    }
}

int deadletter_add(struct deadletter *d, int64_t id, const struct wal_record *rec,
                   enum reject why, const char *detail, const char *device,
                   const struct letter_extra *extra, struct err *e)
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
    buf_adds(&b, rec->flags & WAL_CUT ? ",\"cut\":true" : "");
    add_extra(&b, rec, extra);
    buf_adds(&b, "}\n");
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

/* A letter is replayed by its line: one record may have several. */
static uint64_t line_key(const char *p, size_t n)
{
    return fnv_add(FNV_BASIS, p, n);
}

static bool is_wanted(const struct letter_query *q, const json_t *letter, int64_t id)
{
    const char *r = json_string_value(json_object_get(letter, "reason"));
    const json_t *one;
    size_t i;
    if (*q->reason && (!r || strcmp(r, q->reason) != 0))
        return false;
    if (!q->ids)
        return true;
    json_array_foreach(q->ids, i, one)
    {
        if (json_integer_value(one) == id)
            return true;
    }
    return false;
}

/* What is looked for, and what was found. */
struct search {
    const struct letter_query *q;
    int64_t before, next;
    json_t *items;
    uint64_t *keys;
};

/* From the end of a file to its beginning. Ids do not descend strictly: what InfluxDB
 * refuses comes later than what could not be decoded. */
static void list_file(const struct deadletter *d, const char *path, struct search *s)
{
    struct view v = map(path);
    size_t end = v.n;
    while (end && json_array_size(s->items) < (size_t)s->q->limit) {
        end -= v.data[end - 1] == '\n';
        const char *nl = end ? memrchr(v.data, '\n', end) : NULL;
        size_t start = nl ? (size_t)(nl - v.data) + 1 : 0;
        int64_t id = 0;
        uint64_t key = line_key(v.data + start, end - start);
        bool done = letter_marks_has(&d->marks, key);
        json_t *j = parse_line(v.data + start, end - start, &id);
        if (j && s->before < 0 && done == s->q->replayed && is_wanted(s->q, j, id)) {
            if (s->keys)
                s->keys[json_array_size(s->items)] = key;
            json_array_append(s->items, j);
            s->next = id;
        }
        if (j && id == s->before)
            s->before = NO_ID; /* the next one is the first that is wanted */
        json_decref(j);
        end = start;
    }
    unmap(v);
}

json_t *deadletter_list(struct deadletter *d, const struct letter_query *q,
                        uint64_t *keys, int64_t *next, struct err *e)
{
    (void)e;
    struct search s = {q, q->before, NO_ID, json_array(), keys};
    pthread_mutex_lock(&d->lock); /* no rotation meanwhile */
    list_file(d, d->path, &s);
    list_file(d, d->older, &s);
    pthread_mutex_unlock(&d->lock);
    *next = json_array_size(s.items) == (size_t)q->limit ? s.next : NO_ID;
    return s.items;
}

int deadletter_mark(struct deadletter *d, uint64_t key, struct err *e)
{
    pthread_mutex_lock(&d->lock);
    int rc = letter_marks_add(&d->marks, key, e);
    pthread_mutex_unlock(&d->lock);
    return rc;
}

void deadletter_hold(struct deadletter *d)
{
    pthread_mutex_lock(&d->replay);
}

void deadletter_release(struct deadletter *d)
{
    pthread_mutex_unlock(&d->replay);
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
    pthread_mutex_init(&d->replay, NULL);
    d->fd = -1;
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
    char *marks = xasprintf("%s/deadletters.replayed", dir);
    int rc = letter_marks_open(&d->marks, marks, e);
    free(marks);
    if (!rc)
        return d;
    deadletter_close(d);
    return NULL;
}

void deadletter_close(struct deadletter *d)
{
    if (!d)
        return;
    if (d->fd >= 0)
        close(d->fd);
    letter_marks_close(&d->marks);
    pthread_mutex_destroy(&d->replay);
    pthread_mutex_destroy(&d->lock);
    free(d->path);
    free(d->older);
    free(d->again);
    free(d);
}
