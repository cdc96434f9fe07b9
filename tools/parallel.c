/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tools/parallel.h"

#include <pthread.h>
#include <stdlib.h>

#include "common/mem.h"

struct slot {
    struct buf out;
    struct err e;
    bool done;
};

/* Answers wait in a ring of slots; whoever makes the next one due tells it and those that
 * wait behind it. */
struct pool {
    pthread_mutex_t lock;
    pthread_cond_t told; /* next_told moved on */
    struct slot *ring;
    size_t n, size, bytes, next, next_told;
    bool telling;
    int (*work)(void *arg, size_t i, struct buf *out, struct err *e);
    void (*tell)(void *arg, size_t i, const struct buf *out, const struct err *e);
    void *arg;
};

/* Under the lock. */
static void tell_due(struct pool *p)
{
    if (p->telling)
        return;
    p->telling = true;
    for (;;) {
        struct slot *s = &p->ring[p->next_told % p->size];
        if (p->next_told == p->n || !s->done)
            break;
        pthread_mutex_unlock(&p->lock);
        p->tell(p->arg, p->next_told, &s->out, &s->e);
        buf_done(&s->out);
        pthread_mutex_lock(&p->lock);
        s->done = false;
        p->next_told++;
        pthread_cond_broadcast(&p->told);
    }
    p->telling = false;
}

static void *run(void *arg)
{
    struct pool *p = arg;
    pthread_mutex_lock(&p->lock);
    while (p->next < p->n) {
        size_t i = p->next++;
        while (i >= p->next_told + p->size)
            pthread_cond_wait(&p->told, &p->lock);
        struct slot *s = &p->ring[i % p->size];
        pthread_mutex_unlock(&p->lock);
        buf_init(&s->out, p->bytes);
        s->e = (struct err)ERR_INIT;
        p->work(p->arg, i, &s->out, &s->e);
        pthread_mutex_lock(&p->lock);
        s->done = true;
        tell_due(p);
    }
    pthread_mutex_unlock(&p->lock);
    return NULL;
}

int parallel(size_t threads, size_t n, size_t bytes,
             int (*work)(void *arg, size_t i, struct buf *out, struct err *e),
             void (*tell)(void *arg, size_t i, const struct buf *out,
                          const struct err *e),
             void *arg, struct err *e)
{
    threads = threads < 1 ? 1 : threads > n ? n : threads;
    struct pool p = {.n = n,
                     .size = threads * PARALLEL_AHEAD,
                     .bytes = bytes,
                     .work = work,
                     .tell = tell,
                     .arg = arg};
    pthread_t *thread = xcalloc(threads + 1, sizeof *thread);
    size_t running = 0;
    pthread_mutex_init(&p.lock, NULL);
    pthread_cond_init(&p.told, NULL);
    p.ring = xcalloc(p.size + 1, sizeof *p.ring);
    while (running < threads && !pthread_create(&thread[running], NULL, run, &p))
        running++;
    for (size_t i = 0; i < running; i++)
        pthread_join(thread[i], NULL);
    pthread_cond_destroy(&p.told);
    pthread_mutex_destroy(&p.lock);
    free(p.ring);
    free(thread);
    return running || !n ? 0 : err_set(e, ERR_INTERNAL, "no thread could be started");
}
