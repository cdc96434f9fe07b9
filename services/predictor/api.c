/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "services/predictor/api.h"

#include "common/clock.h"
#include "common/json.h"
#include "services/predictor/predictor.h"

#define PREDICT_BODY_MAX (1u << 20)
#define LIVE_BODY_MAX (256u << 10)

static int live_post(void *app, const struct req *q, struct res *s, struct err *e)
{
    struct predictor *p = app;
    json_t *body = req_json_object(q, e);
    if (!body)
        return -1;
    int rc = live_take(p->live, body, e);
    json_decref(body);
    s->status = 204;
    return rc;
}

static int progress_get(void *app, const struct req *q, struct res *s, struct err *e)
{
    (void)q;
    struct predictor *p = app;
    char text[CLOCK_RFC3339_SIZE];
    int64_t hour = atomic_load(&p->done_hour_ms);
    json_t *j = json_object();
    json_object_set_new(j, "forecast",
                        json_text(hour == NO_TIME ? NULL : clock_format(hour, text)));
    json_object_set_new(j, "model_seq", json_integer(atomic_load(&p->done_seq)));
    return res_json(s, j, e);
}

const struct route predictor_routes[] = {
    {"POST", "/predict", ROLE_VIEWER, false, PREDICT_BODY_MAX, predict_post,
     "forecast a series, a history given, or rows of features", NULL},
    {"GET", "/predict", ROLE_VIEWER, false, 0, predict_get, "forecast a series",
     "series model horizon level version"},
    {"POST", "/api/v1/predict", ROLE_VIEWER, false, PREDICT_BODY_MAX, predict_post,
     "the same as /predict", NULL},
    {"GET", "/api/v1/predict", ROLE_VIEWER, false, 0, predict_get, "the same as /predict",
     "series model horizon level version"},
    {"GET", "/api/v1/forecasts", ROLE_VIEWER, false, 0, forecasts_get,
     "the present forecast of a series, hour by hour",
     "series model horizon level version"},
    {"GET", "/api/v1/history", ROLE_VIEWER, true, 0, points_get,
     "what was measured, by hour or raw, as JSON or CSV", "series from to agg format"},
    {"GET", "/api/v1/series", ROLE_VIEWER, true, 0, catalogue_get,
     "the catalogue: last value, unit, champion", "limit cursor"},
    {"POST", "/api/v1/live", ROLE_SERVICE, false, LIVE_BODY_MAX, live_post,
     "live readings from ingest", NULL},
    {"GET", "/api/v1/progress", ROLE_SERVICE, false, 0, progress_get,
     "how far the forecasts are", NULL},
    {0},
};
