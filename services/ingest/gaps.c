/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "services/ingest/gaps.h"

#include <stdlib.h>
#include <string.h>

#include "common/mem.h"

void gaps_done(struct gaps *g)
{
    free(g->gap);
    *g = (struct gaps){0};
}

static void drop(struct gaps *g, size_t i)
{
    memmove(&g->gap[i], &g->gap[i + 1], (--g->n - i) * sizeof *g->gap);
}

static void add(struct gaps *g, int64_t boot, int64_t from, int64_t to)
{
    if (!g->gap)
        g->gap = xcalloc(GAPS_MAX, sizeof *g->gap);
    if (g->n == GAPS_MAX)
        drop(g, 0);
    g->gap[g->n++] = (struct gap){boot, from, to};
}

/* A number that had been passed over: true when it was missing. */
static bool fill(struct gaps *g, int64_t boot, int64_t seq)
{
    for (size_t i = 0; i < g->n; i++) {
        struct gap *p = &g->gap[i], old = *p;
        if (p->boot != boot || seq < p->from || seq > p->to)
            continue;
        if (old.from == old.to)
            drop(g, i);
        else if (seq == old.from)
            p->from++;
        else if (seq == old.to)
            p->to--;
        else {
            p->to = seq - 1;
            add(g, boot, seq + 1, old.to);
        }
        return true;
    }
    return false;
}

int64_t gaps_note(struct gaps *g, int64_t boot, int64_t seq)
{
    uint64_t before = g->missing;
    if (!g->heard || boot > g->boot) {
        int64_t first = g->heard && boot == g->boot + 1 ? 1 : seq;
        g->heard = true;
        g->boot = boot;
        g->highest = first - 1;
    }
    if (boot == g->boot && seq > g->highest) {
        if (seq > g->highest + 1) {
            add(g, boot, g->highest + 1, seq - 1);
            g->missing += (uint64_t)(seq - g->highest - 1);
        }
        g->highest = seq;
    } else if (g->n && fill(g, boot, seq)) {
        g->missing--;
    }
    return (int64_t)(g->missing - before);
}
