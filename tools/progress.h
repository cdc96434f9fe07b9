/* SPDX-License-Identifier: GPL-3.0-or-later */
/* progress: how far long work has come, on stderr.
 *
 * On a terminal one line that is redrawn up to ten times a second: bar, per cent, count,
 * rate, time left. Elsewhere a plain line each five seconds, so that logs stay readable.
 * One thread at a time; the time is passed in (clock_mono_ms()). */
#ifndef FC_TOOLS_PROGRESS_H
#define FC_TOOLS_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#define PROGRESS_TEXT_SIZE 160

struct progress {
    const char *what, *unit; /* borrowed: "backfill", "messages" */
    FILE *to;
    bool terminal, drawn;
    uint64_t total;
    double begun; /* of those that are being worked on: what is done of them, in units;
                     whoever knows it sets it before each call */
    int64_t started_ms, shown_ms;
};

/* total 0: not known beforehand. */
void progress_init(struct progress *p, const char *what, const char *unit, uint64_t total,
                   int64_t now_ms);

/* Shows the state when it is time to; cheap enough to call for each message. */
void progress_update(struct progress *p, uint64_t done, int64_t now_ms);

/* The same for work that may be short and whose answer is what is wanted: nothing in its
 * first second, and nothing but on a terminal. */
void progress_if_long(struct progress *p, uint64_t done, int64_t now_ms);

/* Ends the line and says how much was done in which time. */
void progress_end(struct progress *p, uint64_t done, int64_t now_ms);

/* The line itself, without bar or newline. Pure. */
const char *progress_text(const struct progress *p, uint64_t done, int64_t now_ms,
                          char out[PROGRESS_TEXT_SIZE]);

#endif
