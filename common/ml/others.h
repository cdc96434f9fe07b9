/* SPDX-License-Identifier: GPL-3.0-or-later */
/* others: the series that stand beside the one that is forecast: other quantities of its
 * device, where there are few all others, or whatever the user names. What a model reads
 * of them are exogenous features.
 *
 * They lie on the grid of hours of their own, wide enough for the series' hours. Their
 * holes are not bridged: what is not there is what was there last, as long as that is at
 * most OTHERS_STALE_HOURS old. So no hour is ever read before it was known. Pure; one
 * thread at a time for writers, any number of readers. */
#ifndef FC_ML_OTHERS_H
#define FC_ML_OTHERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define OTHERS_MAX 8
#define OTHERS_NAME_SIZE 130 /* of a series' name */
#define OTHERS_STALE_HOURS 24
#define OTHERS_LAG_MAX 24 /* so many hours before the one that is forecast at most */
/* The newest hours of another that a forecast can look at. */
#define OTHERS_READ_HOURS (OTHERS_LAG_MAX + OTHERS_STALE_HOURS)

struct hours;

struct others {
    int64_t start_s; /* epoch seconds of the first hour; a multiple of 3600 */
    size_t hours;    /* of each */
    size_t n;
    struct {
        char series[OTHERS_NAME_SIZE];
        double *y; /* hours values in the series' unit; NaN = no value. owned */
        int lag;   /* others_lag(); 1 as long as nobody has asked */
    } of[OTHERS_MAX];
};

/* None yet, on the grid of h. Free with others_done(). */
void others_init(struct others *o, const struct hours *h);
void others_done(struct others *o); /* a zeroed struct is fine */

/* Adds a series; its hours outside the grid are left out, and those of the grid that it
 * does not have are missing. False when OTHERS_MAX are there already. */
bool others_add(struct others *o, const char *series, const struct hours *h);

/* Which of them it is; -1 if none. */
int others_find(const struct others *o, const char *series);

/* The value of series i in the hour that starts at t_s; NaN where it has none. */
double others_measured(const struct others *o, size_t i, int64_t t_s);

/* The value of series i in the hour that starts at t_s, or the last one known then; NaN
 * if that is more than OTHERS_STALE_HOURS old. */
double others_at(const struct others *o, size_t i, int64_t t_s);

/* ---- what another is worth ----
 *
 * Errors are typical ones (standard deviations) of regressions on hours without their
 * daily cycle, all of them before those that a training's gate will look at
 * (hours_holdout()). */

/* A series that others may be worth something to: worked out once for all of them. */
struct others_target {
    size_t n;     /* hours that count */
    double *y;    /* without their daily cycle. owned */
    double *rest; /* what hours 1-3 and 24 before leave of each; NaN: not known. owned */
    struct others_own {
        size_t rows;           /* 0: not worked out yet */
        double error;          /* NaN: cannot be told */
    } own[OTHERS_LAG_MAX + 1]; /* with its hours 1-3, 24 and i before the next alone */
};
void others_target_init(struct others_target *a, const struct hours *h);
void others_target_done(struct others_target *a);

/* How many hours (1 to OTHERS_LAG_MAX) before a's next hour b says most about it: makes
 * the error of a's own past (hours 1-3, 24 and as many before) smallest, and by a share
 * of OTHERS_LAG_GAIN more than its newest hour does, which is read anyway; else 1: of 24
 * hours one always seems to say something. Same grid. */
#define OTHERS_LAG_GAIN 0.02
int others_lag(struct others_target *a, const struct hours *b);

/* By how much b's hours 1-3 and lag before make the error of a's own past (the same, and
 * 24) smaller: 1 - s_both / s_own; 0 where they do not, or that cannot be told. Same
 * grid. What an other must be worth to be read without having been asked for:
 * OTHERS_WORTH. */
#define OTHERS_WORTH 0.05
double others_worth(struct others_target *a, const struct hours *b, int lag);

/* Finds the lag of each of o, beside h. Reads none of its hours outside of h. */
void others_lags(struct others *o, const struct hours *h);

#endif
