/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "services/trainer/zones.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "common/registry_series.h"
#include "services/trainer/window.h"

#define DAY_S INT64_C(86400)
#define AHEAD_S (730 * DAY_S) /* a champion may serve long */
#define KEEP_S (30 * DAY_S)

/* The place of a zone that says enough; -1: it has to be asked for. */
static int find(const struct zones *z, const char *name, int64_t from_s, int64_t to_s)
{
    for (int i = 0; i < z->n; i++)
        if (!strcmp(z->of[i].zone.name, name) && z->of[i].from_s <= from_s &&
            from_s - z->of[i].from_s < KEEP_S && z->of[i].to_s >= to_s)
            return i;
    return -1;
}

/* One that nobody knows is UTC, with no offsets. */
static int ask(struct zones *z, struct pg *pg, const char *name, int64_t from_s,
               int64_t to_s, struct err *e)
{
    struct err why = ERR_INIT;
    int i = z->n < ZONES_KEPT ? z->n : 0;
    z->of[i].from_s = from_s;
    z->of[i].to_s = to_s;
    if (registry_zone(pg, name, from_s, to_s + AHEAD_S, &z->of[i].zone, &why)) {
        if (why.code == ERR_UNAVAILABLE || why.code == ERR_TIMEOUT) {
            *e = why;
            return -1;
        }
        log_warn("time zone \"%s\" is not known, UTC counts: %s", name, why.text);
    }
    z->n += i == z->n;
    return i;
}

struct names {
    const char *const *name;
    int n;
    char tz[WINDOW_SERIES_MAX][ZONE_NAME_SIZE];
};

static void on_zone(void *arg, const char *series, const char *tz)
{
    struct names *a = arg;
    for (int i = 0; i < a->n; i++)
        if (!strcmp(a->name[i], series))
            snprintf(a->tz[i], sizeof a->tz[i], "%s", tz);
}

int zones_of(struct zones *z, struct pg *pg, const char *const names[], int n,
             int64_t from_s, int64_t to_s, const struct zone *out[], struct err *e)
{
    struct names a = {.name = names, .n = n};
    if (registry_series_zones(pg, names, (size_t)n, on_zone, &a, e))
        return -1;
    for (int i = 0; i < n; i++) {
        out[i] = NULL;
        if (!*a.tz[i] || !strcmp(a.tz[i], "UTC"))
            continue;
        int at = find(z, a.tz[i], from_s, to_s);
        if (at < 0 && (at = ask(z, pg, a.tz[i], from_s, to_s, e)) < 0)
            return -1;
        if (z->of[at].zone.n)
            out[i] = &z->of[at].zone;
    }
    return 0;
}
