/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/ml/choice.h"

#include <math.h>

#include "common/json.h"

static bool all_positive(const double *y, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (isfinite(y[i]) && y[i] <= 0)
            return false;
    return true;
}

/* Sets tried[] and returns the most hours that any of those tried needs. */
static size_t ladder(struct choice *ch, const struct truth *t, size_t hours,
                     size_t horizon)
{
    size_t need = 1;
    bool positive = all_positive(t->y, hours);
    for (size_t c = 0; c < ch->n; c++) {
        size_t min = candidate_min_hours(&ch->list[c]);
        struct plan p = plan_choice(hours, horizon, min);
        ch->tried[c] = p.n >= BACKTEST_MIN_ORIGINS &&
                       (ch->list[c].features.transform != TRANSFORM_LOG || positive);
        if (ch->tried[c] && min > need)
            need = min;
    }
    return need;
}

/* The first, hence simplest, that is as good as the best but for CHOICE_TIE. */
static int pick(const struct choice *ch)
{
    double least = INFINITY;
    for (size_t c = 0; c < ch->n; c++)
        if (ch->used[c] && ch->mean[c] < least)
            least = ch->mean[c];
    for (size_t c = 0; c < ch->n; c++)
        if (ch->used[c] && ch->mean[c] <= least * (1 + CHOICE_TIE))
            return (int)c;
    return -1;
}

int choice_make(struct choice *ch, const struct candidate *list, size_t n,
                const struct truth *t, size_t hours, size_t horizon,
                bool (*between)(void *arg, double share), void *arg)
{
    *ch = (struct choice){.list = list, .n = n, .best = -1};
    size_t need = ladder(ch, t, hours, horizon);
    ch->plan = plan_choice(hours, horizon, need);
    for (size_t c = 0; c < n; c++) {
        if (ch->tried[c])
            backtest_candidate(&list[c], t, hours, &ch->plan, &ch->bt[c]);
        ch->used[c] = ch->tried[c];
        if (between && !between(arg, (double)(c + 1) / (double)n))
            return -1;
    }
    ch->origins = backtest_compare(ch->bt, n, ch->used, ch->mean);
    for (size_t c = n; !ch->origins && c-- > 1;) { /* too many holes: ask less */
        ch->used[c] = false;
        ch->origins = backtest_compare(ch->bt, n, ch->used, ch->mean);
    }
    if (ch->origins)
        ch->best = pick(ch);
    return 0;
}

void choice_done(struct choice *ch)
{
    for (size_t c = 0; c < ch->n; c++)
        backtest_done(&ch->bt[c]);
    *ch = (struct choice){.best = -1};
}

json_t *choice_table(const struct choice *ch, double q)
{
    json_t *rows = json_array();
    for (size_t c = 0; c < ch->n; c++) {
        json_t *row = json_pack("{s:s}", "name", ch->list[c].name);
        if (ch->used[c]) {
            json_object_set_new(row, "mae", json_number(ch->mean[c]));
            json_object_set_new(row, "mase", json_number(q > 0 ? ch->mean[c] / q : NAN));
        } else {
            const char *why = !ch->tried[c]
                                  ? "not enough history, or not all values positive"
                              : ch->bt[c].why.code ? ch->bt[c].why.text
                                                   : "could forecast at too few origins";
            json_object_set_new(row, "left_out", json_string(why));
        }
        json_array_append_new(rows, row);
    }
    return rows;
}
