/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "services/predictor/origin.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/mem.h"
#include "services/predictor/hourly.h"
#include "services/predictor/widths.h"

#define HISTORY_READ (LAG_MAX + MODEL_HISTORY_SPARE)
#define CHUNK 100 /* series loaded before the first of them are forecast */

/* The other series that a model reads, around one origin. */
struct beside {
    const struct models *models;
    int64_t origin_ms;
    struct others others;
};

static void on_other(void *arg, const char *name)
{
    struct beside *b = arg;
    double y[OTHERS_READ_HOURS];
    const struct series *s = models_find(b->models, name);
    size_t n = s && s->history && others_find(&b->others, name) < 0
                   ? history_copy(s->history, b->origin_ms, y, OTHERS_READ_HOURS)
                   : 0;
    const struct hours h = {
        .start_s = (b->origin_ms - ((int64_t)n - 1) * HOUR_MS) / 1000, .n = n, .y = y};
    if (n)
        others_add(&b->others, name, &h);
}

struct stand_ins stand_ins_of(const struct model *m, const struct hours *past)
{
    return (struct stand_ins){
        .gaps = (unsigned)model_history_gaps(m, past->y, past->n),
        .others = (unsigned)model_others_missing(m, past),
        .newest = past->y[past->n - 1],
        .read = model_newest(m, past->y, past->n),
    };
}

int origin_forecast(const struct models *m, const struct series *s,
                    const struct version *v, int64_t origin_ms, struct forecast *out,
                    struct stand_ins *stand_ins, struct err *e)
{
    double y[HISTORY_READ];
    size_t n = s->history ? history_copy(s->history, origin_ms, y, HISTORY_READ) : 0;
    if (!n)
        return err_kind(e, ERR_CONFLICT, "history_missing",
                        "%s has no complete hour to start from", s->name);
    struct beside b = {.models = m, .origin_ms = origin_ms};
    const struct hours past = {.start_s = origin_ms / 1000 - ((int64_t)n - 1) * 3600,
                               .n = n,
                               .y = y,
                               .beside = &b.others};
    const struct hours read = {.start_s = origin_ms / 1000 -
                                          (OTHERS_READ_HOURS - 1) * INT64_C(3600),
                               .n = OTHERS_READ_HOURS};
    others_init(&b.others, &read);
    model_others(v->model, on_other, &b);
    int rc = model_forecast(v->model, &past, HORIZON_MAX, v->model->level, out, e);
    if (!rc && stand_ins)
        *stand_ins = stand_ins_of(v->model, &past);
    others_done(&b.others);
    return rc;
}

/* What serves from now on when no new trajectory can be made: the same as before, said.
 */
static void keep(struct series *s, const struct serving *old, const char *why)
{
    struct serving *v = serving_new(version_ref(old->version));
    v->by = version_ref(old->by);
    v->origin_ms = old->origin_ms;
    v->made = old->made;
    v->stand_ins = old->stand_ins;
    v->note = xstrdup(why);
    for (size_t k = 0; k < HORIZON_MAX; k++)
        v->yhat[k] = old->yhat[k];
    v->widths = old->widths;
    series_serve(s, v);
}

static void forecast_now(const struct models *m, struct series *s,
                         const struct serving *old, int64_t origin_ms)
{
    struct forecast f[HORIZON_MAX];
    struct err e = ERR_INIT;
    struct stand_ins stand_ins;
    if (origin_forecast(m, s, old->version, origin_ms, f, &stand_ins, &e)) {
        keep(s, old, e.text);
        return;
    }
    struct serving *v = serving_new(version_ref(old->version));
    v->by = version_ref(old->version);
    v->origin_ms = origin_ms;
    v->made = ++s->made;
    v->stand_ins = stand_ins;
    for (size_t k = 0; k < HORIZON_MAX; k++)
        v->yhat[k] = f[k].yhat;
    widths_now(s, v->by, origin_ms, &v->widths);
    series_serve(s, v);
    s->unwritten = true;
}

void origin_refresh(struct models *m, struct series *s, int64_t hour_ms)
{
    struct serving *old = series_serving(s);
    if (!old)
        return;
    int64_t origin;
    bool any = s->history && history_newest(s->history, hour_ms, &origin);
    if (any && (s->stale || s->tried_ms != origin)) {
        s->tried_ms = origin;
        s->stale = false;
        forecast_now(m, s, old, origin);
    } else if (!any && s->stale) {
        s->stale = false;
        keep(s, old,
             s->loaded ? "none of its latest hours has a value"
                       : "its latest hours could not be read yet");
    }
    serving_put(old);
}

/* The series that n champions read besides, added behind them; each once more where it is
 * read by several. Returns how many there are then, at most max. */
struct with_others {
    const struct models *models;
    struct series **list;
    size_t n, max;
};

static void add_other(void *arg, const char *name)
{
    struct with_others *w = arg;
    struct series *s = models_find(w->models, name);
    if (s && w->n < w->max)
        w->list[w->n++] = s;
}

static int load_chunk(struct models *m, struct influx *in, struct series *const *list,
                      size_t n, int64_t load_to_ms, struct err *e)
{
    struct series *all[CHUNK * (1 + OTHERS_MAX)];
    struct with_others w = {m, all, n, sizeof all / sizeof *all};
    memcpy(all, list, n * sizeof *all);
    for (size_t i = 0; i < n; i++) {
        struct serving *v = series_serving(list[i]);
        if (v)
            model_others(v->version->model, add_other, &w);
        serving_put(v);
    }
    return hourly_load(in, m, all, w.n, load_to_ms, e);
}

int origin_bring_up(struct models *m, struct influx *in, struct series *const *list,
                    size_t n, int64_t hour_ms, int64_t load_to_ms, struct err *e)
{
    int rc = 0;
    for (size_t i = 0; i < n; i += CHUNK) {
        size_t k = n - i < CHUNK ? n - i : CHUNK;
        if (!rc)
            rc = load_chunk(m, in, list + i, k, load_to_ms, e);
        for (size_t j = i; j < i + k; j++) {
            models_lock(m);
            origin_refresh(m, list[j], hour_ms);
            models_unlock(m);
        }
    }
    return rc;
}
