/* SPDX-License-Identifier: GPL-3.0-or-later */
/* smoothing: exponential smoothing of hours with a season of a day, for the algorithms
 * that rest on it (holt_winters.c, theta.c).
 *
 * In the error-correction form of ETS(A,Ad,A) (Hyndman, Koehler, Ord and Snyder 2008,
 * Forecasting with Exponential Smoothing, table 2.2): with e the error of the hour's
 * forecast, level + phi trend + season,
 *
 *     level' = level + phi trend + alpha e    trend' = phi trend + beta e
 *     season' = season + gamma e
 *
 * In an hour without a value there is no error. The seasons are numbered by the hour of
 * the day (UTC), so that a state can be used at any time. Pure. */
#ifndef FC_ML_SMOOTHING_H
#define FC_ML_SMOOTHING_H

#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "common/ml/dataset.h"
#include "common/ml/model.h"

#define SMOOTHING_DAY 24
#define SMOOTHING_HISTORY 168 /* hours that a forecast is smoothed over */
#define SMOOTHING_MIN_HOURS (SMOOTHING_HISTORY + 2 * SMOOTHING_DAY)

struct smoothing {
    double alpha, beta, gamma; /* shares of an error for level, trend, season */
    double phi;                /* what is left of the trend an hour on */
    double level, trend, season[SMOOTHING_DAY];
    double drift; /* of theta: what is added an hour beside all this */
};

/* The hour of the day that begins at t_s, in UTC. */
size_t smoothing_hour(int64_t t_s);

/* Takes in the hours of h. Returns the sum of squared errors; *n: how many (NULL is
 * fine). */
double smoothing_run(struct smoothing *s, const struct hours *h, size_t *n);

/* What it forecasts for the lead-th hour (from 1) after the one that began at last_s. */
double smoothing_ahead(const struct smoothing *s, size_t lead, int64_t last_s);

/* The additive seasons of a classical decomposition: what the hours of the day differ
 * from a centred mean of a day, averaged, with the mean taken off. */
void smoothing_seasons(const struct hours *h, double season[SMOOTHING_DAY]);

/* The mean of the first day without its seasons; the trend becomes 0. */
void smoothing_begin(struct smoothing *s, const struct hours *h);

/* Finds the alpha, and with n_free 3 or 4 the beta, gamma and phi, that forecast h one
 * hour ahead with the least squared error from the state in s, by the simplex of Nelder
 * and Mead within 0.001 <= alpha <= 0.999, beta <= alpha, gamma <= 1 - alpha and 0.8 <=
 * phi <= 0.99. What is in s is where it starts. The same input gives the same bits. */
int smoothing_fit(struct smoothing *s, const struct hours *h, size_t n_free,
                  struct err *e) MUST_CHECK;

/* ---- members of struct algo that both have ---- */

/* Begins a fit: is there enough of h? ERR_CONFLICT says what is missing. Sets
 * training.rows. */
int smoothing_check(struct model *m, const struct hours *h, struct err *e) MUST_CHECK;
/* Ends it: m keeps s, and the range of h as its limits. */
int smoothing_keep(struct model *m, const struct smoothing *s, const struct hours *h,
                   struct err *e) MUST_CHECK;
size_t smoothing_min_hours(const struct model *m);
size_t smoothing_history(const struct model *m);
/* The numbers of "state"; and back, with their limits checked. Owned by m. */
json_t *smoothing_save(const struct model *m);
int smoothing_load(struct model *m, const json_t *state, struct err *e);
/* Smooths over the last SMOOTHING_HISTORY hours, and then f(s, lead, last_s) for each
 * lead, inside the model's limits. */
int smoothing_forecast(const struct model *m, const struct hours *past, size_t horizon,
                       double (*ahead)(const struct smoothing *s, size_t lead,
                                       int64_t last_s),
                       double *out, struct err *e);

/* What both have in struct algo. */
#define SMOOTHING_MEMBERS                                                                \
    .complexity = 7, .min_hours = smoothing_min_hours, .history = smoothing_history,     \
    .fit = fit, .forecast = forecast, .save = smoothing_save, .load = smoothing_load

#endif
