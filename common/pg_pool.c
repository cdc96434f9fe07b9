/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/cond.h"
#include "common/pg.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#include "common/mem.h"

#define POOL_WAIT_S 5

struct pg_pool {
    pthread_mutex_t lock;
    pthread_cond_t freed;
    int n, n_idle;
    struct pg **all, **idle;
};

struct pg_pool *pg_pool_new(const char *conninfo, int n)
{
    struct pg_pool *pool = xcalloc(1, sizeof *pool);
    pthread_mutex_init(&pool->lock, NULL);
    cond_init(&pool->freed);
    pool->n = pool->n_idle = n;
    pool->all = xcalloc((size_t)n, sizeof(void *));
    pool->idle = xcalloc((size_t)n, sizeof(void *));
    for (int i = 0; i < n; i++)
        pool->all[i] = pool->idle[n - 1 - i] = pg_new(conninfo);
    return pool;
}

void pg_pool_free(struct pg_pool *pool)
{
    if (!pool)
        return;
    for (int i = 0; i < pool->n; i++)
        pg_free(pool->all[i]);
    pthread_mutex_destroy(&pool->lock);
    pthread_cond_destroy(&pool->freed);
    free(pool->all);
    free(pool->idle);
    free(pool);
}

struct pg *pg_pool_get(struct pg_pool *pool, struct err *e)
{
    struct timespec t = cond_deadline(POOL_WAIT_S * 1000);
    struct pg *p = NULL;
    pthread_mutex_lock(&pool->lock);
    while (!pool->n_idle &&
           pthread_cond_timedwait(&pool->freed, &pool->lock, &t) != ETIMEDOUT)
        ;
    if (pool->n_idle)
        p = pool->idle[--pool->n_idle];
    pthread_mutex_unlock(&pool->lock);
    if (!p)
        err_set(e, ERR_UNAVAILABLE, "all %d database connections are busy", pool->n);
    return p;
}

void pg_pool_put(struct pg_pool *pool, struct pg *p)
{
    pg_rollback(p); /* nothing half done is handed on */
    pthread_mutex_lock(&pool->lock);
    pool->idle[pool->n_idle++] = p;
    pthread_cond_signal(&pool->freed);
    pthread_mutex_unlock(&pool->lock);
}
