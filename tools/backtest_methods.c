/* SPDX-License-Identifier: GPL-3.0-or-later */
/* backtest_methods: what is compared, by name, and what a training chooses of it. */
#include <string.h>

#include "tools/backtest_work.h"
#include "tools/forecast_series.h"

const char *method_name(size_t m)
{
    static const char *const more[] = {"naive2", "blend", "chosen"};
    return m < n_candidates_alone ? candidates[m].name : more[m - n_candidates_alone];
}

static size_t find(const char *name)
{
    size_t m = 0;
    while (m < METHOD_CHOSEN && strcmp(method_name(m), name))
        m++;
    return m;
}

int backtest_train(const struct backtest_opts *o, const char *name, struct hours *h,
                   struct forecast *f, size_t *served, struct err *e)
{
    struct train_result res;
    if (forecast_series(h, name, o->level / 100, HORIZON_MAX, NULL, f, &res, e))
        return -1;
    *served = find(json_string_value(json_object_get(res.parameters, "candidate")));
    train_result_done(&res);
    return 0;
}
