/* SPDX-License-Identifier: GPL-3.0-or-later */
/* device_clock: what has been learnt about a device's clock from when its messages came:
 * the zone of times that do not name theirs, and how far off a clock is that runs well
 * but was never set (an epoch of its own, time since the device woke up).
 *
 * Nothing is learnt at once: CLOCK_LEARN messages in a row must agree, over CLOCK_SPAN_MS
 * of arrivals. What was kept on a device and comes late, or is sent again from a file,
 * does not agree with itself for so long, and teaches nothing. Pure; the caller locks. */
#ifndef FC_INGEST_DEVICE_CLOCK_H
#define FC_INGEST_DEVICE_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

#define CLOCK_LEARN 3
#define CLOCK_SPAN_MS 60000
#define CLOCK_AGREE_MS 60000   /* messages take different times to come */
#define CLOCK_WINDOW_MS 600000 /* the least delay is looked for within so long */

/* Messages in a row that say the same. */
struct clock_claim {
    int64_t ms;       /* what they say */
    int64_t since_ms; /* when the first of them came */
    int n;
};

struct device_clock {
    /* what times without a zone are ahead of UTC, and what may be about to replace it */
    bool zone_known;
    int64_t zone_ms;
    struct clock_claim zone;
    /* what is to be added to number × unit_ms. unit_ms 0: not known */
    double unit_ms, number; /* number: the newest */
    int64_t number_ms;      /* when it came; 0: none has */
    struct clock_claim offset;
    /* skew: arrival minus the device's time, the least of a window: delay and error */
    int64_t skew_ms, window_skew_ms, window_ms; /* window_ms: its beginning; 0: none */
    int64_t first_skew_ms, first_ms;            /* of the first whole window */
    int64_t last_ms;                            /* beginning of the newest whole window */
};

/* A time without a zone, read as UTC, that came at now_ms: UTC by what is known, which is
 * local_ms itself as long as no zone is learnt. */
int64_t device_clock_zone(struct device_clock *c, int64_t local_ms, int64_t now_ms);

/* A number that is no plausible time. True: the offset is learnt and *t_ms is what the
 * number stands for. */
bool device_clock_offset(struct device_clock *c, double number, int64_t now_ms,
                         int64_t *t_ms);

/* A time that is believed: how far it lies from its arrival. */
void device_clock_note(struct device_clock *c, int64_t t_ms, int64_t now_ms);

bool device_clock_has_offset(const struct device_clock *c);
/* Does a number that came at now_ms go on where the learnt clock was? */
bool device_clock_agrees(const struct device_clock *c, double number, int64_t now_ms);
/* Parts per million that the clock is slow (positive) or fast; NaN before an hour of
 * windows. */
double device_clock_drift_ppm(const struct device_clock *c);

#endif
