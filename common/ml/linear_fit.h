/* SPDX-License-Identifier: GPL-3.0-or-later */
/* linear_fit: what a linear regression found. */
#ifndef FC_ML_LINEAR_FIT_H
#define FC_ML_LINEAR_FIT_H

#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "common/ml/features.h"

struct linear_fit {
    double mean[FEATURES_MAX], std[FEATURES_MAX]; /* per column; std 1 where constant */
    double intercept, coef[FEATURES_MAX];         /* on standardised columns */
    uint64_t dropped; /* bit i: column i says nothing new; its coefficient is 0 */
};

/* Is a column whose values have this mean and spread constant but for rounding? */
bool linear_constant(double mean, double std);

/* Refuses a fit of cols columns that is not finite (ERR_CONFLICT). */
int linear_check(const struct linear_fit *f, size_t cols, struct err *e) MUST_CHECK;

#endif
