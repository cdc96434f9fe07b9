/* SPDX-License-Identifier: GPL-3.0-or-later */
/* features: from an hourly history to the numbers a model reads.
 *
 * The same code makes training rows and serving rows, so that they cannot differ. All
 * columns are on the model's scale (features_transform()). Pure. */
#ifndef FC_ML_FEATURES_H
#define FC_ML_FEATURES_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "common/err.h"
#include "common/ml/dataset.h"

#define FEATURES_MAX 64 /* columns */
#define LAG_MAX 672     /* four weeks */
#define WINDOWS_MAX 16
#define FEATURE_NAME_SIZE 160
#define EXOGENOUS_LAGS_MAX 4

enum transform { TRANSFORM_NONE, TRANSFORM_LOG, N_TRANSFORMS };

/* Of the newest `hours` hours, 2 to LAG_MAX: their mean, population standard deviation,
 * least, greatest, least-squares slope per hour, and the newest less the oldest. */
enum statistic {
    STAT_MEAN,
    STAT_STD,
    STAT_MIN,
    STAT_MAX,
    STAT_SLOPE,
    STAT_DIFF,
    N_STATS
};
extern const char *const features_stats[N_STATS]; /* "mean", … */
struct window {
    enum statistic stat;
    int hours;
};

/* What is read of another series, on its own scale: its values so many hours
 * (1..OTHERS_LAG_MAX) before the hour that is forecast, at the leads at which these are
 * known; for lag 1 at all leads the newest hour, that of the origin. */
struct exogenous {
    char series[OTHERS_NAME_SIZE];
    size_t n_lags;
    int lags[EXOGENOUS_LAGS_MAX];
    double mean; /* of the newest hour; stands in for what is not there */
};

/* Of the hour that is forecast, on the site's clocks: sine and cosine of the hour of the
 * day (four harmonics) and of the hour of the week (three). */
enum { CALENDAR_HOUR = 1, CALENDAR_WEEK = 2 };

/* What a model reads: columns in the order of the members. Lags in hours, each
 * 1..LAG_MAX. */
struct feature_spec {
    size_t n_lags;
    int lags[FEATURES_MAX];
    enum transform transform;
    unsigned calendar; /* CALENDAR_… */
    size_t n_windows;
    struct window windows[WINDOWS_MAX];
    const struct zone *zone; /* of the calendar; borrowed; NULL: UTC. Fitting takes that
                                of the hours; not of the "features" object */
    size_t n_exogenous;      /* at most OTHERS_MAX */
    struct exogenous *exogenous; /* owned by the model whose features these are; a copy
                                    of the specification borrows them */
};

/* Lags, windows, exogenous: what is made of histories. Behind them: the calendar's. */
size_t features_of_history(const struct feature_spec *s);
size_t features_columns(const struct feature_spec *s);

/* How many of the newest hours a row reads. */
size_t features_reach(const struct feature_spec *s);

/* The name of column i: "lag_24", "mean_24", "kitchen.humidity.lag_1", "hour_sin_1". */
const char *features_name(const struct feature_spec *s, size_t i,
                          char buf[FEATURE_NAME_SIZE]);

/* To the scale a model works on, and back. NaN for a value the transform cannot take. */
double features_transform(const struct feature_spec *s, double value);
double features_inverse(const struct feature_spec *s, double value);

/* One row for the hour next_s (its start), which follows z[n-1]; z: on the model's scale.
 * out: features_columns(); there must be no exogenous ones. Returns -1 if the history is
 * too short or an hour that is read is not a finite number. */
int features_row(const struct feature_spec *s, const double *z, size_t n, int64_t next_s,
                 double *out);

/* The same where the history is known to be long enough (features_reach()); what is not
 * a finite number is copied. */
void features_fill(const struct feature_spec *s, const double *z, size_t n,
                   int64_t next_s, double *out);

/* The hour of the week, on these clocks (NULL: UTC), of the hour t_s: 0 on Monday at
 * midnight to 167. */
int features_week_hour(const struct zone *zone, int64_t t_s);

/* The calendar's columns alone, for the hour t_s. */
void features_calendar(const struct feature_spec *s, int64_t t_s, double *out);

/* How far before the hour after the origin lies what the i-th lag of x reads at a lead
 * (from 1); 0: that is not known yet, or an earlier lag of x reads it already. */
size_t features_back(const struct exogenous *x, size_t i, size_t lead);

/* What the i-th lag of x reads at an origin and a lead: what is there or was there last
 * (others.h), NaN where there is none; 0 where it reads nothing. at: which of those
 * beside x is; -1: none of them. */
double features_exogenous(const struct exogenous *x, size_t i,
                          const struct others *beside, int at, int64_t origin_s,
                          size_t lead);

/* All rows of h whose target and features are there: x (rows × columns, row major) and
 * target (rows), both transformed and owned by the caller, free(). Returns the number of
 * rows (0 is no error). */
size_t features_rows(const struct feature_spec *s, const struct hours *h, double **x,
                     double **target);

/* The document's "features" object (docs/contracts.md, section 8), and back; then the
 * exogenous ones are owned by s. */
json_t *features_to_json(const struct feature_spec *s);
int features_from_json(struct feature_spec *s, const json_t *j, struct err *e) MUST_CHECK;

#endif
