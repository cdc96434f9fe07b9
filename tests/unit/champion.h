/* SPDX-License-Identifier: GPL-3.0-or-later */
/* champion: a predictor in memory for its unit tests, without neighbours: models made of
 * documents, hours put by hand, and a clock that stands still. */
#ifndef FC_TESTS_CHAMPION_H
#define FC_TESTS_CHAMPION_H

#include "tests/unit/unit.h"

#include <unistd.h>

#include "common/clock.h"
#include "common/log.h"
#include "services/predictor/origin.h"
#include "services/predictor/predictor.h"

#define NOON INT64_C(1795176000000) /* 2026-11-20T12:00:00Z */

/* A ridge on the lags given that says their mean plus bias, or a baseline (lags ""). */
static inline char *champion_document(const char *series, const char *algorithm,
                                      const char *lags, double bias)
{
    char coef[200] = "", zero[200] = "", one[200] = "", state[512] = "{}";
    int n = *lags != '\0';
    for (const char *p = lags; *p; p++)
        n += *p == ',';
    for (int i = 0; i < n; i++) {
        sprintf(coef + strlen(coef), "%s%.17g", i ? "," : "", 1.0 / n);
        sprintf(zero + strlen(zero), "%s0.0", i ? "," : "");
        sprintf(one + strlen(one), "%s1.0", i ? "," : "");
    }
    if (n)
        sprintf(state,
                "{\"intercept\":%.17g,\"coef\":[%s],\"clip\":[-1000.0,1000.0],"
                "\"dropped\":[]}",
                bias, coef);
    struct buf b;
    buf_init(&b, 8192);
    buf_addf(&b,
             "{\"fieldcast_model\":1,\"series\":\"%s\",\"algorithm\":\"%s\","
             "\"parameters\":{%s},\"features\":{\"lags\":[%s],\"calendar\":[],"
             "\"exogenous\":[],\"transform\":\"none\"},\"scaling\":{\"mean\":[%s],"
             "\"std\":[%s]},",
             series, algorithm, strcmp(algorithm, "ridge") ? "" : "\"strength\":1.0",
             lags, zero, one);
    buf_addf(&b, "\"state\":%s,\"intervals\":{\"level\":0.95,\"lower\":[-1.0,-2.0],",
             state);
    buf_adds(&b, "\"upper\":[1.0,2.0]},\"baseline\":{\"quantiles\":[],\"error\":{"
                 "\"lead1_sd\":0.5}},\"training\":{\"from\":\"2026-11-01T00:00:00.000Z\","
                 "\"to\":\"2026-11-19T00:00:00.000Z\",\"rows\":1,\"sha256\":\"\","
                 "\"preset\":\"\",\"seed\":1,\"code\":\"test\"},\"metrics\":{}}");
    return buf_take(&b, NULL);
}

static inline struct version *champion_version(const char *series, int number,
                                               const char *algorithm, const char *lags,
                                               double bias)
{
    struct err e = ERR_INIT;
    char *doc = champion_document(series, algorithm, lags, bias);
    struct version *v = version_parse(series, number, doc, strlen(doc), &e);
    if (!v)
        fail_msg("%s", e.text);
    free(doc);
    return v;
}

/* The clock stands at now_ms; without its file it goes on from what it knows. */
static inline void champion_clock(int64_t now_ms)
{
    static char path[64];
    struct err e = ERR_INIT;
    char text[64];
    snprintf(text, sizeof text, "%lld 0\n", (long long)now_ms);
    if (*path) {
        FILE *f = fopen(path, "w");
        assert_non_null(f);
        fputs(text, f);
        fclose(f);
    } else {
        temp_file(path, text);
        assert_int_equal(clock_init(path, &e), 0);
    }
    clock_sleep_ms(5); /* it looks at the file again after 2 ms */
    assert_int_equal(clock_now_ms(), now_ms);
    unlink(path);
}

/* Nobody listens at the addresses of its neighbours. */
static inline void champion_open(struct predictor *p)
{
    log_init("test", LOG_FATAL);
    *p = (struct predictor){
        .set.common.grace_s = 120,
        .set.history_points = 1000,
        .set.influx = {
            .url = "http://127.0.0.1:9", .db = "none", .user = "", .password = ""}};
    p->svc.metrics = metrics_new("test");
    p->models = models_new(100);
    p->pool = pg_pool_new("host=127.0.0.1 port=9 connect_timeout=1", 1);
    p->versions = versions_new(2, p->pool);
    p->live = live_new(p->models, p->svc.metrics);
    p->seconds = metric_histogram(p->svc.metrics, "s", "s", NULL, metrics_seconds,
                                  metrics_seconds_n);
    p->refused = metric_counter(p->svc.metrics, "refused_total", "r", NULL);
    p->missing = metric_counter(p->svc.metrics, "missing_total", "m", NULL);
    atomic_init(&p->done_hour_ms, NO_TIME);
    atomic_store(&p->watch.up, true);
    waitlist_init(&p->watch.waiting);
    waitlist_over(&p->watch.waiting); /* nobody reads a registry here */
}

static inline void champion_close(struct predictor *p)
{
    waitlist_done(&p->watch.waiting);
    versions_free(p->versions);
    pg_pool_free(p->pool);
    live_free(p->live);
    models_free(p->models);
    metrics_free(p->svc.metrics);
}

static inline struct series *champion_install(struct predictor *p, struct version *v)
{
    struct err e = ERR_INIT;
    struct series *s = watch_install(p->models, p->svc.metrics, v->model->series, v, &e);
    if (!s)
        fail_msg("%s", e.text);
    return s;
}

/* n hours up to last_ms, first + i each; then its trajectory. */
static inline void champion_hours(struct predictor *p, struct series *s, int n,
                                  double first, int64_t last_ms)
{
    models_lock(p->models);
    if (!s->history)
        s->history = history_new(200);
    for (int i = 0; i < n; i++)
        history_put(s->history, last_ms - (n - 1 - i) * HOUR_MS, first + i);
    s->loaded = s->stale = true;
    origin_refresh(p->models, s, last_ms);
    models_unlock(p->models);
}

#endif
