/* SPDX-License-Identifier: GPL-3.0-or-later */
/* checks: from what was measured and forecast to figures and verdicts.
 *
 * Pure: no I/O, no clock. Windows are counted in hours, never in rows: a missing hour
 * stays a hole in its window. Errors are those of the stored lead-1 forecasts, one per
 * target hour; the forecast for hour t was made when hour t-1 had closed, so persistence
 * at the same lead says y(t-1). Definitions and thresholds: docs/monitoring.md. */
#ifndef FC_MONITOR_CHECKS_H
#define FC_MONITOR_CHECKS_H

#include <stdbool.h>
#include <stdint.h>

#include "services/monitor/rules.h"

#define WINDOW_HOURS 48
#define SKILL_HOURS 24     /* the longest window of an evaluation */
#define SKILL_MIN_PAIRS 12 /* fewer hours say nothing about a champion's own skill */
#define SYSTEM0_MIN_PAIRS                                                                \
    8 /* as many as the reference system had of 12 hours at best                         \
       */
/* Standard errors from which a lost skill is told to people: a training is cheap, their
 * attention is not. Not 2, as errors of hours that follow one another are alike. */
#define SKILL_ALERT_T 3.0
#define EWMA_ALPHA 0.2
#define REFERENCE_MAX 8     /* lag features tested for drift; system0 has 4 */
#define FULL_HISTORY_H 1344 /* 8 weeks: what a training uses at most */

/* 48 hours of one series, oldest first. What is missing is NaN (version 0). */
struct window {
    double y[WINDOW_HOURS];
    double yhat[WINDOW_HOURS], lower[WINDOW_HOURS], upper[WINDOW_HOURS];
    int version[WINDOW_HOURS]; /* of the model that forecast the hour */
};
void window_init(struct window *w); /* all missing */

/* What `evaluations` holds. NaN where it cannot be said. */
struct quality {
    int n, missing; /* hours of the last 24 with truth and forecast; the others */
    int version;    /* that forecast the newest hour scored; 0 = none */
    double mae_4h, rmse_4h, mae_12h, rmse_12h, r2_12h, bias_12h, ewma, skill_24h,
        coverage;
    int skill_n; /* hours that skill_24h compares */
};

/* Was the truth of an hour outside the band that a model had promised for it? */
struct miss {
    int version; /* whose band it was; 0: no band, or no truth */
    bool missed;
};
struct miss checks_miss(double y, double lower, double upper, int version);

/* Scores the 24 hours that end with hour index `end` (23..47) of w; version 0: whatever
 * model forecast, else only that version's own forecasts. */
void checks_quality(const struct window *w, int end, int version, struct quality *q);

/* A champion as the checks need it; version 0: none yet. */
struct champion {
    int version;
    int rows;        /* hours with a value that it was trained on */
    bool baseline;   /* persistence or seasonal naive: no skill to lose */
    bool read;       /* what is below was read from its document */
    double lead1_sd; /* of its backtest error at lead 1; NaN unknown */
    int n_lags;      /* frozen training reference: mean and sd of its lag features */
    short lags[REFERENCE_MAX];
    double mean[REFERENCE_MAX], sd[REFERENCE_MAX];
};

/* What is known of a series at hour index 47 of a window. */
struct state_facts {
    const struct window *w;
    const struct champion *c;
    const struct rules *r;
    const char *quantity;
    int silent_h; /* hours since the last value, up to this one; 0 = it has one */
    int hours;    /* hours with a value within 8 weeks */
    int grown_at; /* the hours there were at the last training asked for */
};

struct verdicts {
    bool silent;      /* no value for more than gap_h hours */
    bool stuck;       /* one value for stuck_h hours, while it moved before */
    bool skill_lost;  /* skill_24h of the champion's own forecasts is below skill_min */
    bool skill_worse; /* and by more than chance would have it: skill_t > SKILL_ALERT_T */
    bool error_risen; /* both mae_12h and mae_12h_before are above error_factor × lead1_sd
                       */
    bool system0;     /* one of the reference system's three tests */
    bool history_grown; /* as many hours as checks_grown_at() */
    int stuck_h;        /* length of the run of one value that ends now */
    int drifted;        /* system0: lag features beyond z */
    double z_max;       /* the largest of their z; NaN if none could be tested */
    double skill_t;     /* the mean of what its absolute errors of the hours of skill_24h
                           are above 1 - skill_min of persistence's, in standard errors;
                           NaN where all are the same
                              or fewer than two are there */
    double mae_12h_before; /* of its forecasts for the 12 hours before the last 12 */
    struct quality own;    /* of the champion's own forecasts */
};

/* Hours of history from which a new training is worth it: half more than what the
 * champion was trained on, or than there were at the last ask; at most 8 weeks. Where
 * that does not cut it short, the hours that the gate then judges by, a quarter or a
 * week, are none that the champion was fitted to. */
int checks_grown_at(const struct champion *c, int grown_at);

void checks_verdicts(const struct state_facts *f, struct verdicts *v);

/* z of one lag feature: the mean of its last 4 rows against the frozen reference; NaN if
 * the window does not reach back so far or fewer than 2 of the rows are there. */
double checks_z(const struct window *w, int lag, double mean, double sd);

/* Hours at the end of w, up to its newest, that all have the same value; and whether such
 * a run is a fault. */
int checks_run(const struct window *w);
bool checks_stuck(const struct window *w, const char *quantity, int stuck_h);

#endif
