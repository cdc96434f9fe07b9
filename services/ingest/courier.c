/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "services/ingest/courier.h"

#include <pthread.h>
#include <stdlib.h>

#include "common/mem.h"

struct courier {
    struct delivery *delivery;
    pthread_t thread;
    pthread_mutex_t lock; /* everything below */
    pthread_cond_t changed;
    struct batch *batch; /* on its way; NULL: none */
    int result;          /* of the last one */
    bool ending;
};

static void *run(void *arg)
{
    struct courier *c = arg;
    pthread_mutex_lock(&c->lock);
    while (!c->ending) {
        struct batch *b = c->batch;
        if (!b) {
            pthread_cond_wait(&c->changed, &c->lock);
            continue;
        }
        pthread_mutex_unlock(&c->lock);
        int rc = delivery_write(c->delivery, b);
        pthread_mutex_lock(&c->lock);
        c->result = rc;
        c->batch = NULL;
        pthread_cond_broadcast(&c->changed);
    }
    pthread_mutex_unlock(&c->lock);
    return NULL;
}

static void free_all(struct courier *c)
{
    pthread_mutex_destroy(&c->lock);
    pthread_cond_destroy(&c->changed);
    free(c);
}

struct courier *courier_new(struct delivery *d, struct err *e)
{
    struct courier *c = xcalloc(1, sizeof *c);
    c->delivery = d;
    pthread_mutex_init(&c->lock, NULL);
    pthread_cond_init(&c->changed, NULL);
    if (pthread_create(&c->thread, NULL, run, c) == 0)
        return c;
    err_set(e, ERR_INTERNAL, "could not start the thread that writes to InfluxDB");
    free_all(c);
    return NULL;
}

void courier_free(struct courier *c)
{
    if (!c)
        return;
    pthread_mutex_lock(&c->lock);
    c->ending = true;
    pthread_cond_broadcast(&c->changed);
    pthread_mutex_unlock(&c->lock);
    pthread_join(c->thread, NULL);
    free_all(c);
}

void courier_send(struct courier *c, struct batch *b)
{
    pthread_mutex_lock(&c->lock);
    c->batch = b;
    pthread_cond_broadcast(&c->changed);
    pthread_mutex_unlock(&c->lock);
}

int courier_await(struct courier *c)
{
    pthread_mutex_lock(&c->lock);
    while (c->batch)
        pthread_cond_wait(&c->changed, &c->lock);
    int rc = c->result;
    pthread_mutex_unlock(&c->lock);
    return rc;
}
