/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "services/monitor/count.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/mem.h"

static void add(void *arg, const char *device, const char *quantity, int64_t piece_ms,
                int hours)
{
    struct counts *c = arg;
    if (c->n == c->cap) {
        c->cap = c->cap ? 2 * c->cap : 64;
        c->all = xrealloc(c->all, c->cap * sizeof *c->all);
    }
    struct count *x = &c->all[c->n++];
    snprintf(x->name, sizeof x->name, "%s.%s", device, quantity);
    x->hours = hours;
    x->first = piece_ms;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct count *)a)->name, ((const struct count *)b)->name);
}

/* Pieces of the same series become one. */
static void join(struct counts *c)
{
    size_t k = 0;
    if (c->n)
        qsort(c->all, c->n, sizeof *c->all, by_name);
    for (size_t i = 0; i < c->n; i++) {
        struct count *x = &c->all[i];
        if (k && !strcmp(c->all[k - 1].name, x->name)) {
            c->all[k - 1].hours += x->hours;
            if (x->first < c->all[k - 1].first)
                c->all[k - 1].first = x->first;
        } else {
            c->all[k++] = *x;
        }
    }
    c->n = k;
}

int count_history(struct monitor *m, const struct devices *d, int64_t from_ms,
                  int64_t hour, struct counts *out, struct err *e)
{
    int64_t oldest = hour - (FULL_HISTORY_H - 1) * HOUR_MS;
    *out = (struct counts){0};
    if (facts_count(m->influx, &m->fields, d, from_ms > oldest ? from_ms : oldest, hour,
                    add, out, e)) {
        free(out->all);
        *out = (struct counts){0};
        return -1;
    }
    join(out);
    return 0;
}

const struct count *count_find(const struct counts *c, const char *name)
{
    struct count key = {0};
    snprintf(key.name, sizeof key.name, "%s", name);
    return c->n ? bsearch(&key, c->all, c->n, sizeof key, by_name) : NULL;
}
