/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "services/predictor/versions.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "common/reading.h"
#include "common/registry_models.h"

struct slot {
    char name[SERIES_MAX + 1];
    struct version *version; /* NULL: empty. owned reference */
    uint64_t used;           /* the larger, the later */
};

struct versions {
    pthread_mutex_t lock;
    struct pg_pool *pool;
    size_t n;
    uint64_t now;
    struct slot slots[];
};

struct versions *versions_new(size_t keep, struct pg_pool *pool)
{
    struct versions *c = xcalloc(1, sizeof *c + keep * sizeof *c->slots);
    pthread_mutex_init(&c->lock, NULL);
    c->pool = pool;
    c->n = keep;
    return c;
}

void versions_free(struct versions *c)
{
    if (!c)
        return;
    for (size_t i = 0; i < c->n; i++)
        version_put(c->slots[i].version);
    pthread_mutex_destroy(&c->lock);
    free(c);
}

static struct version *find(struct versions *c, const char *name, int number)
{
    struct version *v = NULL;
    pthread_mutex_lock(&c->lock);
    for (size_t i = 0; i < c->n && !v; i++)
        if (c->slots[i].version && c->slots[i].version->number == number &&
            !strcmp(c->slots[i].name, name)) {
            c->slots[i].used = ++c->now;
            v = version_ref(c->slots[i].version);
        }
    pthread_mutex_unlock(&c->lock);
    return v;
}

void versions_keep(struct versions *c, const char *name, struct version *v)
{
    pthread_mutex_lock(&c->lock);
    struct slot *oldest = &c->slots[0];
    for (size_t i = 1; i < c->n; i++)
        if (c->slots[i].used < oldest->used)
            oldest = &c->slots[i];
    version_put(oldest->version);
    oldest->version = version_ref(v);
    oldest->used = ++c->now;
    snprintf(oldest->name, sizeof oldest->name, "%s", name);
    pthread_mutex_unlock(&c->lock);
}

struct version *versions_get(struct versions *c, const char *name, int number,
                             struct err *e)
{
    struct model_row row;
    struct version *v = find(c, name, number);
    if (v)
        return v;
    struct pg *p = pg_pool_get(c->pool, e);
    if (!p)
        return NULL;
    int rc = registry_model_get(p, name, number, NULL, &row, e);
    pg_pool_put(c->pool, p);
    if (rc)
        return NULL;
    v = version_parse(name, number, row.document, row.document_len, e);
    model_row_done(&row);
    if (v)
        versions_keep(c, name, v);
    else
        e->code = ERR_INTERNAL; /* the registry's fault, not the caller's */
    return v;
}
