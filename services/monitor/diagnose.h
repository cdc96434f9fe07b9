/* SPDX-License-Identifier: GPL-3.0-or-later */
/* diagnose: from verdicts to at most one action, with its reason; and how often is too
 * often.
 *
 * Pure: no I/O, no clock. One training at a time per series, a cool-down between two asks
 * that doubles with each challenger that loses, a budget a day per series and for the
 * fleet. The counters are the caller's to keep (they survive restarts in series_state).
 */
#ifndef FC_MONITOR_DIAGNOSE_H
#define FC_MONITOR_DIAGNOSE_H

#include <stdbool.h>
#include <stdint.h>

#include "services/monitor/checks.h"

#define FIRST_TRAINING_H 24 /* hours with a value that the first training needs */

enum reason {
    REASON_NONE,
    REASON_FIRST,         /* "first_training" */
    REASON_SYSTEM0,       /* "system0_thresholds" */
    REASON_ERROR_RISEN,   /* "error_risen" */
    REASON_SKILL_LOST,    /* "skill_lost" */
    REASON_FOLLOW_UP,     /* "follow_up": 24 h and 72 h after a change was suspected */
    REASON_HISTORY_GROWN, /* "history_grown" */
    REASON_BASELINE,      /* "baseline_serves": nothing better was found yet */
    REASON_WEEK, /* "week_passed": since the last ask; there is a week to learn */
    N_REASONS
};
const char *reason_name(enum reason r);
enum reason reason_find(const char *name); /* REASON_NONE if there is none of that name */

/* Why a wanted training is not asked for now. */
enum held {
    HELD_NOT,
    HELD_FAULT,    /* the sensor is silent or stuck: never learned */
    HELD_OPEN,     /* a job of this series is under way */
    HELD_ARRIVING, /* late hours are still coming in */
    HELD_COOLDOWN,
    HELD_BUDGET, /* of the series, today */
    HELD_FLEET   /* of all series, today */
};
const char *held_name(enum held h);

/* What the loop remembers of a series. */
struct loop_state {
    int64_t last_asked_ms; /* INT64_MIN: never */
    int64_t day;           /* the day (UTC, since 1970) that asked_today counts */
    int asked_today;
    int losses;        /* challengers in a row that were not promoted */
    int grown_at;      /* hours there were when it was last asked */
    int64_t change_ms; /* first ask of an episode of bad forecasts; INT64_MIN: there is
                          none */
    int follow_ups;    /* asked since then, of 2 */
    bool open;         /* a job is under way */
};

struct diagnose_in {
    const struct verdicts *v;
    const struct champion *c;
    const struct rules *r;
    const struct loop_state *loop;
    int hours;     /* hours with a value within 8 weeks */
    bool arriving; /* late hours came in a moment ago */
    int64_t now_ms;
    int64_t fleet_left; /* retrainings that all series together may still have today */
};

struct diagnosis {
    enum reason reason; /* what training would be for; REASON_NONE: all is well */
    enum held held;     /* HELD_NOT and a reason: ask now */
    int64_t until_ms;   /* HELD_COOLDOWN: when it ends */
    bool quarantine;    /* the sensor is broken: keep it out of training */
};

void diagnose(const struct diagnose_in *in, struct diagnosis *out);

/* Least time from one ask to the next. */
int64_t diagnose_wait_ms(const struct rules *r, enum reason why, int losses);

void loop_init(struct loop_state *l);
/* Counts an ask at now_ms, with so many hours of history. */
void loop_asked(struct loop_state *l, int64_t now_ms, int hours, enum reason why);
/* Counts how a job ended. */
void loop_ended(struct loop_state *l, bool promoted);
/* Asks that count for the day of now_ms. */
int loop_asked_on(const struct loop_state *l, int64_t now_ms);

#endif
