/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The devices: a table by name and by number. */
#include "services/ingest/ledger_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/fnv.h"
#include "common/log.h"
#include "common/mem.h"

#define SEEN_METRICS                                                                     \
    400 /* below METRICS_MAX_SAMPLES, where a sample would become "other" */

static uint64_t hash(const char *name)
{
    uint64_t h = fnv_text(FNV_BASIS, name);
    return h ^ h >> 32;
}

/* The slot that has the name, or the one that is free for it. */
static struct slot *slot_of(const struct ledger *l, uint64_t h, const char *name)
{
    for (size_t i = h;; i++) {
        struct slot *s = &l->slot[i & (l->n_slots - 1)];
        if (!s->device || (s->hash == h && !strcmp(s->device->name, name)))
            return s;
    }
}

struct device *ledger_find_in(const struct ledger *l, const char *name)
{
    return slot_of(l, hash(name), name)->device;
}

static void put(struct ledger *l, struct device *d)
{
    uint64_t h = hash(d->name);
    *slot_of(l, h, d->name) = (struct slot){h, d};
}

static void grow(struct ledger *l)
{
    l->cap = l->cap ? l->cap * 2 : 64;
    l->at = xrealloc(l->at, l->cap * sizeof(struct device *));
    l->n_slots = 2 * l->cap;
    free(l->slot);
    l->slot = xcalloc(l->n_slots, sizeof *l->slot);
    for (size_t i = 0; i < l->n; i++)
        put(l, l->at[i]);
}

struct device *ledger_add(struct ledger *l, const char *name, const char *raw)
{
    if (l->n == l->cap)
        grow(l);
    struct device *d = xcalloc(1, sizeof *d);
    strcpy(d->name, name);
    d->raw = strcmp(name, raw) ? xstrdup(raw) : d->name;
    d->index = (uint32_t)l->n;
    d->last_seen_ms = d->arrival_ms = INT64_MIN;
    d->source = TIME_NONE;
    d->online = -1;
    ack_init(&d->ack);
    put(l, d);
    l->at[l->n++] = d;
    if (l->metrics && l->n <= SEEN_METRICS) {
        char labels[DEVICE_MAX + 16];
        snprintf(labels, sizeof labels, "sensor=\"%s\"",
                 name); /* plain characters only */
        d->seen_metric =
            metric_gauge(l->metrics, "fieldcast_sensor_last_seen_timestamp_seconds",
                         "When a device was last heard.", labels);
    }
    return d;
}

struct ledger *ledger_open(const char *path, size_t max, struct metrics *m, struct err *e)
{
    struct ledger *l = xcalloc(1, sizeof *l);
    l->fd = -1;
    pthread_mutex_init(&l->lock, NULL);
    l->max = max;
    l->metrics = m;
    grow(l);
    if (ledger_load(l, path, e)) {
        ledger_close(l);
        return NULL;
    }
    return l;
}

void ledger_close(struct ledger *l)
{
    if (!l)
        return;
    for (size_t i = 0; i < l->n; i++) {
        quality_free(l->at[i]->quality);
        ack_done(&l->at[i]->ack);
        gaps_done(&l->at[i]->gaps);
        if (l->at[i]->raw != l->at[i]->name)
            free(l->at[i]->raw);
        free(l->at[i]->names);
        free(l->at[i]);
    }
    if (l->fd >= 0)
        close(l->fd);
    free(l->at);
    free(l->slot);
    pthread_mutex_destroy(&l->lock);
    free(l);
}

/* Two spellings of one MAC are one id. */
static bool same_id(const struct device *d, const char *name, const char *raw)
{
    return !strcmp(d->raw, raw) ||
           (strlen(name) == 12 && strlen(raw) == 17 && strlen(d->raw) == 17);
}

enum reject ledger_device(struct ledger *l, const char *name, const char *raw, bool make,
                          struct device **d, struct err *e)
{
    enum reject r = REJECT_NONE;
    pthread_mutex_lock(&l->lock);
    *d = ledger_find_in(l, name);
    if (*d && !same_id(*d, name, raw)) {
        r = REJECT_DEVICE_CLASH;
        err_kind(
            e, ERR_INVALID, reject_name(r),
            "the ids \"%.130s\" and \"%.130s\" both become the device %s: rename one",
            (*d)->raw, raw, name);
    } else if (!*d && l->n >= l->max) {
        r = REJECT_TOO_MANY_DEVICES;
        err_kind(e, ERR_INVALID, reject_name(r),
                 "the device %s would be one more than %zu (FC_DEVICES_MAX)", name,
                 l->max);
    } else if (!*d && make) {
        struct err why = ERR_INIT;
        *d = ledger_add(l, name, raw);
        (*d)->is_new = true;
        if (ledger_remember(l, &why) && !l->said) {
            log_warn("%s", why.text);
            l->said = true;
        }
    }
    pthread_mutex_unlock(&l->lock);
    return r;
}

struct device *ledger_find(struct ledger *l, const char *name)
{
    pthread_mutex_lock(&l->lock);
    struct device *d = ledger_find_in(l, name);
    pthread_mutex_unlock(&l->lock);
    return d;
}

struct device *ledger_at(struct ledger *l, uint32_t index)
{
    pthread_mutex_lock(&l->lock);
    struct device *d = index < l->n ? l->at[index] : NULL;
    pthread_mutex_unlock(&l->lock);
    return d;
}

size_t ledger_size(struct ledger *l)
{
    pthread_mutex_lock(&l->lock);
    size_t n = l->n;
    pthread_mutex_unlock(&l->lock);
    return n;
}
