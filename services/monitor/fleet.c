/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "services/monitor/fleet.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"

void fleet_init(struct fleet *f)
{
    *f = (struct fleet){0};
    pthread_mutex_init(&f->view, NULL);
}

static void tracked_free(struct tracked *t)
{
    for (int i = 0; i < N_ALERTS; i++)
        free(t->alert_id[i]);
    free(t->champion);
    free(t->gauges);
    free(t->settings);
    free(t->unit);
    free(t->name);
    free(t);
}

void fleet_clear(struct fleet *f)
{
    for (size_t i = 0; i < f->n; i++)
        tracked_free(f->all[i]);
    free(f->all);
    f->all = NULL;
    f->n = f->cap = f->in_order = 0;
}

void fleet_done(struct fleet *f)
{
    fleet_clear(f);
    pthread_mutex_destroy(&f->view);
}

void fleet_swap(struct fleet *a, struct fleet *b)
{
    struct fleet old = *a;
    a->all = b->all;
    a->n = b->n;
    a->cap = b->cap;
    a->in_order = b->in_order;
    b->all = old.all;
    b->n = old.n;
    b->cap = old.cap;
    b->in_order = old.in_order;
}

void fleet_lock(const struct fleet *f)
{
    pthread_mutex_lock(&((struct fleet *)f)->view);
}

void fleet_unlock(const struct fleet *f)
{
    pthread_mutex_unlock(&((struct fleet *)f)->view);
}

size_t fleet_after(const struct fleet *f, const char *after)
{
    size_t low = 0, high = f->n;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (strcmp(f->all[mid]->name, after) <= 0)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

struct tracked *fleet_find(const struct fleet *f, const char *name)
{
    size_t i = fleet_after(f, name);
    return i && !strcmp(f->all[i - 1]->name, name) ? f->all[i - 1] : NULL;
}

size_t fleet_device(const struct fleet *f, const char *device, size_t *first)
{
    char prefix[DEVICE_MAX + 2];
    snprintf(prefix, sizeof prefix, "%s.", device);
    size_t len = strlen(prefix), n = 0;
    *first = fleet_after(f, prefix);
    while (*first + n < f->n && !strncmp(f->all[*first + n]->name, prefix, len))
        n++;
    return n;
}

struct tracked *fleet_add(struct fleet *f, const char *name)
{
    struct tracked *t = xcalloc(1, sizeof *t);
    const char *dot = strchr(name, '.');
    t->name = xstrdup(name);
    t->device_len = dot ? (size_t)(dot - name) : strlen(name);
    t->quantity = t->name + t->device_len + (dot != NULL);
    t->settings = xstrdup("{}");
    t->champion = xcalloc(1, sizeof *t->champion);
    t->champion->lead1_sd = NAN;
    t->born_ms = t->first_hour = t->last_hour = t->judged_hour = INT64_MIN;
    t->late_to = -1;
    loop_init(&t->loop);
    t->last_value = NAN;
    if (f->n == f->cap) {
        f->cap = f->cap ? 2 * f->cap : 64;
        f->all = xrealloc(f->all, f->cap * sizeof(struct tracked *));
    }
    f->all[f->n++] = t;
    return t;
}

static int by_name(const void *a, const void *b)
{
    return strcmp((*(struct tracked *const *)a)->name,
                  (*(struct tracked *const *)b)->name);
}

/* Series come by the hundred, to a hundred thousand: what is in order is not sorted
 * again, only moved apart in stretches, from the end, for those that were added. */
void fleet_sort(struct fleet *f)
{
    size_t n = f->n - f->in_order;
    if (!n)
        return;
    struct tracked **added = xmalloc(n * sizeof(struct tracked *));
    memcpy(added, f->all + f->in_order, n * sizeof(struct tracked *));
    qsort(added, n, sizeof(struct tracked *), by_name);
    struct fleet old = {.all = f->all, .n = f->in_order};
    while (n) {
        size_t at = fleet_after(&old, added[--n]->name);
        memmove(f->all + at + n + 1, f->all + at,
                (old.n - at) * sizeof(struct tracked *));
        f->all[at + n] = added[n];
        old.n = at;
    }
    f->in_order = f->n;
    free(added);
}

const char *tracked_device(const struct tracked *t, char out[DEVICE_MAX + 1])
{
    snprintf(out, DEVICE_MAX + 1, "%.*s", (int)t->device_len, t->name);
    return out;
}

const char *tracked_state(const struct tracked *t)
{
    return t->disabled ? "disabled" : t->quarantined ? "quarantined" : "active";
}

int tracked_alerts(const struct tracked *t)
{
    int n = 0;
    for (int i = 0; i < N_ALERTS; i++)
        n += t->alert_id[i] != NULL;
    return n;
}
