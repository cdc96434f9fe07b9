/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "services/ingest/changes.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/mem.h"

struct change {
    struct device *device;
    int32_t from, to;
};

struct changes {
    pthread_mutex_t lock;
    char epoch[20];
    struct change *ring; /* change k at k % cap; owned */
    size_t cap;
    uint64_t n; /* ever added */
    int64_t hour_ms;
};

struct changes *changes_new(uint64_t epoch)
{
    struct changes *c = xcalloc(1, sizeof *c);
    pthread_mutex_init(&c->lock, NULL);
    snprintf(c->epoch, sizeof c->epoch, "%016" PRIx64, epoch);
    c->hour_ms = INT64_MIN;
    return c;
}

void changes_free(struct changes *c)
{
    if (!c)
        return;
    pthread_mutex_destroy(&c->lock);
    free(c->ring);
    free(c);
}

/* Doubles until CHANGES_MAX; before that nothing was overwritten, so order stays. */
static void grow(struct changes *c)
{
    if (c->n < c->cap || c->cap == CHANGES_MAX)
        return;
    c->cap = c->cap ? c->cap * 2 : 1024;
    c->ring = xrealloc(c->ring, c->cap * sizeof *c->ring);
}

void changes_add(struct changes *c, const struct hour_range *r, size_t n)
{
    pthread_mutex_lock(&c->lock);
    for (size_t i = 0; i < n; i++) {
        grow(c);
        c->ring[c->n++ % c->cap] = (struct change){r[i].device, r[i].from, r[i].to};
    }
    pthread_mutex_unlock(&c->lock);
}

void changes_rolled_up(struct changes *c, int64_t hour_ms)
{
    pthread_mutex_lock(&c->lock);
    c->hour_ms = hour_ms;
    pthread_mutex_unlock(&c->lock);
}

int64_t changes_hour(struct changes *c)
{
    pthread_mutex_lock(&c->lock);
    int64_t t = c->hour_ms;
    pthread_mutex_unlock(&c->lock);
    return t;
}

/* With the lock held: the items from k on. */
static json_t *items_from(const struct changes *c, uint64_t k)
{
    json_t *items = json_array();
    for (; k < c->n; k++) {
        const struct change *x = &c->ring[k % c->cap];
        json_array_append_new(items,
                              json_pack("{s:s, s:I, s:I}", "device", x->device->name,
                                        "from_ms", (json_int_t)(x->from * HOUR_MS),
                                        "to_ms", (json_int_t)(x->to * HOUR_MS)));
    }
    return items;
}

json_t *changes_since(struct changes *c, const char *after, struct err *e)
{
    uint64_t k = 0;
    bool known = false;
    if (after && *after) {
        const char *colon = strchr(after, ':');
        char *end = NULL;
        k = colon ? strtoull(colon + 1, &end, 10) : 0;
        if (!colon || end == colon + 1 || *end || colon[1] == '-') {
            err_set(e, ERR_INVALID,
                    "after must be \"epoch:cursor\" of an earlier answer, not "
                    "\"%.60s\"",
                    after);
            return NULL;
        }
        known = (size_t)(colon - after) == strlen(c->epoch) &&
                !strncmp(after, c->epoch, strlen(c->epoch));
    }
    char hour[CLOCK_RFC3339_SIZE];
    pthread_mutex_lock(&c->lock);
    known = known && k <= c->n && c->n - k <= c->cap;
    json_t *j = json_pack("{s:s, s:I, s:b}", "epoch", c->epoch, "cursor",
                          (json_int_t)c->n, "reset", !known);
    json_object_set_new(j, "rolled_up",
                        c->hour_ms == INT64_MIN
                            ? json_null()
                            : json_string(clock_format(c->hour_ms, hour)));
    json_object_set_new(j, "items", known ? items_from(c, k) : json_array());
    pthread_mutex_unlock(&c->lock);
    return j;
}
