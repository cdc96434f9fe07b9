/* SPDX-License-Identifier: GPL-3.0-or-later */
/* backtest_methods: what is compared, by name, and what a training chooses of it. */
#include <string.h>

#include "tools/backtest_work.h"
#include "tools/forecast_series.h"

size_t method_count(const struct backtest_opts *o)
{
    return o->beside ? N_METHODS : METHOD_PRESET;
}

const struct candidate *method_candidate(const struct backtest_opts *o, size_t m)
{
    return m == METHOD_PRESET       ? o->beside
           : m < n_candidates_alone ? &candidates[m]
                                    : NULL;
}

const char *method_name(const struct backtest_opts *o, size_t m)
{
    static const char *const more[] = {"naive2", "blend", "chosen", ""};
    const struct candidate *c = method_candidate(o, m);
    return c ? c->name : more[m - n_candidates_alone];
}

enum transform method_transform(const struct backtest_opts *o, size_t m)
{
    const struct candidate *c = method_candidate(o, m);
    return c ? c->features.transform : TRANSFORM_NONE;
}

/* What a training says it serves. */
static size_t find(const struct backtest_opts *o, const char *name)
{
    size_t m = 0;
    while (m < METHOD_CHOSEN && strcmp(method_name(o, m), name))
        m++;
    return m;
}

int backtest_train(const struct backtest_opts *o, const char *name, struct hours *h,
                   struct forecast *f, size_t *served, struct err *e)
{
    struct train_result res;
    if (forecast_series(h, name, o->level / 100, HORIZON_MAX, NULL, f, &res, e))
        return -1;
    *served = find(o, json_string_value(json_object_get(res.parameters, "candidate")));
    train_result_done(&res);
    return 0;
}
