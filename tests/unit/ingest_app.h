/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ingest_app: ingest's routes and the way into the log, on a real log in a folder of its
 * own. What lies behind the log (the sink and the roll-up) is not there: their headers
 * are implemented here, so that one program includes this once. */
#ifndef FC_TESTS_INGEST_APP_H
#define FC_TESTS_INGEST_APP_H

#include "tests/unit/unit.h"

#include <dirent.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/json.h"
#include "common/log.h"
#include "services/ingest/api.h"
#include "services/ingest/ingest.h"

#define NOW clock_now_ms()

/* ---- stand-ins: sink_influx.h, rollup.h ------------------------------------------- */

struct sink_influx *sink_influx_open(const struct sink_influx_opts *o, struct err *e)
{
    (void)o;
    (void)e;
    return NULL;
}

void sink_influx_close(struct sink_influx *s)
{
    (void)s;
}

int64_t sink_influx_written(const struct sink_influx *s)
{
    (void)s;
    return 0;
}

void sink_influx_flush(struct sink_influx *s)
{
    (void)s;
}

struct rollup *rollup_open(const struct rollup_opts *o, struct err *e)
{
    (void)o;
    (void)e;
    return NULL;
}

void rollup_close(struct rollup *r)
{
    (void)r;
}

json_t *rollup_changes(struct rollup *r, const char *after, struct err *e)
{
    (void)r;
    if (after && !strcmp(after, "junk")) {
        err_set(e, ERR_INVALID, "after is junk");
        return NULL;
    }
    return json_pack("{s:s?}", "after", after);
}

int64_t rollup_hour(struct rollup *r)
{
    (void)r;
    return INT64_MIN;
}

/* ---- the app ---------------------------------------------------------------------- */

static char dir[64];
static struct ingest app;
static int64_t log_max;

static inline void open_app(void)
{
    struct err e = ERR_INIT;
    char path[128];
    struct wal_opts w = {.dir = dir, .max_bytes = log_max, .segment_bytes = 1 << 20};
    app.how.fix =
        (struct timefix){.past_ms = INT64_C(400) * 86400000, .future_ms = 600000};
    app.service.metrics = metrics_new("ingest");
    app.log = service_dep(&app.service, "log", true);
    dep_up(app.log);
    app.wal = wal_open(&w, &e);
    snprintf(path, sizeof path, "%s/devices.jsonl", dir);
    app.ledger = ledger_open(path, 4, app.service.metrics, &e);
    app.letters = deadletter_open(dir, 1 << 20, 0, &e);
    app.how.ledger = app.ledger;
    app.intake = intake_new(app.wal, &app.how, NULL, app.service.metrics);
    app.set.mqtt_filters = (char *)"fieldcast/#";
    app.started_ms = 0;
    if (!app.wal || !app.ledger || !app.letters || intake_remember(app.intake, 0, &e))
        fail_msg("%s", e.text);
}

static inline void close_app(void)
{
    intake_free(app.intake);
    deadletter_close(app.letters);
    ledger_close(app.ledger);
    wal_close(app.wal);
    service_close(&app.service);
}

static inline int setup(void **unused)
{
    (void)unused;
    log_max = 4 << 20;
    strcpy(dir, "/tmp/fieldcast-api-XXXXXX");
    if (!mkdtemp(dir))
        return -1;
    open_app();
    return 0;
}

static inline int teardown(void **unused)
{
    (void)unused;
    close_app();
    DIR *d = opendir(dir);
    for (struct dirent *f; d && (f = readdir(d));)
        unlinkat(dirfd(d), f->d_name, 0);
    closedir(d);
    return rmdir(dir);
}

/* The answer's body, owned; *status from the error if there was one. */
static inline char *call(const char *method, const char *path, const char *const *query,
                         const char *body, int *status)
{
    struct err e = ERR_INIT;
    struct res s;
    struct req q = {.method = method,
                    .path = path,
                    .body = body,
                    .body_len = strlen(body),
                    .test_query = query};
    res_init(&s);
    bool failed = http_dispatch(ingest_routes, &app, &q, &s, &e) != 0;
    *status = failed ? err_http_status(e.code) : s.status;
    char *text = strdup(failed ? e.text : s.body.data);
    res_done(&s);
    return text;
}

static inline void expect(const char *method, const char *path, const char *const *query,
                          const char *body, int want_status, const char *want)
{
    int status;
    char *text = call(method, path, query, body, &status);
    if (status != want_status || strcmp(text, want))
        fail_msg("%s %s %s: %d %s", method, path, body, status, text);
    free(text);
}

#define POST "POST", "/api/v1/readings", NULL

static inline json_t *get_json(const char *path, const char *const *query)
{
    int status;
    char *text = call("GET", path, query, "", &status);
    json_t *j = json_loads(text, 0, NULL);
    if (status != 200 || !j)
        fail_msg("GET %s: %d %s", path, status, text);
    free(text);
    return j;
}

static inline int log_records(void)
{
    struct err e = ERR_INIT;
    struct wal_reader *r = wal_reader_open(app.wal, "", 0, &e);
    struct wal_record rec;
    int64_t pos;
    int n = 0;
    while (wal_read(r, &rec, &pos, &e) > 0)
        n++;
    wal_reader_close(r);
    return n;
}

/* As if it came from the broker. */
static inline void take(const char *topic, const char *payload, unsigned flags)
{
    struct err e = ERR_INIT;
    struct arrival a = {
        .topic = topic, .payload = payload, .len = strlen(payload), .flags = flags};
    assert_ok(intake_take(app.intake, &a, &e), e);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

#endif
