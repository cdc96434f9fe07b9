/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "services/predictor/widths.h"

#include <math.h>
#include <stdio.h>

#include "common/clock.h"

void widths_none(struct widths *w)
{
    for (size_t k = 0; k < HORIZON_MAX; k++)
        w->of[k] = 1;
    for (size_t i = 0; i < ADAPTIVE_LEADS; i++)
        w->state[i] = NAN;
}

void widths_reread(struct series *s, int64_t from_ms)
{
    if (s->rescored_ms == NO_TIME || from_ms < s->rescored_ms)
        s->rescored_ms = from_ms;
}

void widths_forget(struct series *s)
{
    s->adaptive_known = false;
    s->adaptive_of = 0;
    s->rescored_ms = s->reread_ms = NO_TIME;
}

void widths_begin(struct series *s, const struct version *v, int64_t hour_ms)
{
    s->adaptive_of = v->number;
    adaptive_init(&s->adaptive, v->model->level, hour_ms / HOUR_MS);
}

void widths_past(const struct series *s, const struct version *v, int64_t origin_ms,
                 struct widths *out)
{
    double w[ADAPTIVE_LEADS];
    widths_none(out);
    if (!s->adaptive_known || s->adaptive_of != v->number)
        return;
    for (size_t i = 0; i < ADAPTIVE_LEADS; i++)
        w[i] = adaptive_width(&s->adaptive, i, origin_ms / HOUR_MS - 1);
    for (size_t k = 0; k < HORIZON_MAX; k++)
        out->of[k] = adaptive_at(w, k + 1);
}

void widths_now(struct series *s, const struct version *v, int64_t origin_ms,
                struct widths *out)
{
    if (s->adaptive_known && s->adaptive_of != v->number)
        widths_begin(s, v, origin_ms);
    if (s->adaptive_known)
        adaptive_move(&s->adaptive, origin_ms / HOUR_MS);
    widths_past(s, v, origin_ms, out);
    if (!s->adaptive_known || s->adaptive.newest != origin_ms / HOUR_MS)
        return;
    for (size_t i = 0; i < ADAPTIVE_LEADS; i++)
        out->state[i] = s->adaptive.lead[i].before;
}

/* What is known of one lead, over the hours that are still bits. */
struct live {
    int series, known, missed;
    double width; /* sum over the series */
};

static void count(struct models *models, struct live live[ADAPTIVE_LEADS])
{
    models_lock(models);
    for (struct series *s = models_all(models); s; s = s->all_next)
        for (size_t i = 0; i < ADAPTIVE_LEADS; i++) {
            int known, missed;
            if (!s->adaptive_known)
                continue;
            adaptive_count(&s->adaptive, i, &known, &missed);
            live[i].known += known;
            live[i].missed += missed;
            live[i].width += adaptive_width(&s->adaptive, i, s->adaptive.newest);
            live[i].series++;
        }
    models_unlock(models);
}

void widths_show(struct models *models, struct metrics *metrics)
{
    struct live live[ADAPTIVE_LEADS] = {0};
    count(models, live);
    for (size_t i = 0; i < ADAPTIVE_LEADS; i++) {
        char label[16];
        snprintf(label, sizeof label, "lead=\"%d\"", adaptive_leads[i]);
        metric_set(metric_gauge(metrics, "fieldcast_band_scores",
                                "Hours of the last 64 whose truth and stored band are "
                                "known, over all series.",
                                label),
                   live[i].known);
        if (live[i].known)
            metric_set(metric_gauge(metrics, "fieldcast_band_coverage",
                                    "Share of these hours whose truth lay inside.",
                                    label),
                       1 - (double)live[i].missed / live[i].known);
        if (live[i].series)
            metric_set(metric_gauge(metrics, "fieldcast_band_width",
                                    "Mean width of the bands, as a multiple of the "
                                    "models' own.",
                                    label),
                       live[i].width / live[i].series);
    }
}
