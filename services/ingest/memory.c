/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "services/ingest/memory.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "services/ingest/memory_file.h"

struct memo {
    atomic_uint users; /* the memory itself is one */
    char *topic;       /* owned */
    void *payload;     /* owned */
    size_t len;
    const struct memo_kind *kind; /* NULL: nothing was made yet */
    void *made;                   /* owned */
};

struct memory {
    pthread_mutex_t lock; /* everything */
    struct memo **memo;   /* n of cap, by topic; owned */
    size_t n, cap, bytes;
    struct memory_file *file;
};

/* ---- one entry
 * --------------------------------------------------------------------------- */

static struct memo *memo_new(const char *topic, const void *payload, size_t len)
{
    struct memo *o = xcalloc(1, sizeof *o);
    atomic_init(&o->users, 1);
    o->topic = xstrdup(topic);
    o->payload = xmalloc(len + 1);
    if (len)
        memcpy(o->payload, payload, len);
    o->len = len;
    return o;
}

void memo_release(struct memo *o)
{
    if (!o || atomic_fetch_sub(&o->users, 1) != 1)
        return;
    if (o->made)
        o->kind->free(o->made);
    free(o->topic);
    free(o->payload);
    free(o);
}

const void *memo_made(const struct memo *o)
{
    return o->made;
}

static size_t weight(const struct memo *o)
{
    return strlen(o->topic) + o->len;
}

/* ---- all of them, with the lock held
 * ----------------------------------------------------------------- */

/* The first whose topic is not before this one. */
static size_t place(const struct memory *m, const char *topic)
{
    size_t lo = 0, hi = m->n;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (strcmp(m->memo[mid]->topic, topic) < 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

static struct memo *find(const struct memory *m, const char *topic)
{
    size_t i = place(m, topic);
    return i < m->n && !strcmp(m->memo[i]->topic, topic) ? m->memo[i] : NULL;
}

/* How many from i on begin so. */
static size_t count_under(const struct memory *m, size_t i, const char *prefix)
{
    size_t begin = i, len = strlen(prefix);
    while (i < m->n && !strncmp(m->memo[i]->topic, prefix, len))
        i++;
    return i - begin;
}

static void cut_out(struct memory *m, size_t at, size_t n)
{
    if (!n)
        return;
    for (size_t i = at; i < at + n; i++) {
        m->bytes -= weight(m->memo[i]);
        memo_release(m->memo[i]);
    }
    memmove(m->memo + at, m->memo + at + n, (m->n - at - n) * sizeof *m->memo);
    m->n -= n;
}

static void forget(struct memory *m, const char *topic)
{
    if (find(m, topic))
        cut_out(m, place(m, topic), 1);
}

static void forget_under(struct memory *m, const char *prefix)
{
    size_t at = place(m, prefix);
    cut_out(m, at, count_under(m, at, prefix));
}

static void put(struct memory *m, const char *topic, const void *payload, size_t len)
{
    forget(m, topic);
    if (m->n == m->cap) {
        m->cap = m->cap ? m->cap * 2 : 64;
        m->memo = xrealloc(m->memo, m->cap * sizeof(struct memo *));
    }
    size_t at = place(m, topic);
    memmove(m->memo + at + 1, m->memo + at, (m->n - at) * sizeof *m->memo);
    m->memo[at] = memo_new(topic, payload, len);
    m->bytes += weight(m->memo[at]);
    m->n++;
}

/* Would it fit, with what the change forgets out of the way? */
static int limits(const struct memory *m, const struct memory_change *c, struct err *e)
{
    const struct memo *old = find(m, c->topic);
    size_t n = m->n - (old != NULL), bytes = m->bytes - (old ? weight(old) : 0);
    if (strlen(c->topic) > WAL_TOPIC_MAX)
        return err_set(e, ERR_TOO_LARGE, "a topic has more than %d bytes", WAL_TOPIC_MAX);
    if (c->len > MEMORY_PAYLOAD_MAX)
        return err_set(e, ERR_TOO_LARGE,
                       "%.200s has %zu bytes: at most %u can be remembered", c->topic,
                       c->len, MEMORY_PAYLOAD_MAX);
    if (c->forget_under) {
        size_t at = place(m, c->forget_under), gone = count_under(m, at, c->forget_under);
        for (size_t i = at; i < at + gone; i++)
            bytes -= weight(m->memo[i]);
        n -= gone;
    }
    if (n >= MEMORY_TOPICS)
        return err_set(e, ERR_TOO_LARGE,
                       "%zu births and descriptions are remembered: there is no room for "
                       "that of %.200s",
                       n, c->topic);
    if (bytes + strlen(c->topic) + c->len > MEMORY_BYTES)
        return err_set(e, ERR_TOO_LARGE,
                       "%zu bytes of births and descriptions are remembered: there is no "
                       "room for the %zu of %.200s",
                       bytes, c->len, c->topic);
    return 0;
}

/* ---- the file
 * ---------------------------------------------------------------------------- */

static struct wal_record record(unsigned flags, const char *topic, const void *payload,
                                size_t len)
{
    return (struct wal_record){.flags = flags,
                               .topic = topic,
                               .topic_len = strlen(topic),
                               .payload = payload,
                               .len = len};
}

static bool nth(void *arg, size_t i, struct wal_record *r)
{
    const struct memory *m = arg;
    if (i >= m->n)
        return false;
    *r = record(0, m->memo[i]->topic, m->memo[i]->payload, m->memo[i]->len);
    return true;
}

static void apply(struct memory *m, const struct wal_record *r)
{
    if (r->flags & MEMORY_FILE_FORGET_UNDER)
        forget_under(m, r->topic);
    else if (r->flags & MEMORY_FILE_FORGET)
        forget(m, r->topic);
    else
        put(m, r->topic, r->payload, r->len);
}

/* A record of the file. What lies there kept the limits once; a file that somebody made
 * need not. */
static void take(void *arg, const struct wal_record *r)
{
    struct memory *m = arg;
    struct memory_change c = {.topic = r->topic, .len = r->len};
    struct err e = ERR_INIT;
    if (r->flags || limits(m, &c, &e) == 0)
        apply(m, r);
}

/* The records that a change needs: none if it changes nothing. */
static size_t records(const struct memory *m, const struct memory_change *c, bool put_it,
                      struct wal_record r[2])
{
    const struct memo *old = find(m, c->topic);
    size_t n = 0;
    if (c->forget_under && count_under(m, place(m, c->forget_under), c->forget_under))
        r[n++] = record(MEMORY_FILE_FORGET_UNDER, c->forget_under, NULL, 0);
    if (put_it) {
        if (!old || old->len != c->len ||
            (c->len && memcmp(old->payload, c->payload, c->len) != 0))
            r[n++] = record(0, c->topic, c->payload, c->len);
    } else if (old && (c->forget || c->put)) {
        r[n++] = record(MEMORY_FILE_FORGET, c->topic, NULL, 0);
    }
    return n;
}

/* With the lock held. */
static int change(struct memory *m, const struct memory_change *c, struct err *e)
{
    struct wal_record r[2];
    struct err why = ERR_INIT;
    bool fits = !c->put || limits(m, c, &why) == 0;
    size_t n = records(m, c, c->put && fits, r);
    if (n && memory_file_append(m->file, r, n, e))
        return -1;
    for (size_t i = 0; i < n; i++)
        apply(m, &r[i]);
    if (n && memory_file_grown(m->file, m->bytes + m->n * WAL_HEADER))
        memory_file_rewrite(m->file, nth, m);
    if (!fits && e)
        *e = why;
    return fits ? 0 : -1;
}

int memory_change(struct memory *m, const struct memory_change *c, struct err *e)
{
    pthread_mutex_lock(&m->lock);
    int rc = change(m, c, e);
    pthread_mutex_unlock(&m->lock);
    return rc;
}

struct memory *memory_open(const char *dir, bool power, struct err *e)
{
    struct memory *m = xcalloc(1, sizeof *m);
    pthread_mutex_init(&m->lock, NULL);
    m->file = memory_file_open(dir, power, take, m, e);
    if (m->file) {
        if (memory_file_grown(m->file, m->bytes + m->n * WAL_HEADER))
            memory_file_rewrite(m->file, nth, m);
        return m;
    }
    memory_close(m);
    return NULL;
}

void memory_close(struct memory *m)
{
    if (!m)
        return;
    memory_file_close(m->file);
    cut_out(m, 0, m->n);
    free(m->memo);
    pthread_mutex_destroy(&m->lock);
    free(m);
}

/* ---- looking up
 * ------------------------------------------------------------------------------ */

/* The lock is not part of what a reader sees. */
static pthread_mutex_t *lock_of(const struct memory *m)
{
    return &((struct memory *)m)->lock;
}

size_t memory_topics(const struct memory *m)
{
    pthread_mutex_lock(lock_of(m));
    size_t n = m->n;
    pthread_mutex_unlock(lock_of(m));
    return n;
}

size_t memory_bytes(const struct memory *m)
{
    pthread_mutex_lock(lock_of(m));
    size_t bytes = m->bytes;
    pthread_mutex_unlock(lock_of(m));
    return bytes;
}

struct memo *memory_find(const struct memory *m, const char *topic,
                         const struct memo_kind *kind)
{
    if (!m)
        return NULL;
    pthread_mutex_lock(lock_of(m));
    struct memo *o = find(m, topic);
    if (o) {
        atomic_fetch_add(&o->users, 1);
        if (!o->kind) {
            o->kind = kind;
            o->made = kind->make(o->payload, o->len);
        }
    }
    pthread_mutex_unlock(lock_of(m));
    return o;
}

void memory_each(const struct memory *m, const char *prefix,
                 bool (*see)(void *arg, const char *topic), void *arg)
{
    if (!m)
        return;
    pthread_mutex_lock(lock_of(m));
    size_t at = place(m, prefix), end = at + count_under(m, at, prefix);
    while (at < end && see(arg, m->memo[at]->topic))
        at++;
    pthread_mutex_unlock(lock_of(m));
}
