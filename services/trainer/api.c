/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "services/trainer/api.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/json.h"
#include "common/ml/algo.h"
#include "common/ml/presets.h"
#include "common/registry_jobs.h"
#include "common/version.h"

#define TRAIN_BODY_MAX (2u << 20)

/* ---- what handlers share --------------------------------------------------------- */

struct pg *api_pg(void *app, struct err *e)
{
    return pg_pool_get(((struct trainer *)app)->pool, e);
}

int api_limit(const struct req *q, int *limit, struct err *e)
{
    int64_t n = 100;
    if (req_query_int(q, "limit", &n, 1, API_LIST_MAX, e))
        return -1;
    *limit = (int)n;
    return 0;
}

int api_only(const json_t *body, const char *const allowed[], struct err *e)
{
    const char *key;
    json_t *v;
    json_object_foreach((json_t *)body, key, v)
    {
        int i = 0;
        while (allowed[i] && strcmp(allowed[i], key) != 0)
            i++;
        if (!allowed[i])
            return err_set(e, ERR_INVALID, "field \"%.60s\" is not known here", key);
    }
    return 0;
}

int api_series(const struct req *q, char name[SERIES_MAX + 1], const char **series,
               struct err *e)
{
    char device[DEVICE_MAX + 1], quantity[QUANTITY_MAX + 1];
    const char *v = req_query(q, "series");
    *series = v ? name : NULL;
    return v ? series_split(v, name, device, quantity, e) : 0;
}

/* ---- POST /api/v1/train ---------------------------------------------------------- */

/* The array with canonical names; new. */
static json_t *parse_names(const json_t *names, struct err *e)
{
    size_t i, n = json_array_size(names);
    json_t *v, *out = json_array();
    int rc = 0;
    if (n < 1 || n > API_SERIES_MAX)
        rc = err_set(e, ERR_INVALID, "field \"series\" must hold 1 to %d names, not %zu",
                     API_SERIES_MAX, n);
    json_array_foreach(names, i, v)
    {
        char name[SERIES_MAX + 1], device[DEVICE_MAX + 1], quantity[QUANTITY_MAX + 1];
        if (rc)
            break;
        if (!json_is_string(v))
            rc =
                err_set(e, ERR_INVALID, "field \"series\": item %zu must be a string", i);
        else if (series_split(json_string_value(v), name, device, quantity, e))
            rc = err_prefix(e, "field \"series\": item %zu", i);
        else
            json_array_append_new(out, json_string(name));
    }
    if (!rc)
        return out;
    json_decref(out);
    return NULL;
}

int api_names(const json_t *series, json_t **names, struct err *e)
{
    *names = NULL;
    if (json_is_string(series) && !strcmp(json_string_value(series), "all"))
        return 0;
    if (!json_is_array(series))
        return err_set(e, ERR_INVALID,
                       "field \"series\" must be an array of names, or \"all\"");
    *names = parse_names(series, e);
    return *names ? 0 : -1;
}

/* Unless told otherwise, somebody who waits for some series goes before what the monitor
 * asks for, and that before all series at once. */
static int parse_body(const json_t *body, enum role who, struct train_request *r,
                      struct err *e)
{
    bool by_person = who != ROLE_SERVICE;
    static const char *const fields[] = {"series", "reason", "preset", "priority", NULL};
    const json_t *series = json_object_get(body, "series");
    const char *reason = NULL, *preset = NULL;
    if (api_only(body, fields, e) ||
        json_opt_string(body, "reason", &reason, sizeof r->reason - 1, e) ||
        json_opt_string(body, "preset", &preset, 16, e) ||
        json_opt_int(body, "priority", &r->priority, -100, 100, e))
        return -1;
    const struct preset *known = preset ? preset_find(preset) : NULL;
    if (preset && !known)
        return err_set(e, ERR_INVALID,
                       "field \"preset\" must be null, " PRESET_NAMES ", not \"%s\"",
                       preset);
    r->preset = known ? known->name : NULL;
    if (reason && *reason)
        snprintf(r->reason, sizeof r->reason, "%s", reason);
    else
        snprintf(r->reason, sizeof r->reason, "asked by %s", role_name(who));
    if (api_names(series, &r->series, e))
        return -1;
    if (!json_object_get(body, "priority"))
        r->priority = !r->series ? PRIORITY_ALL : by_person ? PRIORITY_PERSON : 0;
    return 0;
}

int train_request_parse(const struct req *q, struct train_request *r, struct err *e)
{
    *r = (struct train_request){0};
    json_t *body = req_json_object(q, e);
    int rc = body ? parse_body(body, q->who, r, e) : -1;
    json_decref(body);
    return rc;
}

void train_request_done(struct train_request *r)
{
    json_decref(r->series);
    r->series = NULL;
}

static int post_train(void *app, const struct req *q, struct res *s, struct err *e)
{
    struct trainer *t = app;
    struct train_request r;
    if (train_request_parse(q, &r, e))
        return -1;
    json_t *jobs = NULL;
    struct pg *pg = api_pg(app, e);
    if (pg) {
        struct job_request job = {
            .series = r.series,
            .reason = r.reason,
            .preset = r.preset,
            .actor = role_name(q->who),
            .priority = (int)r.priority,
            .any_preset = q->who == ROLE_SERVICE, /* it cannot wait and ask again */
        };
        jobs = registry_jobs_enqueue(pg, &job, e);
        pg_pool_put(t->pool, pg);
    }
    train_request_done(&r);
    if (!jobs)
        return -1;
    queue_wake(t->queue);
    s->status = 202;
    if (json_array_size(jobs) == 1)
        snprintf(s->location, sizeof s->location, "/api/v1/jobs/%" JSON_INTEGER_FORMAT,
                 json_integer_value(json_object_get(json_array_get(jobs, 0), "id")));
    return res_json(s, json_pack("{s:o}", "jobs", jobs), e);
}

/* ---- what needs no database ------------------------------------------------------ */

static int get_algorithms(void *app, const struct req *q, struct res *s, struct err *e)
{
    (void)app;
    (void)q;
    json_t *items = json_array();
    for (size_t i = 0; algos[i]; i++) {
        json_t *params = json_array();
        for (size_t k = 0; k < algos[i]->n_params; k++) {
            const struct algo_param *p = &algos[i]->params[k];
            json_array_append_new(
                params, json_pack("{s:s, s:o, s:o, s:o, s:s}", "name", p->name, "default",
                                  json_number(p->dflt), "min", json_number(p->min), "max",
                                  json_number(p->max), "sentence", p->sentence));
        }
        json_array_append_new(items,
                              json_pack("{s:s, s:s, s:i, s:b, s:o}", "name",
                                        algos[i]->name, "sentence", algos[i]->sentence,
                                        "complexity", algos[i]->complexity, "reads_lags",
                                        algos[i]->reads_lags, "parameters", params));
    }
    return res_items(s, items, NULL, e);
}

static int text(struct res *s, const char *what)
{
    s->type = "text/plain; charset=utf-8";
    return buf_adds(&s->body, what);
}

static int get_health(void *app, const struct req *q, struct res *s, struct err *e)
{
    (void)app;
    (void)q;
    (void)e;
    return text(s, "OK");
}

static int get_version(void *app, const struct req *q, struct res *s, struct err *e)
{
    (void)app;
    (void)q;
    (void)e;
    return text(s, fc_version);
}

#define V ROLE_VIEWER
#define O ROLE_OPERATOR
#define VERSION "/api/v1/models/{name}/versions/{version}"

const struct route trainer_routes[] = {
    {"POST", "/api/v1/train", O, true, TRAIN_BODY_MAX, post_train,
     "queues trainings of some series, or all", NULL},
    {"GET", "/api/v1/jobs", V, true, 0, api_get_jobs, "jobs, newest first",
     "state series limit cursor"},
    {"GET", "/api/v1/jobs/open", V, true, 0, api_get_open_jobs,
     "which jobs have not ended, and how far they are", NULL},
    {"POST", "/api/v1/jobs/cancel", O, true, TRAIN_BODY_MAX, api_cancel_jobs,
     "cancels the open jobs of some series, or all", NULL},
    {"GET", "/api/v1/jobs/{id}", V, true, 0, api_get_job, "one job", NULL},
    {"POST", "/api/v1/jobs/{id}/cancel", O, true, 0, api_cancel_job,
     "cancels an open job", NULL},
    {"GET", "/api/v1/runs", V, true, 0, api_get_runs, "runs, newest first",
     "series limit cursor"},
    {"GET", "/api/v1/runs/{id}", V, true, 0, api_get_run, "one run with all it has",
     NULL},
    {"GET", "/api/v1/runs/{id}/artifacts/{path}", V, true, 0, api_get_artifact,
     "bytes that a run has kept", NULL},
    {"GET", "/api/v1/models", V, true, 0, api_get_models, "models with their aliases",
     "limit cursor"},
    {"GET", "/api/v1/models/{name}", V, true, 0, api_get_model,
     "one model with its versions", NULL},
    {"GET", VERSION, V, true, 0, api_get_version,
     "a version's document, by number or alias", NULL},
    {"GET", VERSION "/rows", V, true, 0, api_get_rows, "the rows it was trained on, CSV",
     NULL},
    {"POST", VERSION "/promote", O, true, 0, api_promote, "makes a version champion",
     NULL},
    {"POST", VERSION "/verify", O, true, 0, api_verify,
     "trains it again from its rows and compares", NULL},
    {"GET", "/api/v1/algorithms", V, false, 0, get_algorithms,
     "algorithms and their parameters", NULL},
    {"GET", "/health", ROLE_NONE, false, 0, get_health, "OK, as MLflow's clients ask",
     NULL},
    {"GET", "/version", ROLE_NONE, false, 0, get_version,
     "release, as MLflow's clients ask", NULL},
    {0},
};
