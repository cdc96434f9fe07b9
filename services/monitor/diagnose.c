/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "services/monitor/diagnose.h"

#include <string.h>

#include "common/clock.h"

#define DAY_MS (24 * HOUR_MS)
#define WAIT_MAX_MS (7 * DAY_MS)
#define LOSSES_MAX 30

static const char *const reasons[N_REASONS] = {
    "none",        "first_training", "system0_thresholds",
    "error_risen", "skill_lost",     "history_grown"};

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

int64_t diagnose_wait_ms(const struct rules *r, const struct champion *c, int losses)
{
    double first = (double)HOUR_MS, wait = r->cooldown_h * (double)HOUR_MS;
    /* a series without any model asks again sooner, but not at once */
    if (!c->version && wait > first)
        wait = first;
    for (int i = 0; i < losses && wait < (double)WAIT_MAX_MS; i++)
        wait *= 2;
    return wait < (double)WAIT_MAX_MS ? (int64_t)wait : WAIT_MAX_MS;
}

int loop_asked_on(const struct loop_state *l, int64_t now_ms)
{
    return l->day == day_of(now_ms) ? l->asked_today : 0;
}

void loop_asked(struct loop_state *l, int64_t now_ms, int hours)
{
    l->asked_today = loop_asked_on(l, now_ms) + 1;
    l->day = day_of(now_ms);
    l->last_asked_ms = now_ms;
    l->grown_at = hours;
    l->open = true;
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
    return in->v->history_grown ? REASON_HISTORY_GROWN : REASON_NONE;
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
        out->until_ms = since + diagnose_wait_ms(in->r, in->c, l->losses);
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
