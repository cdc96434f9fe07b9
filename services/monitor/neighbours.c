/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "services/monitor/neighbours.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/http_client.h"
#include "common/json.h"
#include "common/mem.h"
#include "common/reading.h"

#define TIMEOUT_MS 5000L
#define PROBE_TIMEOUT_MS 2000L
#define ANSWER_MAX (16u << 20)

const char *const neighbour_names[N_NEIGHBOURS] = {"ingest", "trainer", "predictor"};

struct neighbours {
    struct http_client *http;
    char *url[N_NEIGHBOURS]; /* without a final slash; owned */
    struct dep *deps[N_NEIGHBOURS];
    struct metric *seconds[N_NEIGHBOURS];
};

struct neighbours *neighbours_new(const struct monitor_settings *set, struct metrics *m,
                                  struct dep *deps[N_NEIGHBOURS])
{
    const char *urls[] = {set->ingest_url, set->trainer_url, set->predictor_url};
    struct neighbours *n = xcalloc(1, sizeof *n);
    n->http = http_client_new(set->common.service_token, NULL, NULL);
    for (int i = 0; i < N_NEIGHBOURS; i++) {
        char labels[64];
        size_t len = strlen(urls[i]);
        while (len && urls[i][len - 1] == '/')
            len--;
        n->url[i] = xstrndup(urls[i], len);
        n->deps[i] = deps ? deps[i] : NULL;
        snprintf(labels, sizeof labels, "dependency=\"%s\"", neighbour_names[i]);
        n->seconds[i] =
            metric_histogram(m, "fieldcast_dependency_request_duration_seconds",
                             "Time that a neighbour took to answer.", labels,
                             metrics_seconds, metrics_seconds_n);
    }
    return n;
}

void neighbours_free(struct neighbours *n)
{
    if (!n)
        return;
    for (int i = 0; i < N_NEIGHBOURS; i++)
        free(n->url[i]);
    http_client_free(n->http);
    free(n);
}

/* One request; the neighbour's state follows from whether there was an answer. */
static int ask(struct neighbours *n, enum neighbour who, const char *method,
               const char *path, const char *body, long timeout_ms, struct http_answer *a,
               struct err *e)
{
    char *url = xasprintf("%s%s", n->url[who], path);
    int64_t start = clock_mono_us();
    int rc = http_request(n->http, method, url, body ? "application/json" : NULL, body,
                          body ? strlen(body) : 0, timeout_ms, ANSWER_MAX, a, e);
    metric_observe(n->seconds[who], (double)(clock_mono_us() - start) / 1e6);
    free(url);
    if (rc)
        err_prefix(e, "%s", neighbour_names[who]);
    if (n->deps[who]) {
        if (rc)
            dep_down(n->deps[who], e->text);
        else
            dep_up(n->deps[who]);
    }
    return rc;
}

/* What a refusal says. */
static int refused(enum neighbour who, const struct http_answer *a, const char *path,
                   struct err *e)
{
    json_t *j = json_loadb(a->body.data, a->body.len, 0, NULL);
    const char *why = json_string_value(json_object_get(j, "message"));
    enum err_code code = a->status == 404                       ? ERR_NOT_FOUND
                         : a->status == 409                     ? ERR_CONFLICT
                         : a->status == 429 || a->status >= 500 ? ERR_UNAVAILABLE
                                                                : ERR_UPSTREAM;
    err_set(e, code, "%s: %.*s answered HTTP %d: %.300s", neighbour_names[who],
            (int)strcspn(path, "?"), path, a->status, why ? why : "");
    json_decref(j);
    return -1;
}

/* The JSON object of a successful answer, new, or NULL. */
static json_t *ask_json(struct neighbours *n, enum neighbour who, const char *method,
                        const char *path, const char *body, struct err *e)
{
    struct http_answer a;
    json_t *j = NULL;
    if (ask(n, who, method, path, body, TIMEOUT_MS, &a, e))
        return NULL;
    if (a.status / 100 != 2) {
        refused(who, &a, path, e);
    } else if ((j = json_parse(a.body.data, a.body.len, "the answer", e)) == NULL) {
        err_prefix(e, "%s", neighbour_names[who]);
    } else if (!json_is_object(j)) {
        err_set(e, ERR_UPSTREAM, "%s: %s did not answer a JSON object",
                neighbour_names[who], path);
        json_decref(j);
        j = NULL;
    }
    http_answer_done(&a);
    return j;
}

/* Items are checked here, so that nobody later needs to. */
static json_t *good_items(const json_t *items)
{
    json_t *good = json_array(), *item;
    size_t i;
    json_array_foreach((json_t *)items, i, item)
    {
        const char *device = json_string_value(json_object_get(item, "device"));
        const json_t *from = json_object_get(item, "from_ms"),
                     *to = json_object_get(item, "to_ms");
        if (device && device_valid(device) && json_is_integer(from) &&
            json_is_integer(to) && json_integer_value(from) <= json_integer_value(to))
            json_array_append(good, item);
    }
    return good;
}

int neighbours_feed(struct neighbours *n, const char *cursor, struct feed *f,
                    struct err *e)
{
    struct buf path;
    *f = (struct feed){.rolled_up = INT64_MIN};
    buf_init(&path, 1024);
    buf_adds(&path, "/api/v1/hours?after=");
    http_escape(&path, cursor);
    json_t *j = ask_json(n, INGEST, "GET", path.data, NULL, e);
    buf_done(&path);
    if (!j)
        return -1;
    const char *epoch;
    int64_t at;
    int rc = json_get_string(j, "epoch", &epoch, 64, e);
    if (!rc)
        rc = json_get_int(j, "cursor", &at, 0, INT64_MAX, e);
    if (!rc)
        rc = json_opt_time(j, "rolled_up", &f->rolled_up, e);
    if (rc) {
        err_prefix(e, "ingest: /api/v1/hours");
    } else {
        snprintf(f->cursor, sizeof f->cursor, "%s:%lld", epoch, (long long)at);
        f->reset = json_is_true(json_object_get(j, "reset"));
        f->items = good_items(json_object_get(j, "items"));
    }
    json_decref(j);
    return rc;
}

int neighbours_progress(struct neighbours *n, int64_t *forecast, int64_t *model_seq,
                        struct err *e)
{
    json_t *j = ask_json(n, PREDICTOR, "GET", "/api/v1/progress", NULL, e);
    if (!j)
        return -1;
    *forecast = INT64_MIN;
    *model_seq = 0;
    int rc = json_opt_time(j, "forecast", forecast, e);
    if (!rc)
        rc = json_opt_int(j, "model_seq", model_seq, 0, INT64_MAX, e);
    if (rc)
        err_prefix(e, "predictor: /api/v1/progress");
    json_decref(j);
    return rc;
}

int neighbours_train(struct neighbours *n, const json_t *series, const char *reason,
                     const char *preset, json_t **jobs, struct err *e)
{
    struct buf body;
    json_t *q = json_object();
    json_object_set(q, "series", (json_t *)series);
    json_object_set_new(q, "reason", json_string(reason));
    json_object_set_new(q, "preset", json_text(preset));
    buf_init(&body, 1 << 20);
    json_write(&body, q);
    json_decref(q);
    json_t *j = ask_json(n, TRAINER, "POST", "/api/v1/train", body.data, e);
    buf_done(&body);
    if (!j)
        return -1;
    *jobs = json_incref(json_object_get(j, "jobs"));
    json_decref(j);
    if (json_is_array(*jobs))
        return 0;
    json_decref(*jobs);
    return err_set(e, ERR_UPSTREAM, "trainer: /api/v1/train answered without \"jobs\"");
}

json_t *neighbours_readiness(struct neighbours *n, enum neighbour who)
{
    struct err e = ERR_INIT;
    struct http_answer a;
    json_t *j = json_object(), *said = NULL;
    if (ask(n, who, "GET", "/readyz", NULL, PROBE_TIMEOUT_MS, &a, &e)) {
        json_object_set_new(j, "ready", json_false());
        json_object_set_new(j, "waiting_for", json_array());
        json_object_set_new(j, "message", json_string(e.text));
        return j;
    }
    said = json_loadb(a.body.data, a.body.len, 0, NULL);
    json_t *waiting = json_object_get(said, "waiting_for");
    json_object_set_new(j, "ready", json_boolean(a.status == 200));
    json_object_set_new(j, "waiting_for",
                        json_is_array(waiting) ? json_incref(waiting) : json_array());
    json_decref(said);
    http_answer_done(&a);
    return j;
}

char *neighbours_metrics(struct neighbours *n, enum neighbour who)
{
    struct err e = ERR_INIT;
    struct http_answer a;
    if (ask(n, who, "GET", "/metrics", NULL, PROBE_TIMEOUT_MS, &a, &e))
        return NULL;
    char *text = a.status == 200 ? buf_take(&a.body, NULL) : NULL;
    http_answer_done(&a);
    return text;
}
