/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "services/ingest/deadletter.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "common/fnv.h"
#include "common/mem.h"
#include "services/ingest/letter_file.h"
#include "services/ingest/letter_marks.h"

#define NO_ID INT64_C(-1)
#define AGAIN_LINES 2000 /* newest letters of a file looked through after a restart */

struct deadletter {
    pthread_mutex_t lock;
    struct letter_file file;
    struct letter_marks marks; /* of those that were replayed */
    uint64_t *again; /* letters that are there already and may come again; owned */
    size_t n_again, cap_again;
    pthread_mutex_t replay;
};

/* ---- writing
 * ----------------------------------------------------------------------------- */

/* A letter is known by its record and its reason: one record may have several. */
static uint64_t letter_hash(int64_t id, const char *reason, const char *detail)
{
    uint64_t h = fnv_text((uint64_t)id ^ FNV_BASIS, reason);
    return detail ? fnv_text(h, detail) : h;
}

static bool is_again(const struct deadletter *d, uint64_t hash)
{
    for (size_t i = 0; i < d->n_again; i++)
        if (d->again[i] == hash)
            return true;
    return false;
}

int deadletter_add(struct deadletter *d, int64_t id, const struct wal_record *rec,
                   enum reject why, const char *detail, const char *device,
                   const struct letter_extra *extra, struct err *e)
{
    struct buf b;
    int rc = 0;
    buf_init(&b, LETTER_LINE_MAX);
    letter_line_write(&b, id, rec, why, detail, device, extra);
    pthread_mutex_lock(&d->lock);
    if (!is_again(d, letter_hash(id, reject_name(why), detail)))
        rc = letter_file_put(&d->file, &b, e);
    pthread_mutex_unlock(&d->lock);
    buf_done(&b);
    return rc;
}

/* ---- reading
 * ----------------------------------------------------------------------------- */

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
    const struct letter_marks *marks;
    int64_t before, next;
    json_t *items;
    uint64_t *keys;
};

/* Ids do not descend strictly: what InfluxDB refuses comes later than what could not be
 * decoded. */
static bool list_line(void *arg, const char *line, size_t len)
{
    struct search *s = arg;
    int64_t id = 0;
    if (json_array_size(s->items) >= (size_t)s->q->limit)
        return false;
    uint64_t key = line_key(line, len);
    bool done = letter_marks_has(s->marks, key);
    json_t *j = letter_line_parse(line, len, &id);
    if (j && s->before < 0 && done == s->q->replayed && is_wanted(s->q, j, id)) {
        if (s->keys)
            s->keys[json_array_size(s->items)] = key;
        json_array_append(s->items, j);
        s->next = id;
    }
    if (j && id == s->before)
        s->before = NO_ID; /* the next one is the first that is wanted */
    json_decref(j);
    return true;
}

json_t *deadletter_list(struct deadletter *d, const struct letter_query *q,
                        uint64_t *keys, int64_t *next, struct err *e)
{
    (void)e;
    struct search s = {q, &d->marks, q->before, NO_ID, json_array(), keys};
    pthread_mutex_lock(&d->lock); /* no rotation meanwhile */
    letter_file_each(d->file.path, list_line, &s);
    letter_file_each(d->file.older, list_line, &s);
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

/* What was written after the cursor was last saved: the ids from `from` on among the
 * newest lines of a file. */
struct again {
    struct deadletter *d;
    int64_t from;
    int lines;
};

static bool load_line(void *arg, const char *line, size_t len)
{
    struct again *a = arg;
    struct deadletter *d = a->d;
    int64_t id = 0;
    json_t *j = letter_line_parse(line, len, &id);
    if (j && id >= a->from) {
        if (d->n_again == d->cap_again) {
            d->cap_again = d->cap_again ? d->cap_again * 2 : 64;
            d->again = xrealloc(d->again, d->cap_again * sizeof *d->again);
        }
        const char *reason = json_string_value(json_object_get(j, "reason"));
        d->again[d->n_again++] = letter_hash(
            id, reason ? reason : "", json_string_value(json_object_get(j, "detail")));
    }
    json_decref(j);
    return ++a->lines < AGAIN_LINES;
}

static void load_again(struct deadletter *d, const char *path, int64_t from)
{
    letter_file_each(path, load_line, &(struct again){d, from, 0});
}

struct deadletter *deadletter_open(const char *dir, int64_t max_bytes, int64_t from,
                                   struct err *e)
{
    struct deadletter *d = xcalloc(1, sizeof *d);
    char *marks = xasprintf("%s/deadletters.replayed", dir);
    pthread_mutex_init(&d->lock, NULL);
    pthread_mutex_init(&d->replay, NULL);
    int rc = letter_file_open(&d->file, dir, max_bytes, e);
    if (!rc) {
        load_again(d, d->file.path, from);
        load_again(d, d->file.older, from);
        rc = letter_marks_open(&d->marks, marks, e);
    }
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
    letter_file_close(&d->file);
    letter_marks_close(&d->marks);
    pthread_mutex_destroy(&d->replay);
    pthread_mutex_destroy(&d->lock);
    free(d->again);
    free(d);
}
