/* SPDX-License-Identifier: GPL-3.0-or-later */
/* timefix: makes a time of what a message carries, or says why it can not.
 *
 * A device's time is believed when it lies in a window around the time of arrival. A
 * number's unit goes by its size: below 5e9 seconds, below 5e12 milliseconds, below 5e15
 * microseconds, else nanoseconds. Seconds since 2000 (an ESP32 under MicroPython) are
 * moved to 1970 only when nothing else makes them plausible. A text without a zone is
 * taken to be local_min minutes ahead of UTC, or, with local_min 0, what has been learnt
 * of the device's zone. A number that is no plausible time but runs as a clock does
 * (seconds since the device woke up, a clock that was never set) is moved by what has
 * been learnt of it. Whatever is not believed gets its time of arrival. Pure. */
#ifndef FC_INGEST_TIMEFIX_H
#define FC_INGEST_TIMEFIX_H

#include <stdbool.h>
#include <stdint.h>

#include "services/ingest/device_clock.h"
#include "services/ingest/message.h"

struct timefix {
    int64_t past_ms, future_ms; /* the window: now - past .. now + future */
    int64_t local_min;
};

const char *time_source_name(enum time_source s);
static inline bool time_source_is_arrival(enum time_source s)
{
    return s >= TIME_NONE;
}

/* A sentence about a source, for people. */
const char *time_source_sentence(enum time_source s);

/* now_ms: when the message arrived. c: the device's clock, which learns; NULL: nothing is
 * known and nothing learnt. *t_ms is the device's time, or now_ms. *said_ms: the time as
 * the device said it, INT64_MIN if it is the same, or there is none. */
enum time_source timefix(const struct timefix *f, const struct raw_time *raw,
                         struct device_clock *c, int64_t now_ms, int64_t *t_ms,
                         int64_t *said_ms);

#endif
