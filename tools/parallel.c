/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tools/parallel.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

#include "common/mem.h"

struct slot {
    void *item;
    struct buf out;
    struct err e;
    bool done;
};

/* Answers wait in a ring of slots; whoever makes the next one due tells it and those that
 * wait behind it. */
struct pool {
    pthread_mutex_t take_lock; /* before `lock` where both are held */
    size_t next;               /* of take_lock, as are these */
    bool ended;
    struct err failed; /* of take() */
    pthread_mutex_t lock;
    pthread_cond_t told; /* next_told moved on */
    struct slot *ring;
    size_t size, bytes, next_told;
    bool telling;
    const struct parallel_items *how;
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
        if (!s->done)
            break;
        pthread_mutex_unlock(&p->lock);
        p->how->tell(p->arg, p->next_told, s->item, &s->out, &s->e);
        buf_done(&s->out);
        p->how->drop(s->item);
        pthread_mutex_lock(&p->lock);
        s->done = false;
        p->next_told++;
        pthread_cond_broadcast(&p->told);
    }
    p->telling = false;
}

/* A slot with the next item, when there is room for its answer; NULL at the end. */
static struct slot *take(struct pool *p)
{
    struct slot *s = NULL;
    pthread_mutex_lock(&p->take_lock);
    pthread_mutex_lock(&p->lock);
    while (p->next >= p->next_told + p->size)
        pthread_cond_wait(&p->told, &p->lock);
    pthread_mutex_unlock(&p->lock);
    if (!p->ended) {
        s = &p->ring[p->next % p->size];
        if (p->how->take(p->arg, &s->item, &p->failed) == 1) {
            p->next++;
        } else {
            p->ended = true;
            s = NULL;
        }
    }
    pthread_mutex_unlock(&p->take_lock);
    return s;
}

static void *run(void *arg)
{
    struct pool *p = arg;
    struct slot *s;
    while ((s = take(p))) {
        buf_init(&s->out, p->bytes);
        s->e = (struct err)ERR_INIT;
        p->how->work(p->arg, s->item, &s->out, &s->e);
        pthread_mutex_lock(&p->lock);
        s->done = true;
        tell_due(p);
        pthread_mutex_unlock(&p->lock);
    }
    return NULL;
}

int parallel_items(size_t threads, size_t bytes, const struct parallel_items *how,
                   void *arg, struct err *e)
{
    struct pool p = {
        .size = threads * PARALLEL_AHEAD, .bytes = bytes, .how = how, .arg = arg};
    pthread_t *thread = xcalloc(threads + 1, sizeof *thread);
    size_t running = 0;
    pthread_mutex_init(&p.take_lock, NULL);
    pthread_mutex_init(&p.lock, NULL);
    pthread_cond_init(&p.told, NULL);
    p.ring = xcalloc(p.size + 1, sizeof *p.ring);
    while (running < threads && !pthread_create(&thread[running], NULL, run, &p))
        running++;
    for (size_t i = 0; i < running; i++)
        pthread_join(thread[i], NULL);
    pthread_cond_destroy(&p.told);
    pthread_mutex_destroy(&p.lock);
    pthread_mutex_destroy(&p.take_lock);
    free(p.ring);
    free(thread);
    if (p.failed.code && e)
        *e = p.failed;
    if (!running)
        return err_set(e, ERR_INTERNAL, "no thread could be started");
    return p.failed.code ? -1 : 0;
}

/* ---- items that are numbers ---- */

struct numbers {
    size_t n, next;
    int (*work)(void *arg, size_t i, struct buf *out, struct err *e);
    void (*tell)(void *arg, size_t i, const struct buf *out, const struct err *e);
    void *arg;
};

static int number_take(void *arg, void **item, struct err *e)
{
    struct numbers *all = arg;
    (void)e;
    if (all->next == all->n)
        return 0;
    size_t *i = xmalloc(sizeof *i);
    *i = all->next++;
    *item = i;
    return 1;
}

static int number_work(void *arg, void *item, struct buf *out, struct err *e)
{
    const struct numbers *all = arg;
    return all->work(all->arg, *(size_t *)item, out, e);
}

static void number_tell(void *arg, size_t i, void *item, const struct buf *out,
                        const struct err *e)
{
    const struct numbers *all = arg;
    (void)item;
    all->tell(all->arg, i, out, e);
}

int parallel(size_t threads, size_t n, size_t bytes,
             int (*work)(void *arg, size_t i, struct buf *out, struct err *e),
             void (*tell)(void *arg, size_t i, const struct buf *out,
                          const struct err *e),
             void *arg, struct err *e)
{
    static const struct parallel_items how = {number_take, number_work, number_tell,
                                              free};
    struct numbers all = {.n = n, .work = work, .tell = tell, .arg = arg};
    if (!n)
        return 0;
    return parallel_items(threads < 1   ? 1
                          : threads > n ? n
                                        : threads,
                          bytes, &how, &all, e);
}
