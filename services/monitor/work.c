/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "services/monitor/work.h"

#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/mem.h"
#include "services/monitor/facts.h"

#define RESCORE_MAX_H                                                                    \
    1344             /* late data older than this changes no evaluation any more         \
                      */
#define QUIET_MS 400 /* real time without late hours before a training is asked for */
#define QUIET_TICKS 3

struct list {
    struct work *all;
    size_t n, cap;
};

static struct work *add(struct list *l, const char *device)
{
    if (l->n == l->cap) {
        l->cap = l->cap ? 2 * l->cap : 64;
        l->all = xrealloc(l->all, l->cap * sizeof *l->all);
    }
    struct work *w = &l->all[l->n++];
    *w = (struct work){.again = {0, -1}};
    snprintf(w->device, sizeof w->device, "%s", device);
    return w;
}

static void add_late(struct work *w, int64_t from, int64_t to)
{
    w->late = xrealloc(w->late, (w->n_late + 1) * sizeof *w->late);
    w->late[w->n_late++] = (struct span){from, to};
}

static int by_device(const void *a, const void *b)
{
    return strcmp(((const struct work *)a)->device, ((const struct work *)b)->device);
}

/* Sorts, and joins what is said of the same device. */
static void join(struct list *l)
{
    size_t k = 0;
    if (l->n)
        qsort(l->all, l->n, sizeof *l->all, by_device);
    for (size_t i = 0; i < l->n; i++) {
        struct work *w = &l->all[i];
        if (k && !strcmp(l->all[k - 1].device, w->device)) {
            for (size_t s = 0; s < w->n_late; s++)
                add_late(&l->all[k - 1], w->late[s].from, w->late[s].to);
            if (w->again.to >= w->again.from)
                l->all[k - 1].again = w->again;
            free(w->late);
        } else {
            l->all[k++] = *w;
        }
    }
    l->n = k;
}

struct finding {
    const struct monitor *m;
    struct list *l;
};

/* A device that `hourly` knows: everything is looked through, or it is new to us. */
static void found(void *arg, const char *device)
{
    struct finding *f = arg;
    size_t first;
    if (f->m->discover || !fleet_device(&f->m->fleet, device, &first))
        add(f->l, device);
}

bool work_arriving(const struct monitor *m, const struct tracked *t)
{
    int64_t quiet = QUIET_TICKS * m->set.common.tick_ms;
    return t->late_at_ms &&
           clock_mono_ms() - t->late_at_ms < (quiet > QUIET_MS ? quiet : QUIET_MS);
}

bool work_unscored(const struct tracked *t)
{
    return t->late_to >= t->late_from;
}

/* Devices of the fleet: all of them, or those with something that has waited long enough
 * for late hours. */
static void add_fleet(const struct monitor *m, struct list *l, bool all)
{
    char device[DEVICE_MAX + 1];
    struct work *w = NULL;
    for (size_t i = 0; i < m->fleet.n; i++) {
        const struct tracked *t = m->fleet.all[i];
        bool again = work_unscored(t) && !work_arriving(m, t);
        if (!all && !again && (!t->waiting || work_arriving(m, t)))
            continue;
        tracked_device(t, device);
        if (!w || strcmp(w->device, device) != 0)
            w = add(l, device);
        if (again) /* all series of a device are late at once */
            w->again = (struct span){t->late_from, t->late_to};
    }
}

static void add_items(struct list *l, const json_t *items)
{
    json_t *item;
    size_t i;
    json_array_foreach((json_t *)items, i, item)
    {
        struct work *w = add(l, json_string_value(json_object_get(item, "device")));
        add_late(w, json_integer_value(json_object_get(item, "from_ms")),
                 json_integer_value(json_object_get(item, "to_ms")));
    }
}

/* When the first model of one of the device's series was there. */
static int64_t born(const struct monitor *m, const char *device)
{
    size_t first, n = fleet_device(&m->fleet, device, &first);
    int64_t least = NO_HOUR;
    for (size_t i = first; i < first + n; i++) {
        int64_t b = m->fleet.all[i]->born_ms;
        if (b != NO_HOUR && (least == NO_HOUR || b < least))
            least = b;
    }
    return least;
}

static void schedule(const struct monitor *m, struct work *w, int64_t rolled_up)
{
    bool again = w->again.to >= w->again.from;
    if (again) { /* due, but nothing new */
        add_late(w, w->again.from, w->again.to);
        w->n_late--;
    }
    int64_t seen = m->scored == NO_HOUR ? rolled_up : m->scored + HOUR_MS;
    struct schedule_in in = {
        .scored = m->scored,
        .rolled_up = rolled_up,
        .born = born(m, w->device),
        .oldest = rolled_up - RESCORE_MAX_H * HOUR_MS,
        .late = w->late,
        .n_late = w->n_late + again,
    };
    w->due = xcalloc(in.n_late + 2, sizeof *w->due);
    w->n_due = schedule_due(&in, w->due);
    if (!w->n_due) { /* it is here for a training that waits */
        w->due[0] = (struct span){rolled_up, rolled_up};
        w->n_due = 1;
    }
    for (size_t i = 0; i < w->n_late; i++)
        w->arriving |= w->late[i].from < seen;
}

void work_keep_ahead(struct monitor *m, const struct feed *feed)
{
    json_t *item;
    size_t i, first;
    json_array_foreach(feed->items, i, item)
    {
        const char *device = json_string_value(json_object_get(item, "device"));
        if (json_integer_value(json_object_get(item, "to_ms")) > feed->rolled_up &&
            !fleet_device(&m->fleet, device, &first))
            json_array_append_new(m->ahead, json_string(device));
    }
}

static void add_ahead(const struct monitor *m, struct list *l)
{
    json_t *device;
    size_t i;
    json_array_foreach(m->ahead, i, device)
    {
        add(l, json_string_value(device));
    }
}

int work_list(struct monitor *m, const struct feed *feed, struct work **list, size_t *n,
              struct err *e)
{
    struct list l = {0};
    int64_t h = feed->rolled_up;
    bool closed = m->scored == NO_HOUR || h > m->scored;
    *list = NULL;
    *n = 0;
    add_items(&l, feed->items);
    if (closed)
        add_ahead(m, &l);
    struct finding all = {m, &l};
    if ((m->discover || m->look) && facts_devices(m->influx, found, &all, e)) {
        work_free(l.all, l.n);
        return -1;
    }
    add_fleet(m, &l, closed || m->discover);
    join(&l);
    for (size_t i = 0; i < l.n; i++) {
        /* what came in while nobody listened is not known: the last day is looked at
         * again */
        if (m->discover)
            add_late(&l.all[i], h - 23 * HOUR_MS, h);
        schedule(m, &l.all[i], h);
    }
    *list = l.all;
    *n = l.n;
    return 0;
}

void work_free(struct work *list, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        free(list[i].late);
        free(list[i].due);
    }
    free(list);
}
