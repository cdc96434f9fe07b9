/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tools/forecast_series.h"

#include "common/version.h"
#include "tools/forecast_candidate.h"

int forecast_series(struct hours *h, const char *name, double level, size_t n,
                    const struct candidate *only, struct forecast *out,
                    struct train_result *res, struct err *e)
{
    const struct train_opts how = {
        .series = name, .code = fc_version, .horizon = HORIZON_MAX, .level = level};
    hours_trim(h);
    if (only ? forecast_alone(only, h, &how, res, e)
             : train_series(h, NULL, &how, res, e))
        return -1;
    if (!model_forecast(res->model, h, n, level, out, e))
        return 0;
    train_result_done(res);
    return -1;
}
