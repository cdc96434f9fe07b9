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
#define OTHERS_LAG_MAX 24 /* so many hours before the hour after the origin at most */
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

/* A series that others may be worth something to: worked out once for all of them. */
struct others_target {
    size_t n;
    double *y;   /* without its daily cycle. owned */
    size_t rows; /* that its own past has */
    double own;  /* the typical error with these alone; NaN: cannot be told */
};
void others_target_init(struct others_target *a, const struct hours *h);
void others_target_done(struct others_target *a);

/* By how much b's last three hours make the typical error of a's next hour smaller than
 * a's own past does (hours 1-3 and 24 before): 1 - s_both / s_own, both without their
 * daily cycle; 0 where they do not, or that cannot be told. Same grid. What an other must
 * be worth to be read without having been asked for: OTHERS_WORTH. */
#define OTHERS_WORTH 0.05
double others_worth(const struct others_target *a, const struct hours *b);

#endif
