/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "services/monitor/schedule.h"

#include <stdbool.h>
#include <stdlib.h>

#include "common/clock.h"

#define REACH_MS (24 * HOUR_MS) /* how far an hour reaches into later windows */

static int by_start(const void *a, const void *b)
{
    int64_t x = ((const struct span *)a)->from, y = ((const struct span *)b)->from;
    return (x > y) - (x < y);
}

size_t spans_merge(struct span *s, size_t n)
{
    size_t k = 0;
    qsort(s, n, sizeof *s, by_start);
    for (size_t i = 0; i < n; i++) {
        if (k && s[i].from <= s[k - 1].to + HOUR_MS) {
            if (s[i].to > s[k - 1].to)
                s[k - 1].to = s[i].to;
        } else {
            s[k++] = s[i];
        }
    }
    return k;
}

/* Adds [from, to] within the limits, if anything is left of it. */
static size_t add(const struct schedule_in *in, struct span *out, size_t n, int64_t from,
                  int64_t to)
{
    int64_t least = in->born > in->oldest ? in->born : in->oldest;
    if (from < least)
        from = least;
    if (to > in->rolled_up)
        to = in->rolled_up;
    if (from > to)
        return n;
    out[n] = (struct span){from, to};
    return n + 1;
}

size_t schedule_due(const struct schedule_in *in, struct span *out)
{
    size_t n = 0;
    bool closed =
        in->rolled_up != NO_HOUR && (in->scored == NO_HOUR || in->rolled_up > in->scored);
    if (in->rolled_up == NO_HOUR || (!closed && !in->n_late))
        return 0;
    if (in->born != NO_HOUR) {
        if (closed)
            n = add(in, out, n,
                    in->scored == NO_HOUR ? in->rolled_up : in->scored + HOUR_MS,
                    in->rolled_up);
        for (size_t i = 0; i < in->n_late; i++)
            if (in->late[i].from <= in->rolled_up)
                n = add(in, out, n, in->late[i].from, in->late[i].to + REACH_MS);
        n = spans_merge(out, n);
    }
    if (!n || out[n - 1].to < in->rolled_up)
        out[n++] = (struct span){in->rolled_up, in->rolled_up};
    return spans_merge(out, n);
}

int schedule_piece(const struct span *s, size_t i, struct span *piece)
{
    int64_t to = s->to - (int64_t)i * PIECE_HOURS * HOUR_MS;
    if (to < s->from)
        return 0;
    *piece = (struct span){to - (PIECE_HOURS - 1) * HOUR_MS, to};
    if (piece->from < s->from)
        piece->from = s->from;
    return 1;
}

int spans_have(const struct span *s, size_t n, int64_t hour)
{
    for (size_t i = 0; i < n; i++)
        if (hour >= s[i].from && hour <= s[i].to)
            return 1;
    return 0;
}
