/* SPDX-License-Identifier: GPL-3.0-or-later */
/* history: the latest hours of one series, as a ring on the hourly grid.
 *
 * Holds the newest `hours` hours; putting a newer one pushes the oldest out. Hours are
 * named by their start in ms. Pure; one thread at a time. */
#ifndef FC_PREDICTOR_HISTORY_H
#define FC_PREDICTOR_HISTORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct history;

/* hours: 1..HOURS of a year; all missing at first. Free with history_free(). */
struct history *history_new(size_t hours);
void history_free(struct history *h);  /* NULL is fine */
void history_clear(struct history *h); /* all missing again */
size_t history_hours(const struct history *h);

/* Puts the value of an hour (NaN: missing). Returns true when that changed what the ring
 * says; false for the same value, an hour before the ring, or one that is not whole. */
bool history_put(struct history *h, int64_t hour_ms, double value);

/* The newest hour <= at_most that has a value. False when there is none. */
bool history_newest(const struct history *h, int64_t at_most_ms, int64_t *hour_ms);

/* Copies the hours up to and with origin into out, newest last, gaps as NaN; at most max.
 * Starts with the oldest that has a value, so it returns how many there are (0: the
 * origin is older than the ring). */
size_t history_copy(const struct history *h, int64_t origin_ms, double *out, size_t max);

#endif
