/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "services/trainer/beside.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "common/registry_series.h"

static int find(const struct beside_pairs *p, int n, const char *name)
{
    for (int i = 0; i < n; i++)
        if (!strcmp(p->name[i], name))
            return i;
    return -1;
}

static int add_name(struct beside_pairs *p, const char *name)
{
    int i = find(p, p->n, name);
    if (i >= 0)
        return i;
    if (p->n == p->cap) {
        p->cap = p->cap ? 2 * p->cap : 2 * WINDOW_SERIES_MAX;
        p->name = xrealloc(p->name, (size_t)p->cap * sizeof *p->name);
    }
    snprintf(p->name[p->n], sizeof *p->name, "%s", name);
    return p->n++;
}

static void on_pair(void *arg, const char *series, const char *other, bool asked)
{
    struct beside_pairs *p = arg;
    int i = find(p, p->n_batch, series);
    if (i < 0 || p->of[i].n == OTHERS_CONSIDERED_MAX)
        return;
    p->of[i].asked[p->of[i].n] = asked;
    p->of[i].other[p->of[i].n++] = add_name(p, other);
}

int beside_ask(struct pg *pg, const char *const names[], int n, struct beside_batch *b,
               struct err *e)
{
    *b = (struct beside_batch){.pairs.n_batch = n};
    for (int i = 0; i < n; i++)
        add_name(&b->pairs, names[i]);
    return registry_series_beside(pg, names, (size_t)n, OTHERS_CONSIDERED_MAX, on_pair,
                                  &b->pairs, e);
}

static int read_all(struct influx *in, int64_t from_s, int64_t to_s,
                    struct beside_batch *b, struct err *e)
{
    const struct beside_pairs *p = &b->pairs;
    const char *names[WINDOW_SERIES_MAX];
    b->read = xcalloc((size_t)p->n + 1, sizeof *b->read);
    while (b->n_read < p->n) {
        int n = p->n - b->n_read;
        n = n < WINDOW_SERIES_MAX ? n : WINDOW_SERIES_MAX;
        for (int i = 0; i < n; i++)
            names[i] = p->name[b->n_read + i];
        if (window_read(in, names, n, from_s, to_s, b->read + b->n_read, e))
            return -1;
        b->n_read += n;
    }
    return 0;
}

static void choose(struct beside_batch *b, int i)
{
    const struct beside_pairs *p = &b->pairs;
    struct beside *out = &b->of[i];
    struct others_asked a = {.series = p->name[i], .hours = &b->read[i], .n = p->of[i].n};
    out->h = b->read[i];
    if (!a.n)
        return;
    for (size_t k = 0; k < a.n; k++) {
        int other = p->of[i].other[k];
        a.name[k] = p->name[other];
        a.other[k] = &b->read[other];
        a.asked[k] = p->of[i].asked[k];
    }
    out->told = others_choose(&a, &out->others);
    out->h.beside = out->others.n ? &out->others : NULL;
}

int beside_read(struct influx *in, int64_t from_s, int64_t to_s, struct beside_batch *b,
                struct err *e)
{
    if (read_all(in, from_s, to_s, b, e))
        return -1;
    for (int i = 0; i < b->pairs.n_batch; i++)
        choose(b, i);
    return 0;
}

void beside_done(struct beside_batch *b)
{
    for (int i = 0; i < b->pairs.n_batch; i++) {
        others_done(&b->of[i].others);
        json_decref(b->of[i].told);
    }
    for (int i = 0; i < b->n_read; i++)
        hours_done(&b->read[i]);
    free(b->read);
    free(b->pairs.name);
    *b = (struct beside_batch){0};
}
