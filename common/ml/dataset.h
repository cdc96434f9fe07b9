/* SPDX-License-Identifier: GPL-3.0-or-later */
/* dataset: an hourly series on a regular grid, and what is done to it before fitting.
 *
 * Pure: no I/O, no clock, no log. A struct hours owns its values; copy with hours_copy().
 * One thread at a time for writers, any number of readers. */
#ifndef FC_ML_DATASET_H
#define FC_ML_DATASET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "common/ml/others.h"
#include "common/ml/zone.h"
#include "common/sha256.h"

struct scales;

#define HOURS_MAX 87600 /* ten years; the most any call accepts */
#define HOLDOUT_HOURS 168

struct hours {
    int64_t start_s; /* epoch seconds of y[0]'s hour (its start); a multiple of 3600 */
    size_t n;
    double *y; /* owned; n values in the series' unit; NaN = no value for that hour */
    const struct others *beside; /* series beside it (others.h); borrowed; NULL: none */
    const struct zone *zone;     /* its site's clocks; borrowed; NULL: UTC */
    const struct scales *scales; /* of these hours and later ones (scales.h); borrowed;
                                    NULL: not made. Not copied */
};

/* n hours from start_s, all missing. Fails when n is 0 or above HOURS_MAX, or start_s is
 * not a whole hour of the years 1970 to 9999. Free with hours_done(). */
int hours_init(struct hours *h, int64_t start_s, size_t n, struct err *e) MUST_CHECK;
void hours_done(struct hours *h); /* a zeroed struct is fine */
int hours_copy(struct hours *to, const struct hours *from, struct err *e) MUST_CHECK;

/* n hours of h from its i-th on, borrowed: not to be freed. */
struct hours hours_part(const struct hours *h, size_t i, size_t n);

/* Puts a value at the hour that starts at t_s; hours outside the grid and non-finite
 * values are ignored and -1 is returned. */
int hours_set(struct hours *h, int64_t t_s, double value);

/* Cuts missing hours off both ends (n may become 0). */
void hours_trim(struct hours *h);

/* Keeps only the newest n hours. */
void hours_keep_last(struct hours *h, size_t n);

/* How many of the newest of n hours a training keeps for its gate, which nothing that is
 * chosen may have looked at: HOLDOUT_HOURS, or a quarter where that is less. */
size_t hours_holdout(size_t n);

/* Least and greatest value; +inf and -inf where there is none. */
void hours_range(const struct hours *h, double *low, double *high);

/* What is believed of a newest hour where [low, high] is all that n hours before it held:
 * itself, or, where it lies further beyond them than they are apart, the nearer end: such
 * an hour is a misread, most often, and if it is none the next one tells. Itself of a
 * constant (low = high) as well, and where n is less than a week. */
double hours_believed(double newest, double low, double high, size_t n);

size_t hours_complete(const struct hours *h); /* number of hours that have a value */
bool hours_empty(const struct hours *h);      /* has none a value? */

/* Fills inner gaps of at most max_gap hours linearly in time; longer ones stay NaN.
 * Returns the number of hours filled. */
size_t hours_interpolate(struct hours *h, size_t max_gap);
size_t series_interpolate(double *y, size_t n,
                          size_t max_gap); /* the same on bare values */

/* Canonical training rows (docs/contracts.md, section 8): per hour int64 epoch seconds
 * and float64 value, then the values of the series beside it, little endian, NaN (one bit
 * pattern) for missing; hours_row_size() × n bytes, owned. */
size_t hours_row_size(size_t others);
unsigned char *hours_canonical(const struct hours *h, size_t *len);
void hours_sha256(const struct hours *h, char out[SHA256_HEX_SIZE]);

#endif
