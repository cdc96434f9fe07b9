/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "services/monitor/diagnose.h"

#include <string.h>

#include "common/clock.h"

#define DAY_MS (24 * HOUR_MS)
#define WEEK_MS (7 * DAY_MS)
#define WAIT_MAX_MS WEEK_MS
#define LOSSES_MAX 30
#define FOLLOW_UPS 2

static const char *const reasons[N_REASONS] = {
    "none",      "first_training", "system0_thresholds", "error_risen", "skill_lost",
    "follow_up", "history_grown",  "baseline_serves",    "week_passed"};

const char *reason_name(enum reason r)
{
    return reasons[r];
}

enum reason reason_find(const char *name)
{
    for (int i = 1; i < N_REASONS; i++)
        if (!strcmp(reasons[i], name))
            return (enum reason)i;
    return REASON_NONE;
}

const char *held_name(enum held h)
{
    static const char *const names[] = {"not",         "sensor_fault", "job_open",
                                        "late_data",   "cooldown",     "daily_budget",
                                        "fleet_budget"};
    return names[h];
}

static int64_t day_of(int64_t t_ms)
{
    int64_t d = t_ms / DAY_MS;
    return d - (t_ms % DAY_MS < 0);
}

int64_t diagnose_wait_ms(const struct rules *r, enum reason why, int losses)
{
    double wait = r->cooldown_h * (double)HOUR_MS;
    /* without any model it asks again sooner, but not at once; without need, later */
    if (why == REASON_FIRST && wait > (double)HOUR_MS)
        wait = (double)HOUR_MS;
    if (why == REASON_BASELINE && wait < (double)DAY_MS)
        wait = (double)DAY_MS;
    for (int i = 0; i < losses && wait < (double)WAIT_MAX_MS; i++)
        wait *= 2;
    return wait < (double)WAIT_MAX_MS ? (int64_t)wait : WAIT_MAX_MS;
}

int loop_asked_on(const struct loop_state *l, int64_t now_ms)
{
    return l->day == day_of(now_ms) ? l->asked_today : 0;
}

void loop_init(struct loop_state *l)
{
    *l = (struct loop_state){.last_asked_ms = INT64_MIN, .change_ms = INT64_MIN};
}

/* How many follow-ups are due at a time. */
static int follow_ups_due(const struct loop_state *l, int64_t now_ms)
{
    if (l->change_ms == INT64_MIN)
        return 0;
    return (now_ms >= l->change_ms + DAY_MS) + (now_ms >= l->change_ms + 3 * DAY_MS);
}

void loop_asked(struct loop_state *l, int64_t now_ms, int hours, enum reason why)
{
    bool bad =
        why == REASON_SYSTEM0 || why == REASON_ERROR_RISEN || why == REASON_SKILL_LOST;
    int due = follow_ups_due(l, now_ms);
    l->asked_today = loop_asked_on(l, now_ms) + 1;
    l->day = day_of(now_ms);
    l->last_asked_ms = now_ms;
    l->grown_at = hours;
    l->open = true;
    if (due > l->follow_ups) /* whatever it was asked for */
        l->follow_ups = due;
    if (l->follow_ups >= FOLLOW_UPS || (l->change_ms == INT64_MIN && bad)) {
        l->change_ms = bad ? now_ms : INT64_MIN;
        l->follow_ups = 0;
    }
}

void loop_ended(struct loop_state *l, bool promoted)
{
    l->open = false;
    l->losses = promoted ? 0 : l->losses < LOSSES_MAX ? l->losses + 1 : LOSSES_MAX;
}

/* The heaviest first: evidence of harm before mere opportunity. */
static enum reason wanted(const struct diagnose_in *in)
{
    if (!in->r->forecast)
        return REASON_NONE;
    if (!in->c->version)
        return in->hours >= FIRST_TRAINING_H ? REASON_FIRST : REASON_NONE;
    if (in->v->system0)
        return REASON_SYSTEM0;
    if (in->v->error_risen)
        return REASON_ERROR_RISEN;
    if (in->v->skill_lost)
        return REASON_SKILL_LOST;
    if (follow_ups_due(in->loop, in->now_ms) > in->loop->follow_ups)
        return REASON_FOLLOW_UP;
    if (in->v->history_grown)
        return REASON_HISTORY_GROWN;
    if (in->c->baseline && in->hours >= 2 * FIRST_TRAINING_H)
        return REASON_BASELINE;
    int64_t last_ms = in->loop->last_asked_ms;
    return last_ms != INT64_MIN && in->now_ms - last_ms >= WEEK_MS ? REASON_WEEK
                                                                   : REASON_NONE;
}

static enum held hold(const struct diagnose_in *in, struct diagnosis *out)
{
    const struct loop_state *l = in->loop;
    /* a sensor that fell silent has nothing wrong to learn yet: its first model may come
     */
    if (in->v->stuck || (in->v->silent && in->c->version))
        return HELD_FAULT;
    if (l->open)
        return HELD_OPEN;
    if (in->arriving)
        return HELD_ARRIVING;
    if (l->last_asked_ms != INT64_MIN) {
        /* a clock that was set back: the wait begins now */
        int64_t since = l->last_asked_ms < in->now_ms ? l->last_asked_ms : in->now_ms;
        out->until_ms = since + diagnose_wait_ms(in->r, out->reason, l->losses);
        if (in->now_ms < out->until_ms)
            return HELD_COOLDOWN;
    }
    if (loop_asked_on(l, in->now_ms) >= in->r->per_day)
        return HELD_BUDGET;
    return out->reason != REASON_FIRST && in->fleet_left <= 0 ? HELD_FLEET : HELD_NOT;
}

void diagnose(const struct diagnose_in *in, struct diagnosis *out)
{
    *out = (struct diagnosis){.held = HELD_NOT};
    out->quarantine =
        in->r->forecast && (in->v->stuck || (in->v->silent && in->c->version));
    out->reason = wanted(in);
    if (out->reason != REASON_NONE)
        out->held = hold(in, out);
}
