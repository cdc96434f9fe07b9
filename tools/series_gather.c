/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/fnv.h"
#include "common/mem.h"
#include "tools/series_work.h"

#define HOUR_S 3600
#define YEAR_10000_S INT64_C(253402300800)

int gather_fits(const struct gather *g, int64_t t_ms)
{
    int64_t hour_s = clock_hour_floor(t_ms) / 1000;
    if (hour_s < 0 || hour_s >= YEAR_10000_S)
        return -1;
    if (!g->n)
        return 0;
    int64_t last_s = g->first_s + (int64_t)(g->n - 1) * HOUR_S;
    int64_t from_s = hour_s < g->first_s ? hour_s : g->first_s;
    int64_t to_s = hour_s > last_s ? hour_s : last_s;
    return (to_s - from_s) / HOUR_S < HOURS_MAX ? 0 : -1;
}

/* Makes room for n hours of which the old ones begin at `at`. */
static void make_room(struct gather *g, size_t at, size_t n)
{
    size_t cap = n + n / 2 < 64 ? 64 : n + n / 2;
    size_t before = at ? cap - n : 0; /* it grows towards the past, or the other way */
    double *sum = xmalloc(cap * sizeof *sum);
    uint32_t *count = g->count ? xcalloc(cap, sizeof *count) : NULL;
    if (g->n)
        memcpy(sum + before + at, g->sum + g->before, g->n * sizeof *sum);
    if (count)
        memcpy(count + before + at, g->count + g->before, g->n * sizeof *count);
    free(g->sum);
    free(g->count);
    g->sum = sum;
    g->count = count;
    g->before = before + at;
    g->cap = cap;
}

/* Makes the hour one of those from the first to the last. */
static void reach(struct gather *g, int64_t hour_s)
{
    if (!g->n)
        g->first_s = hour_s;
    size_t front = hour_s < g->first_s ? (size_t)(g->first_s - hour_s) / HOUR_S : 0;
    size_t at = front ? 0 : (size_t)(hour_s - g->first_s) / HOUR_S;
    size_t n = front ? g->n + front : at + 1 > g->n ? at + 1 : g->n;
    if (front > g->before || g->before - front + n > g->cap)
        make_room(g, front, n);
    g->before -= front;
    g->first_s -= (int64_t)front * HOUR_S;
    for (size_t i = 0; i < front; i++)
        g->sum[g->before + i] = NAN;
    for (size_t i = front + g->n; i < n; i++)
        g->sum[g->before + i] = NAN;
    g->n = n;
}

/* The oldest and the newest reading, and how far into an hour they lie. */
static void note_time(struct gather *g, int64_t t_ms)
{
    int64_t into_ms = t_ms - clock_hour_floor(t_ms);
    if (!g->n) {
        g->first_ms = g->last_ms = t_ms;
        g->least_ms = g->most_ms = into_ms;
    }
    g->first_ms = t_ms < g->first_ms ? t_ms : g->first_ms;
    g->last_ms = t_ms > g->last_ms ? t_ms : g->last_ms;
    g->least_ms = into_ms < g->least_ms ? into_ms : g->least_ms;
    g->most_ms = into_ms > g->most_ms ? into_ms : g->most_ms;
}

void gather_add(struct gather *g, int64_t t_ms, double value)
{
    int64_t hour_s = clock_hour_floor(t_ms) / 1000;
    note_time(g, t_ms);
    reach(g, hour_s);
    size_t i = g->before + (size_t)(hour_s - g->first_s) / HOUR_S;
    if (isnan(g->sum[i])) {
        g->sum[i] = 0 + value; /* -0 is 0 */
        return;
    }
    if (!g->count)
        g->count = xcalloc(g->cap, sizeof *g->count);
    g->sum[i] += value;
    g->count[i]++;
}

/* ---- partial hours ---- */

/* How many of the hours have readings, but at most `more` beside their first. */
static size_t hours_within(const struct gather *g, uint32_t more)
{
    size_t n = 0;
    for (size_t i = g->before; i < g->before + g->n; i++)
        n += !isnan(g->sum[i]) && g->count[i] <= more;
    return n;
}

/* How many readings an hour has that has any: the median, of two the smaller. By halves,
 * as a copy to sort would be as large as the counts. */
static uint32_t typical_count(const struct gather *g)
{
    size_t there = hours_within(g, UINT32_MAX);
    uint32_t low = 0, high = 0;
    for (size_t i = g->before; i < g->before + g->n; i++)
        high = g->count[i] > high ? g->count[i] : high;
    while (low < high) {
        uint32_t mid = low + (high - low) / 2;
        if (2 * hours_within(g, mid) >= there)
            high = mid;
        else
            low = mid + 1;
    }
    return low + 1;
}

/* Takes the first and the last hour off where readings do not reach their ends, and the
 * hours without any that are then outermost. Readings that are several an hour, but all
 * at the same time of it (the same rows twice, two sensors of one name), are hourly. */
static void drop_partial(struct gather *g)
{
    uint32_t readings = g->count ? typical_count(g) : 1;
    double apart_ms = (double)HOUR_MS / readings, reach_ms = 1.5 * apart_ms;
    if (readings < 2 || (double)(g->most_ms - g->least_ms) < apart_ms / 2)
        return;
    int64_t begin_ms = g->first_s * 1000, end_ms = begin_ms + (int64_t)g->n * HOUR_MS;
    if ((double)(end_ms - g->last_ms) > reach_ms)
        g->sum[g->before + g->n - 1] = NAN;
    if ((double)(g->first_ms - begin_ms) > reach_ms)
        g->sum[g->before] = NAN;
    while (g->n && isnan(g->sum[g->before + g->n - 1]))
        g->n--;
    for (; g->n && isnan(g->sum[g->before]); g->n--, g->before++)
        g->first_s += HOUR_S;
}

void gather_take(struct gather *g, struct hours *h)
{
    drop_partial(g);
    *h = (struct hours){.start_s = g->first_s, .n = g->n, .y = g->sum};
    if (!g->n) {
        gather_done(g);
        *h = (struct hours){0};
        return;
    }
    for (size_t i = g->before; g->count && i < g->before + g->n; i++)
        if (g->count[i])
            g->sum[i] /= (double)g->count[i] + 1;
    memmove(g->sum, g->sum + g->before, g->n * sizeof *g->sum);
    h->y = xrealloc(g->sum, g->n * sizeof *g->sum);
    g->sum = NULL;
    gather_done(g);
}

void gather_done(struct gather *g)
{
    free(g->sum);
    free(g->count);
    *g = (struct gather){0};
}

/* ---- names ---- */

static uint64_t *find(const struct seen *s, uint64_t hash)
{
    size_t i = hash & (s->size - 1);
    while (s->slot[i] && s->slot[i] != hash)
        i = (i + 1) & (s->size - 1);
    return &s->slot[i];
}

bool seen_add(struct seen *s, const char *name)
{
    uint64_t hash = fnv_text(FNV_BASIS, name);
    hash = hash ? hash : 1; /* 0 is a free slot */
    if (2 * s->n >= s->size) {
        struct seen more = {.n = s->n, .size = s->size ? 2 * s->size : 1024};
        more.slot = xcalloc(more.size, sizeof *more.slot);
        for (size_t i = 0; i < s->size; i++)
            if (s->slot[i])
                *find(&more, s->slot[i]) = s->slot[i];
        free(s->slot);
        *s = more;
    }
    uint64_t *at = find(s, hash);
    if (*at)
        return true;
    *at = hash;
    s->n++;
    return false;
}

void seen_done(struct seen *s)
{
    free(s->slot);
    *s = (struct seen){0};
}
