/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The part of api.h about jobs. */
#include "services/trainer/api.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/registry_jobs.h"

/* An id in the path. */
static int path_id(const char *text, int64_t *id, struct err *e)
{
    char *end;
    errno = 0;
    *id = strtoll(text, &end, 10);
    if (errno || end == text || *end || *id < 1)
        return err_set(e, ERR_INVALID,
                       "a job's id is a whole number from 1, not \"%.60s\"", text);
    return 0;
}

static int known_state(const char *state, struct err *e)
{
    static const char *const states[] = {"queued", "running",   "done",
                                         "failed", "cancelled", "open"};
    for (size_t i = 0; state && i < sizeof states / sizeof *states; i++)
        if (!strcmp(state, states[i]))
            return 0;
    return state ? err_set(e, ERR_INVALID,
                           "parameter \"state\" must be queued, running, done, failed, "
                           "cancelled or open, not \"%.60s\"",
                           state)
                 : 0;
}

int api_get_jobs(void *app, const struct req *q, struct res *s, struct err *e)
{
    struct trainer *t = app;
    char name[SERIES_MAX + 1], next[24];
    const char *series, *state = req_query(q, "state");
    int64_t before = INT64_MAX;
    int limit;
    if (known_state(state, e) || api_series(q, name, &series, e) ||
        api_limit(q, &limit, e) || req_query_int(q, "cursor", &before, 1, INT64_MAX, e))
        return -1;
    struct pg *pg = api_pg(app, e);
    if (!pg)
        return -1;
    json_t *jobs = registry_jobs_json(pg, state, series, before, limit, e);
    pg_pool_put(t->pool, pg);
    if (!jobs)
        return -1;
    size_t n = json_array_size(jobs);
    bool more = n == (size_t)limit;
    if (more)
        snprintf(next, sizeof next, "%" JSON_INTEGER_FORMAT,
                 json_integer_value(json_object_get(json_array_get(jobs, n - 1), "id")));
    return res_items(s, jobs, more ? next : NULL, e);
}

int api_get_job(void *app, const struct req *q, struct res *s, struct err *e)
{
    int64_t id;
    if (path_id(q->params[0], &id, e))
        return -1;
    struct pg *pg = api_pg(app, e);
    if (!pg)
        return -1;
    json_t *job = registry_job_json(pg, id, e);
    pg_pool_put(((struct trainer *)app)->pool, pg);
    return job ? res_json(s, job, e) : -1;
}

int api_cancel_job(void *app, const struct req *q, struct res *s, struct err *e)
{
    int64_t id;
    if (path_id(q->params[0], &id, e))
        return -1;
    struct pg *pg = api_pg(app, e);
    if (!pg)
        return -1;
    json_t *job = registry_job_cancel(pg, id, role_name(q->who), e)
                      ? NULL
                      : registry_job_json(pg, id, e);
    pg_pool_put(((struct trainer *)app)->pool, pg);
    return job ? res_json(s, job, e) : -1;
}

int api_get_open_jobs(void *app, const struct req *q, struct res *s, struct err *e)
{
    (void)q;
    struct pg *pg = api_pg(app, e);
    if (!pg)
        return -1;
    json_t *open = registry_jobs_open_json(pg, e);
    pg_pool_put(((struct trainer *)app)->pool, pg);
    return open ? res_json(s, open, e) : -1;
}

int api_cancel_jobs(void *app, const struct req *q, struct res *s, struct err *e)
{
    static const char *const fields[] = {"series", NULL};
    json_t *body = req_json_object(q, e), *names = NULL, *ids = NULL;
    struct pg *pg = NULL;
    if (body && !api_only(body, fields, e) &&
        !api_names(json_object_get(body, "series"), &names, e) && (pg = api_pg(app, e))) {
        ids = registry_jobs_cancel(pg, names, role_name(q->who), e);
        pg_pool_put(((struct trainer *)app)->pool, pg);
    }
    json_decref(names);
    json_decref(body);
    return ids ? res_json(s, json_pack("{s:o}", "cancelled", ids), e) : -1;
}
