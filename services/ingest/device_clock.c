/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "services/ingest/device_clock.h"

#include <math.h>
#include <stdlib.h>

#include "common/clock.h"

#define DRIFT_LEAST_MS (INT64_C(3600000))
#define MIN_MS INT64_C(60000)
#define DELAY_MOST_MS                                                                    \
    90000 /* longer under way, and a zone cannot be told from a delay                    \
           */
#define AHEAD_MOST_MS 30000

static void claim(struct clock_claim *c, int64_t ms, int64_t now_ms)
{
    *c = (struct clock_claim){ms, now_ms, 1};
}

static bool settled(const struct clock_claim *c, int64_t now_ms)
{
    return c->n >= CLOCK_LEARN && now_ms - c->since_ms >= CLOCK_SPAN_MS;
}

bool device_clock_has_offset(const struct device_clock *c)
{
    return settled(&c->offset, c->number_ms);
}

bool device_clock_agrees(const struct device_clock *c, double number, int64_t now_ms)
{
    double t = number * c->unit_ms + (double)c->offset.ms;
    return fabs((double)now_ms - t) <= CLOCK_AGREE_MS;
}

/* ---- zone
 * -------------------------------------------------------------------------------- */

/* Zones there are: whole and half hours, and three more. */
static bool is_zone(int64_t min)
{
    return llabs(min) <= 14 * 60 && llabs(min) != 30 &&
           (min % 30 == 0 || min == 345 || min == 525 || min == 765);
}

/* The zone a message speaks for if it came at once; false: for none. */
static bool zone_of(int64_t local_ms, int64_t now_ms, int64_t *zone_ms)
{
    int64_t ahead = local_ms - now_ms;
    if (llabs(ahead) > 15 * 60 * MIN_MS)
        return false;
    int64_t min = (ahead + DELAY_MOST_MS + 1440 * MIN_MS) / (15 * MIN_MS) * 15 - 1440;
    *zone_ms = min * MIN_MS;
    int64_t rest = ahead - *zone_ms;
    return is_zone(min) && rest >= -DELAY_MOST_MS && rest <= AHEAD_MOST_MS;
}

int64_t device_clock_zone(struct device_clock *c, int64_t local_ms, int64_t now_ms)
{
    int64_t zone_ms;
    if (!zone_of(local_ms, now_ms, &zone_ms)) {
        c->zone.n = 0;
    } else if (c->zone.n && c->zone.ms == zone_ms && now_ms >= c->zone.since_ms) {
        c->zone.n++;
        if (settled(&c->zone, now_ms)) { /* or summer time began, or ended */
            c->zone_known = true;
            c->zone_ms = zone_ms;
        }
    } else {
        claim(&c->zone, zone_ms, now_ms);
    }
    return c->zone_known ? local_ms - c->zone_ms : local_ms;
}

/* ---- offset
 * ------------------------------------------------------------------------------ */

/* In which unit has the number grown since the last message? 0: in none. */
static double unit_of(double grown, double ms)
{
    static const double units[] = {1000, 1, 1e-3, 1e-6}; /* s, ms, us, ns */
    for (int i = 0; i < 4; i++)
        if (fabs(grown * units[i] - ms) <= 0.1 * ms + 2000)
            return units[i];
    return 0;
}

bool device_clock_offset(struct device_clock *c, double number, int64_t now_ms,
                         int64_t *t_ms)
{
    double grown = number - c->number, ms = (double)(now_ms - c->number_ms);
    if (!c->unit_ms && c->number_ms && grown > 0 && ms >= 5000)
        c->unit_ms = unit_of(grown, ms);
    c->number = number;
    c->number_ms = now_ms;
    if (!c->unit_ms || fabs(number * c->unit_ms) > 1e17)
        return false;
    int64_t offset_ms = now_ms - llround(number * c->unit_ms);
    int64_t change = offset_ms - c->offset.ms;
    if (!c->offset.n || grown < 0 || now_ms < c->offset.since_ms) { /* it woke up anew */
        claim(&c->offset, offset_ms, now_ms);
    } else if (llabs(change) <= CLOCK_AGREE_MS) {
        c->offset.n++;
        /* the quickest message tells best; the rest follows a clock that is slow */
        c->offset.ms += change < 0 ? change : change / 256;
    } else if (!device_clock_has_offset(c)) {
        c->offset.n = 0;
        c->unit_ms = 0;
    }
    *t_ms = now_ms - offset_ms + c->offset.ms;
    return device_clock_has_offset(c) && *t_ms <= now_ms;
}

/* ---- skew
 * -------------------------------------------------------------------------------- */

static void close_window(struct device_clock *c)
{
    c->skew_ms = c->window_skew_ms;
    c->last_ms = c->window_ms;
    if (!c->first_ms) {
        c->first_ms = c->window_ms;
        c->first_skew_ms = c->skew_ms;
    }
}

void device_clock_note(struct device_clock *c, int64_t t_ms, int64_t now_ms)
{
    int64_t skew = now_ms - t_ms;
    if (c->window_ms &&
        clock_was_ahead(c->window_ms, now_ms)) /* ours, not the device's */
        c->window_ms = c->last_ms = c->first_ms = 0;
    if (c->window_ms && now_ms - c->window_ms >= CLOCK_WINDOW_MS)
        close_window(c);
    if (!c->window_ms || now_ms - c->window_ms >= CLOCK_WINDOW_MS) {
        c->window_ms = now_ms;
        c->window_skew_ms = skew;
    } else if (skew < c->window_skew_ms) {
        c->window_skew_ms = skew;
    }
    if (!c->last_ms)
        c->skew_ms = c->window_skew_ms;
}

double device_clock_drift_ppm(const struct device_clock *c)
{
    int64_t ms = c->last_ms - c->first_ms;
    if (!c->first_ms || ms < DRIFT_LEAST_MS)
        return NAN;
    return (double)(c->skew_ms - c->first_skew_ms) / (double)ms * 1e6;
}
