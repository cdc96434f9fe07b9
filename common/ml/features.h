/* SPDX-License-Identifier: GPL-3.0-or-later */
/* features: from an hourly history to the numbers a model reads.
 *
 * The same code makes training rows and serving rows, so that they cannot differ. Pure.
 */
#ifndef FC_ML_FEATURES_H
#define FC_ML_FEATURES_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "common/err.h"
#include "common/ml/dataset.h"

#define FEATURES_MAX 64
#define LAG_MAX 672 /* four weeks */

enum transform { TRANSFORM_NONE, TRANSFORM_LOG };

/* What a model reads. Lags in hours, each 1..LAG_MAX; their order is the order of
 * columns. */
struct feature_spec {
    size_t n_lags;
    int lags[FEATURES_MAX];
    enum transform transform;
};

int features_max_lag(const struct feature_spec *s);

/* The name of column i, "lag_24". buf of at least 16 bytes. */
const char *features_name(const struct feature_spec *s, size_t i, char buf[16]);

/* To the scale a model works on, and back. NaN for a value the transform cannot take. */
double features_transform(const struct feature_spec *s, double value);
double features_inverse(const struct feature_spec *s, double value);

/* One row for the hour that follows y[n-1]: out[n_lags]. Returns -1 if the history is too
 * short or one of the hours needed is NaN (or not positive under TRANSFORM_LOG). */
int features_row(const struct feature_spec *s, const double *y, size_t n, double *out);

/* All rows of h whose target and lags are present: x (rows × n_lags, row major) and
 * target (rows), both transformed and owned by the caller, free(). Returns the number of
 * rows (0 is no error). */
size_t features_rows(const struct feature_spec *s, const struct hours *h, double **x,
                     double **target);

/* The document's "features" object (docs/contracts.md, section 8), and back. Calendar and
 * exogenous features are not known yet: their lists must be empty. */
json_t *features_to_json(const struct feature_spec *s);
int features_from_json(struct feature_spec *s, const json_t *j, struct err *e) MUST_CHECK;

#endif
