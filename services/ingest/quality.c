/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "services/ingest/quality.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"

struct track {
    char quantity[QUANTITY_MAX + 1];
    double max_step;
    double good[QUALITY_RECENT]; /* a ring; n_good of them, the next at n_good % RECENT */
    unsigned n_good;
    int64_t good_ms;                 /* time of the newest good one */
    double suspect[QUALITY_SUSTAIN]; /* values in a row that jumped */
    int n_suspect;
};

/* A reading that was called a misread, and for which quantities: it is restored when none
 * is left. */
struct held {
    int64_t t_ms;
    unsigned tracks; /* bits */
};

struct quality {
    unsigned n;
    struct held held[QUALITY_SUSTAIN];
    struct track track[]; /* n of them, at most QUALITY_TRACKS */
};

void quality_free(struct quality *q)
{
    free(q);
}

static struct track *track_get(struct quality **q, const char *quantity)
{
    for (unsigned i = 0; *q && i < (*q)->n; i++)
        if (!strcmp((*q)->track[i].quantity, quantity))
            return &(*q)->track[i];
    const struct quantity *row = quantity_find(quantity);
    unsigned n = *q ? (*q)->n : 0;
    if (!row || row->max_step <= 0 || n == QUALITY_TRACKS)
        return NULL;
    struct quality *bigger = xrealloc(*q, sizeof **q + (n + 1) * sizeof(struct track));
    if (!*q)
        memset(bigger, 0, sizeof *bigger);
    *q = bigger;
    struct track *t = &bigger->track[n];
    *t = (struct track){.max_step = row->max_step};
    strcpy(t->quantity, quantity);
    bigger->n = n + 1;
    return t;
}

static double median(const double *x, unsigned n)
{
    double s[QUALITY_RECENT > QUALITY_SUSTAIN ? QUALITY_RECENT : QUALITY_SUSTAIN];
    memcpy(s, x, n * sizeof *s);
    for (unsigned i = 1; i < n; i++)
        for (unsigned k = i; k && s[k] < s[k - 1]; k--) {
            double swap = s[k];
            s[k] = s[k - 1];
            s[k - 1] = swap;
        }
    return n % 2 ? s[n / 2] : (s[n / 2 - 1] + s[n / 2]) / 2;
}

static unsigned filled(const struct track *t)
{
    return t->n_good < QUALITY_RECENT ? t->n_good : QUALITY_RECENT;
}

static void take(struct track *t, double v, int64_t t_ms)
{
    t->good[t->n_good++ % QUALITY_RECENT] = v;
    if (t->n_good >= 2 * QUALITY_RECENT)
        t->n_good -= QUALITY_RECENT;
    t->good_ms = t_ms;
    t->n_suspect = 0;
}

enum finding { GOOD, JUMP, NEW_LEVEL };

static enum finding judge(struct track *t, double v, int64_t t_ms)
{
    if (t->n_good && t_ms < t->good_ms)
        return GOOD; /* late: what came since says nothing about it */
    if (!t->n_good || t_ms - t->good_ms > QUALITY_GAP_MS) {
        t->n_good = 0;
        take(t, v, t_ms);
        return GOOD;
    }
    if (fabs(v - median(t->good, filled(t))) <= t->max_step) {
        take(t, v, t_ms);
        return GOOD;
    }
    if (t->n_suspect &&
        fabs(v - median(t->suspect, (unsigned)t->n_suspect)) > t->max_step)
        t->n_suspect = 0; /* as far from the last jump as from the good ones */
    t->suspect[t->n_suspect++] = v;
    if (t->n_suspect < QUALITY_SUSTAIN)
        return JUMP;
    t->n_good = 0;
    for (int i = 0, n = t->n_suspect; i < n; i++)
        take(t, t->suspect[i], t_ms);
    return NEW_LEVEL;
}

static bool ghost(const struct reading *r)
{
    double temperature = NAN, humidity = NAN;
    for (size_t i = 0; i < r->n; i++) {
        if (!strcmp(r->values[i].quantity, "temperature"))
            temperature = r->values[i].value;
        else if (!strcmp(r->values[i].quantity, "humidity"))
            humidity = r->values[i].value;
    }
    return (temperature == 1 && humidity == 1) ||
           (temperature == 0 && humidity >= 1 && humidity <= 2);
}

static void hold(struct quality *q, int64_t t_ms, unsigned tracks)
{
    memmove(q->held, q->held + 1, sizeof q->held - sizeof *q->held);
    q->held[QUALITY_SUSTAIN - 1] = (struct held){t_ms, tracks};
}

static int release(struct quality *q, unsigned tracks, int64_t restore[QUALITY_SUSTAIN])
{
    int n = 0;
    for (int i = 1; i < QUALITY_SUSTAIN; i++) { /* the last SUSTAIN - 1 of them */
        if (!(q->held[i].tracks & tracks))
            continue;
        q->held[i].tracks &= ~tracks;
        if (!q->held[i].tracks)
            restore[n++] = q->held[i].t_ms;
    }
    return n;
}

bool quality_judge(struct quality **q, const struct reading *r, int64_t t_ms,
                   int64_t restore[QUALITY_SUSTAIN], int *n)
{
    unsigned jumped = 0, settled = 0;
    *n = 0;
    if (r->poor || ghost(r))
        return false;
    for (size_t i = 0; i < r->n; i++) {
        struct track *t = track_get(q, r->values[i].quantity);
        if (!t)
            continue;
        enum finding f = judge(t, r->values[i].value, t_ms);
        unsigned bit = 1u << (t - (*q)->track);
        jumped |= f == JUMP ? bit : 0;
        settled |= f == NEW_LEVEL ? bit : 0;
    }
    if (settled)
        *n = release(*q, settled, restore);
    if (jumped)
        hold(*q, t_ms, jumped);
    return !jumped;
}
