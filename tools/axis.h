/* SPDX-License-Identifier: GPL-3.0-or-later */
/* axis: where the ticks of a chart go, and what they say. Pure. */
#ifndef FC_TOOLS_AXIS_H
#define FC_TOOLS_AXIS_H

#include <stddef.h>
#include <stdint.h>

#define AXIS_TICKS_MAX 40
#define AXIS_LABEL_SIZE 24

struct axis {
    size_t n;
    double at[AXIS_TICKS_MAX];
    char label[AXIS_TICKS_MAX][AXIS_LABEL_SIZE];
};

/* Multiples of 1, 2 or 5 times a power of ten from low to high, at most `most` (2 or
 * more) of them, with as many digits as tell them apart. */
void axis_values(double low, double high, size_t most, struct axis *a);

/* Times (epoch seconds) that people count by: whole hours (1, 2, 3, 6, 12), days (1, 2,
 * 7), or months, UTC: "06:00", "20 Nov"; midnight says the day. */
void axis_times(double from_s, double to_s, size_t most, struct axis *a);

/* Hours from `from` to `to`, 0 among them, in steps that divide a day or are whole days:
 * "-24", "0", "48". */
void axis_hours(double from, double to, size_t most, struct axis *a);

#endif
