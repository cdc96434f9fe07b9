/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "services/predictor/watch.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/influx.h"
#include "common/log.h"
#include "common/mem.h"
#include "common/pg.h"
#include "common/registry_models.h"
#include "common/stop.h"
#include "services/predictor/origin.h"

#define BATCH 200
#define CHANNEL "fieldcast_models"
#define PAUSE_MS 500 /* after a failure */
#define WAIT_MS 500  /* between looks at the registry when nothing notifies */
#define WANT_MS 3000 /* how long a request waits for its champion */

int watch_open(struct watch *w, struct service *svc, const struct predictor_settings *set,
               struct models *m, struct dep *pg_dep, struct err *e)
{
    *w = (struct watch){.svc = svc, .models = m, .pg_dep = pg_dep};
    struct err why = ERR_INIT;
    w->poll_ms = set->common.tick_ms;
    w->pg = pg_new(set->pg_conninfo);
    w->influx = influx_new(&set->influx);
    w->touched = xcalloc(BATCH, sizeof *w->touched);
    w->retired = xcalloc(BATCH, sizeof *w->retired);
    atomic_init(&w->hour_ms, NO_TIME);
    atomic_init(&w->load_to_ms, NO_TIME);
    waitlist_init(&w->waiting);
    w->failures = metric_counter(svc->metrics, "fieldcast_model_reload_failures_total",
                                 "Model documents that could not be read.", NULL);
    if (pg_check_schema(w->pg, &why) == 0) {
        w->checked = true;
    } else if (why.code == ERR_CONFLICT) {
        *e = why;
        return -1;
    } else {
        dep_down(pg_dep, why.text);
    }
    return 0;
}

/* ---- one champion -------------------------------------------------------------------
 */

static void gauges(struct metrics *metrics, struct series *s, const struct version *v)
{
    struct buf b;
    buf_init(&b, 1024);
    metrics_label(&b, "model", s->name);
    metrics_label(&b, "result", "ok");
    if (!atomic_load(&s->answered))
        atomic_store(&s->answered,
                     metric_counter(metrics, "fieldcast_predictions_total",
                                    "Answers to /predict by model.", b.data));
    buf_reset(&b);
    metrics_label(&b, "device", s->device);
    metrics_label(&b, "quantity", s->quantity);
    if (!s->trained)
        s->trained =
            metric_gauge(metrics, "fieldcast_model_trained_timestamp_seconds",
                         "The last hour that the champion was trained on.", b.data);
    metric_set(s->trained, (double)v->model->training.to_s);
    buf_addf(&b, ",version=\"%d\"", v->number);
    metrics_label(&b, "algorithm", v->model->algo->name);
    if (s->info)
        metric_drop(metrics, s->info);
    s->info = metric_gauge(metrics, "fieldcast_model_loaded_info",
                           "1, with the version that serves.", b.data);
    metric_set(s->info, 1);
    buf_done(&b);
}

/* Of two registries, one restored from an older copy, the numbers can be the same and the
 * models others. */
static bool same_model(const struct version *a, const struct version *b)
{
    return a->number == b->number && a->model->algo == b->model->algo &&
           a->model->training.to_s == b->model->training.to_s &&
           !strcmp(a->model->training.sha256, b->model->training.sha256);
}

struct series *watch_install(struct models *m, struct metrics *metrics, const char *name,
                             struct version *v, struct err *e)
{
    struct series *s = models_add(m, name, e);
    if (!s) {
        version_put(v);
        return NULL;
    }
    models_lock(m);
    struct serving *old = series_serving(s), *now;
    if (old && same_model(old->version, v)) {
        version_put(v);
    } else {
        gauges(metrics, s, v);
        now = serving_new(v);
        if (old && old->by) {
            now->by = version_ref(old->by);
            now->origin_ms = old->origin_ms;
            now->made = old->made;
            now->stand_ins = old->stand_ins;
            memcpy(now->yhat, old->yhat, sizeof now->yhat);
            now->widths = old->widths;
        }
        now->note = xstrdup("its first forecast is being made");
        series_serve(s, now);
        s->stale = true;
    }
    serving_put(old);
    models_unlock(m);
    return s;
}

static bool among(struct series *const *list, size_t n, const struct series *s)
{
    size_t i = 0;
    while (i < n && list[i] != s)
        i++;
    return i < n;
}

static void touch(struct series **list, size_t *n, struct series *s)
{
    if (!among(list, *n, s))
        list[(*n)++] = s;
}

/* A version lost its alias, or is only challenger or previous. If it served, its
 * successor is most often among the next rows; if not, settle_retired() finds out. */
static void retire(struct watch *w, const struct model_row *row)
{
    struct series *s = models_find(w->models, row->name);
    struct serving *v = s ? series_serving(s) : NULL;
    if (v && v->version->number == row->version)
        touch(w->retired, &w->n_retired, s);
    serving_put(v);
}

static void take_row(struct watch *w, const struct model_row *row)
{
    struct err e = ERR_INIT;
    struct version *v = NULL;
    struct series *s = NULL;
    if (strcmp(row->alias, "champion")) {
        retire(w, row);
    } else {
        v = version_parse(row->name, row->version, row->document, row->document_len, &e);
        s = v ? watch_install(w->models, w->svc->metrics, row->name, v, &e) : NULL;
        if (s) {
            s->reading = w->reading;
            touch(w->touched, &w->n_touched, s);
        } else {
            metric_add(w->failures, 1);
            log_error("%s", e.text);
        }
    }
}

static void each_row(void *arg, const struct model_row *row)
{
    struct watch *w = arg;
    take_row(w, row);
    if (row->model_seq > w->fetched)
        w->fetched = row->model_seq;
}

/* ---- following ------------------------------------------------------------------------
 */

static void clear(struct watch *w, struct series *s)
{
    models_lock(w->models);
    series_serve(s, NULL);
    if (s->info)
        metric_drop(w->svc->metrics, s->info);
    s->info = NULL;
    models_unlock(w->models);
    log_info("%s has no champion any more", s->name);
}

/* Series whose serving version is no champion any more, and that got no other. */
static int settle_retired(struct watch *w, struct err *e)
{
    for (size_t i = 0; i < w->n_retired; i++) {
        struct series *s = w->retired[i];
        struct model_row row;
        struct err why = ERR_INIT;
        if (among(w->touched, w->n_touched, s))
            continue;
        if (registry_model_get(w->pg, s->name, 0, "champion", &row, &why) == 0) {
            model_row_done(&row);
            continue;
        }
        if (why.code != ERR_NOT_FOUND) {
            *e = why;
            return -1;
        }
        clear(w, s);
    }
    return 0;
}

static void bring_up(struct watch *w)
{
    int64_t hour_ms = atomic_load(&w->hour_ms);
    struct err e = ERR_INIT;
    if (hour_ms != NO_TIME && w->n_touched &&
        origin_bring_up(w->models, w->influx, w->touched, w->n_touched, hour_ms,
                        atomic_load(&w->load_to_ms), &e))
        log_debug("new champions wait for their hours: %s",
                  e.text); /* the tick loads them */
}

/* What requests wait for, before all others. */
static int fetch_wanted(struct watch *w, struct err *e)
{
    char names[WAITLIST_MAX][SERIES_MAX + 1];
    size_t n = waitlist_take(&w->waiting, names);
    int rc = 0;
    w->n_touched = 0;
    for (size_t i = 0; i < n && !rc; i++) {
        struct model_row row;
        struct err why = ERR_INIT;
        if (registry_model_get(w->pg, names[i], 0, "champion", &row, &why) == 0) {
            take_row(w, &row);
            model_row_done(&row);
        } else if (why.code != ERR_NOT_FOUND) {
            *e = why;
            rc = -1;
        }
    }
    bring_up(w);
    if (n)
        waitlist_answer(&w->waiting);
    return rc;
}

static int fetch_batch(struct watch *w, int *n, struct err *e)
{
    w->n_touched = w->n_retired = 0;
    *n = registry_models_since(w->pg, w->fetched, !w->told || w->anew, BATCH, each_row, w,
                               e);
    if (*n < 0)
        return -1;
    if (w->told) /* at the start the tick does it for all, a hundred devices at a time */
        bring_up(w);
    return settle_retired(w, e);
}

/* A registry that has gone back, restored from an older copy or begun again, is read from
 * its beginning. */
static void notice_another(struct watch *w, int64_t newest)
{
    if (newest >= w->fetched)
        return;
    log_warn("the registry has gone back from %" PRId64 " to %" PRId64
             ": all champions are read again",
             w->fetched, newest);
    w->anew = true;
    w->reading++;
    w->fetched = 0;
}

/* Champions that the registry no longer has. */
static void clear_others(struct watch *w)
{
    for (struct series *s = models_all(w->models); w->anew && s; s = s->all_next) {
        struct serving *v = series_serving(s);
        if (v && s->reading != w->reading)
            clear(w, s);
        serving_put(v);
    }
    w->anew = false;
}

static int fetch(struct watch *w, int64_t newest, struct err *e)
{
    int n;
    notice_another(w, newest);
    if (w->told && !w->anew && newest <= w->fetched)
        return 0;
    do {
        if ((!w->told && fetch_wanted(w, e)) || fetch_batch(w, &n, e))
            return -1;
    } while (n == BATCH && !atomic_load(&w->stop));
    if (atomic_load(&w->stop))
        return 0;
    clear_others(w);
    if (w->fetched < newest)
        w->fetched = newest; /* the newest versions may hold no alias */
    atomic_store(&w->seq, w->fetched);
    w->told = true;
    waitlist_over(&w->waiting);
    return 0;
}

int watch_want(struct watch *w, const char *name, struct err *e)
{
    if (!atomic_load(&w->up) || waitlist_ask(&w->waiting, name, WANT_MS))
        return 0;
    return err_set(e, ERR_UNAVAILABLE,
                   "the champion of %s is still being read from the registry", name);
}

static int check(struct watch *w, struct err *e)
{
    if (w->checked)
        return 0;
    if (pg_check_schema(w->pg, e)) {
        if (e->code == ERR_CONFLICT) {
            snprintf(w->why, sizeof w->why, "%s", e->text);
            atomic_store(&w->fatal, true);
            stop_request();
        }
        return -1;
    }
    w->checked = true;
    return 0;
}

/* One look at the registry. It counts as there once it has told where its models end. */
static int look(struct watch *w, bool *listening, struct err *e)
{
    int64_t newest;
    if (check(w, e) || (!*listening && pg_listen(w->pg, CHANNEL, e)))
        return -1;
    *listening = true;
    if (registry_models_seq(w->pg, &newest, e))
        return -1;
    atomic_store(&w->up, true);
    if (!w->failed) /* else it is there when it has also told what is new */
        dep_up(w->pg_dep);
    w->failed = fetch(w, newest, e) != 0;
    if (!w->failed)
        dep_up(w->pg_dep);
    return w->failed ? -1 : 0;
}

static void pause_ms(struct watch *w, int64_t ms)
{
    for (; ms > 0 && !atomic_load(&w->stop); ms -= 20)
        clock_sleep_ms(20);
}

static void *run(void *arg)
{
    struct watch *w = arg;
    int wait_ms = w->poll_ms < WAIT_MS ? (int)w->poll_ms : WAIT_MS;
    bool listening = false;
    while (!atomic_load(&w->stop)) {
        struct err e = ERR_INIT;
        if (look(w, &listening, &e) || pg_wait_notify(w->pg, wait_ms, &e) < 0) {
            atomic_store(&w->up, false);
            dep_down(w->pg_dep, e.text);
            pause_ms(w, PAUSE_MS);
        }
    }
    return NULL;
}

int watch_start(struct watch *w, struct err *e)
{
    if (pthread_create(&w->thread, NULL, run, w))
        return err_set(e, ERR_INTERNAL,
                       "could not start the thread that follows the registry");
    w->running = true;
    return 0;
}

void watch_close(struct watch *w)
{
    atomic_store(&w->stop, true);
    if (w->running)
        pthread_join(w->thread, NULL);
    w->running = false;
    if (w->svc)
        waitlist_done(&w->waiting);
    pg_free(w->pg);
    influx_free(w->influx);
    free(w->touched);
    free(w->retired);
    w->pg = NULL;
    w->influx = NULL;
    w->touched = w->retired = NULL;
}
