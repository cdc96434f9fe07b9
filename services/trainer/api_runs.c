/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdlib.h>
#include <string.h>

#include "common/registry_runs.h"
#include "services/trainer/api.h"

int api_get_runs(void *app, const struct req *q, struct res *s, struct err *e)
{
    char name[SERIES_MAX + 1], next[RUNS_CURSOR_SIZE];
    const char *series;
    int limit;
    if (api_series(q, name, &series, e) || api_limit(q, &limit, e))
        return -1;
    struct pg *pg = api_pg(app, e);
    if (!pg)
        return -1;
    json_t *runs = registry_runs_json(pg, series, req_query(q, "cursor"), limit, next, e);
    pg_pool_put(((struct trainer *)app)->pool, pg);
    return runs ? res_items(s, runs, *next ? next : NULL, e) : -1;
}

int api_get_run(void *app, const struct req *q, struct res *s, struct err *e)
{
    struct pg *pg = api_pg(app, e);
    if (!pg)
        return -1;
    json_t *run = registry_run_json(pg, q->params[0], e);
    pg_pool_put(((struct trainer *)app)->pool, pg);
    return run ? res_json(s, run, e) : -1;
}

int api_get_artifact(void *app, const struct req *q, struct res *s, struct err *e)
{
    size_t len;
    struct pg *pg = api_pg(app, e);
    if (!pg)
        return -1;
    char *bytes = registry_artifact_get(pg, q->params[0], q->params[1], &len, e);
    pg_pool_put(((struct trainer *)app)->pool, pg);
    if (!bytes)
        return -1;
    size_t n = strlen(q->params[1]);
    if (n < 5 || strcmp(q->params[1] + n - 5, ".json") != 0)
        s->type = "application/octet-stream";
    int rc = buf_add(&s->body, bytes, len)
                 ? err_set(e, ERR_TOO_LARGE, "the artifact is too large to be sent")
                 : 0;
    free(bytes);
    return rc;
}
