/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/ml/others.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "common/ml/dataset.h"

#define HOUR_S 3600

void others_init(struct others *o, const struct hours *h)
{
    *o = (struct others){.start_s = h->start_s, .hours = h->n};
}

void others_done(struct others *o)
{
    for (size_t i = 0; i < o->n; i++)
        free(o->of[i].y);
    *o = (struct others){0};
}

bool others_add(struct others *o, const char *series, const struct hours *h)
{
    if (o->n == OTHERS_MAX)
        return false;
    double *y = xmalloc((o->hours + 1) * sizeof *y);
    int64_t ahead = (h->start_s - o->start_s) / HOUR_S;
    for (size_t t = 0; t < o->hours; t++) {
        int64_t i = (int64_t)t - ahead;
        y[t] = i >= 0 && i < (int64_t)h->n ? h->y[i] : NAN;
    }
    snprintf(o->of[o->n].series, OTHERS_NAME_SIZE, "%s", series);
    o->of[o->n].lag = 1;
    o->of[o->n++].y = y;
    return true;
}

int others_find(const struct others *o, const char *series)
{
    for (size_t i = 0; i < o->n; i++)
        if (!strcmp(o->of[i].series, series))
            return (int)i;
    return -1;
}

double others_measured(const struct others *o, size_t i, int64_t t_s)
{
    int64_t t = (t_s - o->start_s) / HOUR_S;
    return t_s >= o->start_s && t < (int64_t)o->hours ? o->of[i].y[t] : NAN;
}

double others_at(const struct others *o, size_t i, int64_t t_s)
{
    double y = others_measured(o, i, t_s);
    for (int back = 1; back <= OTHERS_STALE_HOURS && !isfinite(y); back++)
        y = others_measured(o, i, t_s - back * HOUR_S);
    return y;
}
