/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/http_workers.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

#include "common/mem.h"

#define STACK_BYTES 262144

struct http_workers {
    struct http_workers_opts o;
    pthread_t *thread; /* n; owned */
    int n;
    pthread_mutex_t lock; /* all below */
    pthread_cond_t wake;
    struct http_job *first, *last;
    int waiting;
    bool stopping;
};

static void *work(void *arg)
{
    struct http_workers *w = arg;
    pthread_mutex_lock(&w->lock);
    for (;;) {
        while (!w->first && !w->stopping)
            pthread_cond_wait(&w->wake, &w->lock);
        struct http_job *j = w->first;
        if (!j)
            break;
        w->first = j->next;
        if (!w->first)
            w->last = NULL;
        w->waiting--;
        pthread_mutex_unlock(&w->lock);
        w->o.run(j);
        pthread_mutex_lock(&w->lock);
    }
    pthread_mutex_unlock(&w->lock);
    return NULL;
}

int http_workers_put(struct http_workers *w, struct http_job *j, struct err *e)
{
    pthread_mutex_lock(&w->lock);
    bool stopping = w->stopping, take = w->waiting < HTTP_QUEUE_MAX && !stopping;
    if (take) {
        w->o.on_taken(j);
        j->next = NULL;
        *(w->last ? &w->last->next : &w->first) = j;
        w->last = j;
        w->waiting++;
        pthread_cond_signal(&w->wake);
    }
    pthread_mutex_unlock(&w->lock);
    if (take)
        return 0;
    return err_set(e, ERR_UNAVAILABLE, "%s; try again in a second",
                   stopping ? "the service is about to end"
                            : "too many requests are waiting");
}

struct http_workers *http_workers_new(const struct http_workers_opts *o, struct err *e)
{
    struct http_workers *w = xcalloc(1, sizeof *w);
    pthread_attr_t attr;
    w->o = *o;
    pthread_mutex_init(&w->lock, NULL);
    pthread_cond_init(&w->wake, NULL);
    w->thread = xcalloc((size_t)o->threads, sizeof *w->thread);
    pthread_attr_init(&attr);
    pthread_attr_setstacksize(&attr, STACK_BYTES);
    while (w->n < o->threads && !pthread_create(&w->thread[w->n], &attr, work, w))
        w->n++;
    pthread_attr_destroy(&attr);
    if (w->n)
        return w;
    err_set(e, ERR_INTERNAL, "could not start a worker thread for HTTP requests");
    http_workers_free(w);
    return NULL;
}

void http_workers_stop(struct http_workers *w)
{
    if (!w)
        return;
    pthread_mutex_lock(&w->lock);
    w->stopping = true;
    pthread_cond_broadcast(&w->wake);
    pthread_mutex_unlock(&w->lock);
    for (; w->n; w->n--)
        pthread_join(w->thread[w->n - 1], NULL);
}

void http_workers_free(struct http_workers *w)
{
    if (!w)
        return;
    pthread_mutex_destroy(&w->lock);
    pthread_cond_destroy(&w->wake);
    free(w->thread);
    free(w);
}
