/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/ml/adaptive.h"

#include <math.h>

/* A band between a quarter and eight times the model's own. Beyond that it is no band of
 * this model any more: the monitor has long asked for another. */
#define LOG_MIN (-1.3862943611198906)
#define LOG_MAX 2.0794415416798357

const int adaptive_leads[ADAPTIVE_LEADS] = {1, 6, 12, 24, 48};

/* What one hour moves the log of a width by, at most. Less for long leads: their misses
 * come as many hours late, and neighbouring ones together. */
static const double step[ADAPTIVE_LEADS] = {0.04, 0.03, 0.03, 0.025, 0.02};

double adaptive_limit(double u)
{
    if (isnan(u))
        return 0;
    return u < LOG_MIN ? LOG_MIN : u > LOG_MAX ? LOG_MAX : u;
}

void adaptive_init(struct adaptive *a, double level, int64_t newest)
{
    *a = (struct adaptive){.alpha = 1 - level, .newest = newest};
}

/* After one more hour: bit `age` of lead i. */
static double after(const struct adaptive *a, size_t i, int age, double u)
{
    uint64_t bit = UINT64_C(1) << age;
    if (!(a->lead[i].known & bit))
        return u;
    double miss = a->lead[i].missed & bit ? 1 : 0;
    return adaptive_limit(u + step[i] * (miss - a->alpha));
}

void adaptive_move(struct adaptive *a, int64_t newest)
{
    if (newest <= a->newest)
        return;
    uint64_t by = (uint64_t)newest - (uint64_t)a->newest;
    int gone = by < ADAPTIVE_HOURS ? (int)by : ADAPTIVE_HOURS;
    for (size_t i = 0; i < ADAPTIVE_LEADS; i++) {
        for (int age = ADAPTIVE_HOURS - 1; age >= ADAPTIVE_HOURS - gone; age--)
            a->lead[i].before = after(a, i, age, a->lead[i].before);
        a->lead[i].known = gone < ADAPTIVE_HOURS ? a->lead[i].known << gone : 0;
        a->lead[i].missed = gone < ADAPTIVE_HOURS ? a->lead[i].missed << gone : 0;
    }
    a->newest = newest;
}

void adaptive_put(struct adaptive *a, size_t i, int64_t hour, bool missed)
{
    adaptive_move(a, hour);
    if (a->newest - hour >= ADAPTIVE_HOURS)
        return;
    uint64_t bit = UINT64_C(1) << (a->newest - hour);
    a->lead[i].known |= bit;
    if (missed)
        a->lead[i].missed |= bit;
    else
        a->lead[i].missed &= ~bit;
}

double adaptive_width(const struct adaptive *a, size_t i, int64_t hour)
{
    double u = a->lead[i].before;
    for (int age = ADAPTIVE_HOURS - 1; age >= 0 && a->newest - age <= hour; age--)
        u = after(a, i, age, u);
    return exp(u);
}

double adaptive_at(const double width[ADAPTIVE_LEADS], size_t lead)
{
    size_t i = 1;
    if (lead <= (size_t)adaptive_leads[0])
        return width[0];
    while (i < ADAPTIVE_LEADS && (size_t)adaptive_leads[i] < lead)
        i++;
    if (i == ADAPTIVE_LEADS)
        return width[ADAPTIVE_LEADS - 1];
    double share = (double)((int)lead - adaptive_leads[i - 1]) /
                   (adaptive_leads[i] - adaptive_leads[i - 1]);
    if (share == 1) /* the leads that are kept: to the last digit */
        return width[i];
    return exp((1 - share) * log(width[i - 1]) + share * log(width[i]));
}

void adaptive_count(const struct adaptive *a, size_t i, int *known, int *missed)
{
    *known = __builtin_popcountll(a->lead[i].known);
    *missed = __builtin_popcountll(a->lead[i].missed);
}
