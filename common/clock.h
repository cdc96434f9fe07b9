/* SPDX-License-Identifier: GPL-3.0-or-later */
/* clock: the only place that reads time, and times as text.
 *
 * With FC_CLOCK_FILE set, the wall clock comes from that file: one line "EPOCH_MS SPEED",
 * meaning that at the moment the file was last written it was EPOCH_MS and since then
 * SPEED virtual seconds have passed for each real one. Speed 0 stands still until the
 * file is written again. Write it by rename(2), so that no reader sees half a line. All
 * four services may share one file. Waiting and time-outs always use real time. Any
 * thread may call, after clock_init(). */
#ifndef FC_COMMON_CLOCK_H
#define FC_COMMON_CLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"

#define HOUR_MS INT64_C(3600000)
#define CLOCK_RFC3339_SIZE 32

/* path NULL or "": real time. Fails when the file is missing or malformed. */
int clock_init(const char *path, struct err *e) MUST_CHECK;
bool clock_is_virtual(void);

int64_t clock_now_ms(void);  /* wall clock (virtual if set), ms since 1970, UTC */
int64_t clock_mono_ms(void); /* real and monotonic: for time-outs and durations */
int64_t clock_mono_us(void);
void clock_sleep_ms(int64_t ms); /* real */

/* Floors to the hour, also before 1970. */
int64_t clock_hour_floor(int64_t t_ms);
/* Start of the last complete hour: the newest H with H + 1 h + grace <= now. */
int64_t clock_last_complete_hour(int64_t now_ms, int64_t grace_ms);

/* A mark is a time, made of the clock, that only moves forward. When now is more than an
 * hour before it the clock was ahead and has been put right: whoever keeps the mark says
 * so once and begins anew from now. false for INT64_MIN (no mark yet). */
bool clock_was_ahead(int64_t mark_ms, int64_t now_ms);

/* "2026-11-20T10:00:00.000Z". Years outside 0..9999 are clamped to these. */
const char *clock_format(int64_t t_ms, char out[CLOCK_RFC3339_SIZE]);

/* Reads RFC 3339 (with zone or Z), epoch seconds or epoch milliseconds (5e11 and more in
 * size is ms); what names the value in the error text. */
int clock_parse(const char *text, const char *what, int64_t *t_ms,
                struct err *e) MUST_CHECK;

#endif
