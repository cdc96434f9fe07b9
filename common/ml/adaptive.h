/* SPDX-License-Identifier: GPL-3.0-or-later */
/* adaptive: bands that follow their own misses (adaptive conformal prediction).
 *
 * A conformal band keeps its promise while errors are as they were in the backtest. Here
 * each truth that comes moves it: outside, the band of its lead grows; inside, it shrinks
 * a little; so that in the long run as many truths are outside as the level allows,
 * whatever the errors become. State is kept for five leads, those between them are
 * interpolated. Why the widths move on the log scale, and how the steps were chosen:
 * docs/forecasting.md, "Bands".
 *
 * The last ADAPTIVE_HOURS are kept as bits, so that what becomes known late, or changes,
 * counts as if it had come in time. The same misses give the same widths in whatever
 * order they come. Pure; one thread at a time. */
#ifndef FC_ML_ADAPTIVE_H
#define FC_ML_ADAPTIVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ADAPTIVE_LEADS 5
#define ADAPTIVE_HOURS 64
extern const int adaptive_leads[ADAPTIVE_LEADS]; /* 1, 6, 12, 24, 48 */

struct adaptive {
    double alpha;   /* share of misses that the level allows */
    int64_t newest; /* the hour of bit 0, counted from 1970; bit i: i hours before */
    struct {
        double before; /* log of the width after all hours older than the bits */
        uint64_t known, missed;
    } lead[ADAPTIVE_LEADS];
};

/* Nothing is known yet: all widths are 1. level: that of the band, 0..1; the bits end
 * with the hour newest. */
void adaptive_init(struct adaptive *a, double level, int64_t newest);

/* Moves the bits on to the hour newest: what is then too old is counted for good. Never
 * back. */
void adaptive_move(struct adaptive *a, int64_t newest);

/* Was the truth of the hour outside the band that adaptive_leads[i] hours before was
 * promised for it? A newer hour moves the bits on; one before them is too late. */
void adaptive_put(struct adaptive *a, size_t i, int64_t hour, bool missed);

/* How wide the band of adaptive_leads[i] is, as a multiple of the model's own, after the
 * hours up to and with `hour`. */
double adaptive_width(const struct adaptive *a, size_t i, int64_t hour);

/* From the widths of the five leads to that of any (from 1): linear in the logarithms
 * between two of them, so never beyond either; before the first and after the last as
 * there. */
double adaptive_at(const double width[ADAPTIVE_LEADS], size_t lead);

/* Limits what is read from elsewhere (the log of a width; NaN gives 0). */
double adaptive_limit(double log_width);

/* Hours of lead i among the bits, and how many of them missed. */
void adaptive_count(const struct adaptive *a, size_t i, int *known, int *missed);

#endif
