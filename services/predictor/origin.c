/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "services/predictor/origin.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#include "common/clock.h"
#include "common/mem.h"
#include "services/predictor/hourly.h"
#include "services/predictor/widths.h"

#define HISTORY_READ (LAG_MAX + MODEL_HISTORY_SPARE)
#define CHUNK 100 /* series loaded before the first of them are forecast */

int origin_forecast(const struct series *s, const struct version *v, int64_t origin_ms,
                    struct forecast *out, unsigned *gaps, struct err *e)
{
    double y[HISTORY_READ];
    size_t n = s->history ? history_copy(s->history, origin_ms, y, HISTORY_READ) : 0;
    if (!n)
        return err_kind(e, ERR_CONFLICT, "history_missing",
                        "%s has no complete hour to start from", s->name);
    const struct hours past = {origin_ms / 1000 - ((int64_t)n - 1) * 3600, n, y};
    if (model_forecast(v->model, &past, HORIZON_MAX, v->model->level, out, e))
        return -1;
    if (gaps)
        *gaps = (unsigned)model_history_gaps(v->model, y, n);
    return 0;
}

/* What serves from now on when no new trajectory can be made: the same as before, said.
 */
static void keep(struct series *s, const struct serving *old, const char *why)
{
    struct serving *v = serving_new(version_ref(old->version));
    v->by = version_ref(old->by);
    v->origin_ms = old->origin_ms;
    v->made = old->made;
    v->gaps = old->gaps;
    v->note = xstrdup(why);
    for (size_t k = 0; k < HORIZON_MAX; k++)
        v->yhat[k] = old->yhat[k];
    v->widths = old->widths;
    series_serve(s, v);
}

static void forecast_now(struct series *s, const struct serving *old, int64_t origin_ms)
{
    struct forecast f[HORIZON_MAX];
    struct err e = ERR_INIT;
    unsigned gaps = 0;
    if (origin_forecast(s, old->version, origin_ms, f, &gaps, &e)) {
        keep(s, old, e.text);
        return;
    }
    struct serving *v = serving_new(version_ref(old->version));
    v->by = version_ref(old->version);
    v->origin_ms = origin_ms;
    v->made = ++s->made;
    v->gaps = gaps;
    for (size_t k = 0; k < HORIZON_MAX; k++)
        v->yhat[k] = f[k].yhat;
    widths_now(s, v->by, origin_ms, &v->widths);
    series_serve(s, v);
    s->unwritten = true;
}

void origin_refresh(struct series *s, int64_t hour_ms)
{
    struct serving *old = series_serving(s);
    if (!old)
        return;
    int64_t origin;
    bool any = s->history && history_newest(s->history, hour_ms, &origin);
    if (any && (s->stale || s->tried_ms != origin)) {
        s->tried_ms = origin;
        s->stale = false;
        forecast_now(s, old, origin);
    } else if (!any && s->stale) {
        s->stale = false;
        keep(s, old,
             s->loaded ? "none of its latest hours has a value"
                       : "its latest hours could not be read yet");
    }
    serving_put(old);
}

int origin_bring_up(struct models *m, struct influx *in, struct series *const *list,
                    size_t n, int64_t hour_ms, int64_t load_to_ms, struct err *e)
{
    int rc = 0;
    for (size_t i = 0; i < n; i += CHUNK) {
        size_t k = n - i < CHUNK ? n - i : CHUNK;
        if (!rc)
            rc = hourly_load(in, m, list + i, k, load_to_ms, e);
        for (size_t j = i; j < i + k; j++) {
            models_lock(m);
            origin_refresh(list[j], hour_ms);
            models_unlock(m);
        }
    }
    return rc;
}
