/* SPDX-License-Identifier: GPL-3.0-or-later */
/* model: a fitted forecaster with all it needs, and its document.
 *
 * A model owns everything it points to; nothing refers to the training data. Once made it
 * is read-only: any number of threads may forecast with it. Pure: no I/O, no clock. */
#ifndef FC_ML_MODEL_H
#define FC_ML_MODEL_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "common/ml/algo.h"
#include "common/ml/features.h"
#include "common/ml/lead_weights.h"
#include "common/sha256.h"

#define MODEL_DOC_MAX 10485760 /* bytes */
#define MODEL_PARAMS_MAX 8
#define MODEL_QUANTILES_MAX 1001
#define BLEND_MAX 6 /* members of a blend */

struct smoothing; /* common/ml/smoothing.h */
struct trees;     /* common/ml/trees.h */
struct grower;    /* the same */

struct model {
    char series[130];
    const struct algo *algo;
    double params[MODEL_PARAMS_MAX]; /* in the order of algo->params */
    struct feature_spec features;
    double *mean, *std;      /* scaling per feature column; NULL if none. owned */
    double intercept, *coef; /* linear state: a coefficient per scaled column */
    double *raw; /* the same on columns as they are: intercept, then coefficients. owned;
                  * not of the document */
    double *usual; /* of profile: at each hour of the week, on the model's scale. owned */
    uint64_t dropped;           /* bit i: column i was redundant, its coefficient is 0 */
    double clip_low, clip_high; /* what is forecast stays inside */
    struct model **member; /* of a blend: n_members models and their weights, which add up
                            * to 1 at each lead. owned */
    struct lead_weights *weight;
    size_t n_members;
    double decay;           /* of seasonal_ar: what is left of a difference an hour on */
    double lowest, highest; /* what can be at all; not of the document: whoever
                             * knows the quantity sets them, else no limit */
    double level;           /* of the band below, 0.95 */
    size_t n_leads;         /* length of lower/upper; 0 = no band known */
    double *lower, *upper;  /* offsets added to yhat per lead (lower <= 0 <= upper);
                             * under a transform, added on its scale */
    double lead1_sd;        /* sd of the backtest error at lead 1; NaN unknown */
    size_t n_quantiles; /* drift baseline: quantiles 0, 1/(n-1), .., 1 of training y */
    double *quantiles;
    struct {
        int64_t from_s, to_s; /* first and last hour used (starts) */
        size_t rows;
        char sha256[SHA256_HEX_SIZE];
        char preset[16]; /* "" = none */
        uint64_t seed;
        char code[64]; /* version and revision */
        struct zone
            *zone;       /* the site\'s clocks, what calendars go by; NULL: UTC. owned */
        size_t n_beside; /* the others (others.h) that stood beside, read or not: */
        char (*beside)[OTHERS_NAME_SIZE]; /* their names, in the order of the rows. owned
                                           */
    } training;
    json_t *metrics; /* object of reals. owned */

    struct smoothing *smoothing; /* of holt_winters and theta. owned */
    struct trees *trees; /* of boost and forest: what they answer is the target less the
                          * intercept, over the scale. owned */
    double scale;
    const struct grower *grower; /* who fits these; NULL: nobody, as after loading.
                                  * borrowed */
};

struct forecast {
    double yhat, lower, upper;
};

/* An unfitted model of that algorithm with default parameters and, if it reads lags,
 * those of the last hours and of the day before. Free with model_free(). */
struct model *model_new(const struct algo *a, const char *series);
void model_free(struct model *m); /* NULL is fine */

/* z: the site's clocks, taken over; NULL: UTC. For the members, too. */
void model_set_zone(struct model *m, struct zone *z);

/* member: taken over. At most BLEND_MAX. */
void model_add_member(struct model *m, struct model *member,
                      const struct lead_weights *weight);

/* The document: keys in the contract's order, reals with 17 digits; owned text. */
char *model_document(const struct model *m, size_t *len);
/* Reads one. Refuses unknown versions and algorithms, wrong lengths, non-finite numbers,
 * more than MODEL_DOC_MAX bytes, each with a text that names the field. NULL on error. */
struct model *model_parse(const char *doc, size_t len, struct err *e) MUST_CHECK;

/* Of a document what a member of a blend has: algorithm, parameters, features, scaling,
 * state. A new object; and a model made of one, NULL on error. */
json_t *model_parts(const struct model *m);
struct model *model_from_parts(const json_t *parts, const char *series,
                               struct err *e) MUST_CHECK;

/* How many of the latest hours model_forecast() needs at least. Given MODEL_HISTORY_SPARE
 * more, it can also bridge gaps at the old end. */
#define MODEL_HISTORY_SPARE 171
size_t model_history(const struct model *m);

/* How many of the hours that a forecast looks back over, the latest model_history(), are
 * in gaps longer than 3 hours, which model_forecast() fills from the nearest day that has
 * that hour: worth a warning, though not every lead reads every hour. */
size_t model_history_gaps(const struct model *m, const double *y, size_t n);

/* How many of the other series that a forecast after past reads are not known at an hour
 * that one of its leads reads; their means stand in: worth a warning. */
size_t model_others_missing(const struct model *m, const struct hours *past);

/* Calls each() with the name of each other series that m reads; some more than once. */
void model_others(const struct model *m, void (*each)(void *arg, const char *series),
                  void *arg);

/* What model_forecast() reads of the newest of n hours (n >= 1): y[n - 1], or the end of
 * what the model has learned from where hours_believed() says so and the last hour before
 * that is there is not out of place itself. */
double model_newest(const struct model *m, const double *y, size_t n);

/* horizon (1..HORIZON_MAX) hours after the last of past, NaN = missing. Gaps of up
 * to 3 hours inside what is read are bridged linearly, longer ones as told above; a
 * missing newest hour, and one that nothing can stand in for, is refused (ERR_CONFLICT,
 * slug "history_missing"). A band at another level than the model's is scaled by the
 * normal quantiles' ratio; beyond its last lead it grows with the root of the lead.
 * Without a band, lower and upper are NaN. */
int model_forecast(const struct model *m, const struct hours *past, size_t horizon,
                   double level, struct forecast *out, struct err *e) MUST_CHECK;

/* The same without the band: yhat[horizon] alone, and whatever the newest hour is. */
int model_points(const struct model *m, const struct hours *past, size_t horizon,
                 double *yhat, struct err *e) MUST_CHECK;

/* The same of FORECAST_MANY fitted models of one candidate, each on its own past, in
 * less time: algo.h has more. False: ask one by one, which tells why. */
bool model_points_many(const struct model *const *m, const struct hours *past,
                       size_t horizon, double (*yhat)[HORIZON_MAX]);

/* Sets the band: half widths per lead on the model's scale, copied. */
void model_set_band(struct model *m, const double *half, size_t n_leads, double level);

/* On logarithms the upper bound stays within the limits of what is forecast.
 * Fills f->lower and f->upper around f->yhat; lead counts from 0, 0 < level < 1. All
 * three stay between m->lowest and m->highest. */
void model_band(const struct model *m, size_t lead, double level, struct forecast *f);

/* The same with the band `width` times as wide on the model's scale (adaptive.h). */
void model_band_wide(const struct model *m, size_t lead, double level, double width,
                     struct forecast *f);

/* The hour t_s (its start; read only by the calendar) from a row of named features, as
 * POST /predict gives them: x has the features_of_history() of m->features, in their
 * order. Refused for algorithms that read no features. */
int model_predict_row(const struct model *m, const double *x, int64_t t_s, double level,
                      struct forecast *out, struct err *e) MUST_CHECK;

#endif
