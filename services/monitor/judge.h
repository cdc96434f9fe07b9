/* SPDX-License-Identifier: GPL-3.0-or-later */
/* judge: one series at the newest hour: from its window, through checks and diagnosis, to
 * what shall be done. Pure but for the actions it fills; time comes as an argument. */
#ifndef FC_MONITOR_JUDGE_H
#define FC_MONITOR_JUDGE_H

#include "common/ml/adaptive.h"
#include "services/monitor/act.h"
#include "services/monitor/schedule.h"

/* A series in a round: what it is, and what it becomes when the actions are committed. */
struct cell {
    struct tracked *t;
    struct tracked next; /* a copy; shares everything it points to but new alert ids */
    struct window w;
    /* of the hours of the piece under way; per lead of adaptive_leads */
    struct miss miss[PIECE_HOURS][ADAPTIVE_LEADS];
};

struct judge_in {
    int64_t hour, now_ms; /* the newest hour, index 47 of the window */
    bool arriving;        /* late hours came in a moment ago */
    bool jumped;          /* several hours closed at once: nobody had listened */
    int64_t
        *fleet_left; /* retrainings that the fleet may still have today; counted down */
};

/* Fills cell->next (verdicts, diagnosis, loop, alerts) and appends to a. Returns true
 * when a training shall be asked for. While the past is arriving no alarm and no
 * quarantine begins, and a silence ends only when the series is back: the past alone says
 * nothing about the present. After hours in which nobody listened no silence begins
 * either: what the sensors have kept since is on its way. */
bool judge(struct cell *c, const struct judge_in *in, struct actions *a);

/* After a failed commit: frees what next alone owns. After a good one: takes next over,
 * under the view lock. */
void judge_drop(struct cell *c);
void judge_take(struct cell *c);

#endif
