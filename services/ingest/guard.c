/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "services/ingest/guard.h"

#include <inttypes.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/fnv.h"
#include "common/log.h"
#include "common/mem.h"

#define WINDOW_MS 60000

struct name {
    uint16_t id;
    char text[QUANTITY_MAX + 1];
};

struct guard {
    struct guard_limits limits;
    int64_t window_ms, made; /* devices made since window_ms (monotonic) */
    void *names;             /* of struct name, by text; owned */
    uint16_t n_names;
    struct log_often said;
};

struct guard *guard_new(const struct guard_limits *limits)
{
    struct guard *g = xcalloc(1, sizeof *g);
    g->limits = *limits;
    g->window_ms = clock_mono_ms();
    return g;
}

void guard_free(struct guard *g)
{
    if (!g)
        return;
    tdestroy(g->names, free);
    free(g);
}

void guard_say(struct guard *g, const char *what)
{
    log_often(&g->said, LOG_WARN, "refused, and kept as a dead letter: %s", what);
}

/* The clock is only looked at when the limit is reached: this runs for each reading. */
bool guard_has_room(struct guard *g)
{
    if (g->made < g->limits.devices_per_min)
        return true;
    if (clock_mono_ms() - g->window_ms < WINDOW_MS)
        return false;
    g->window_ms = clock_mono_ms();
    g->made = 0;
    return true;
}

void guard_spend(struct guard *g)
{
    g->made++;
}

/* ---- quantities
 * -------------------------------------------------------------------------- */

static int by_text(const void *a, const void *b)
{
    return strcmp(((const struct name *)a)->text, ((const struct name *)b)->text);
}

/* The number of a name; -1 when it would be one too many. */
static int number_of(struct guard *g, const char *text)
{
    struct name key;
    strcpy(key.text, text);
    struct name **found = tfind(&key, &g->names, by_text);
    if (found)
        return (*found)->id;
    if (g->n_names >= g->limits.names)
        return -1;
    struct name *n = xmalloc(sizeof *n);
    strcpy(n->text, text);
    n->id = g->n_names++;
    xtsearch(n, &g->names, by_text);
    return n->id;
}

/* Is the name among the device's, or may it be? */
static bool belongs(const struct guard *g, struct device *d, uint16_t id)
{
    for (uint16_t i = 0; i < d->n_names; i++)
        if (d->names[i] == id)
            return true;
    if (d->n_names >= g->limits.quantities)
        return false;
    d->names = xrealloc(d->names, (d->n_names + 1u) * sizeof *d->names);
    d->names[d->n_names++] = id;
    return true;
}

static bool allowed(struct guard *g, struct device *d, const char *quantity,
                    struct err *e)
{
    int id = number_of(g, quantity);
    if (id < 0)
        reject_say(REJECT_TOO_MANY_QUANTITIES, e,
                   "%s of %s would be one more than %" PRId64
                   " names of quantities (FC_QUANTITY_NAMES_MAX)",
                   quantity, d->name, g->limits.names);
    else if (!belongs(g, d, (uint16_t)id))
        reject_say(REJECT_TOO_MANY_QUANTITIES, e,
                   "%s would be one more than %" PRId64
                   " quantities of %s (FC_QUANTITIES_MAX)",
                   quantity, g->limits.quantities, d->name);
    return !e->code;
}

static uint32_t shape_of(const struct reading *r)
{
    uint32_t h = FNV32_BASIS;
    for (size_t i = 0; i < r->n; i++)
        h = fnv32_end(fnv32_text(h, r->values[i].quantity));
    return h ? h : 1;
}

void guard_names(struct guard *g, struct message *m, struct item *it)
{
    struct device *d = it->device;
    uint32_t shape = shape_of(&it->r);
    if (shape == d->shape) /* a device mostly sends the same names */
        return;
    size_t kept = 0, n = it->r.n;
    for (size_t i = 0; i < n; i++) {
        struct err e = ERR_INIT;
        if (allowed(g, d, it->r.values[i].quantity, &e)) {
            if (kept != i)
                it->r.values[kept] = it->r.values[i];
            kept++;
            continue;
        }
        guard_say(g, e.text);
        message_refuse(m, it, REJECT_TOO_MANY_QUANTITIES, &e);
    }
    it->r.n = kept;
    if (kept == n)
        d->shape = shape;
    else if (!kept)
        it->reject = REJECT_TOO_MANY_QUANTITIES;
}
