/* SPDX-License-Identifier: GPL-3.0-or-later */
/* lagged: what a series without holes says of itself: for each hour, the sums up to it of
 * the values and of their products with the values some hours before.
 *
 * A regression of the series on its own past, whatever the lags, the rows and the hour it
 * is made at, is made of differences of these, so that many of them cost little more than
 * one. Values are taken relative to the median of the first LAGGED_LEAST, so that a level
 * far from zero (1013 hPa) costs no digits. Not changed once it is made: any number of
 * threads may ask; pure. */
#ifndef FC_ML_LAGGED_H
#define FC_ML_LAGGED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "common/ml/features.h"

struct lagged;

#define LAGGED_LEAST 24 /* values without which nothing can be asked */

/* Of the first of z, in time's order, up to one that is missing or so far (LAGGED_FAR
 * times) from what those before are that differences of sums it is in would lose their
 * digits. For products with up to `most` hours before: 8 × (n + 1) × (most + 2) bytes.
 * Free with lagged_free(). */
#define LAGGED_FAR 1e4
struct lagged *lagged_make(const double *z, size_t n, size_t most);
void lagged_free(struct lagged *l); /* NULL is fine */

/* How many values there are, 0 or at least LAGGED_LEAST; and what is taken off each. */
size_t lagged_n(const struct lagged *l);
double lagged_level(const struct lagged *l);

/* Over the hours t from `first` to n - 1 (first >= each of back; n <= lagged_n()): the
 * sums of the series of values back[i] hours before t, at i * stride, and of the products
 * of each two (i <= j), at (i * cols + j) * stride. Those that are LAGGED_NONE are zeros.
 * No back is above `most`; cols is at most FEATURES_MAX + 1. */
#define LAGGED_NONE SIZE_MAX
void lagged_sums(const struct lagged *l, size_t n, size_t first, const size_t *back,
                 size_t cols, size_t stride, double *sum, double *product);

#endif
