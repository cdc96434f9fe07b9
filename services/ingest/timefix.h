/* SPDX-License-Identifier: GPL-3.0-or-later */
/* timefix: makes a time of what a message carries, or says why it can not.
 *
 * A device's time is believed when it lies in a window around the time of arrival. A
 * number's unit goes by its size: below 5e9 seconds, below 5e12 milliseconds, below 5e15
 * microseconds, else nanoseconds. Seconds since 2000 (an ESP32 under MicroPython) are
 * moved to 1970 only when nothing else makes them plausible. A text without a zone is
 * taken to be local_min minutes ahead of UTC. Whatever is not believed gets its time of
 * arrival. Pure. */
#ifndef FC_INGEST_TIMEFIX_H
#define FC_INGEST_TIMEFIX_H

#include <stdbool.h>
#include <stdint.h>

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

/* now_ms: when the message arrived. *t_ms is the device's time, or now_ms. */
enum time_source timefix(const struct timefix *f, const struct raw_time *raw,
                         int64_t now_ms, int64_t *t_ms);

#endif
