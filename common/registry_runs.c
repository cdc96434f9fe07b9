/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/registry_runs.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/json.h"
#include "common/sha256.h"

/* JSON as the text of a parameter; owned. NULL stays NULL. */
static char *text_of(const json_t *j)
{
    return j ? json_dumps(j, JSON_COMPACT) : NULL;
}

int registry_run_insert(struct pg *p, const struct run_new *r, struct err *e)
{
    char *params = text_of(r->params), *metrics = text_of(r->metrics);
    char *tags = text_of(r->tags), *source = text_of(r->input_source);
    int rc = pg_exec(
        p,
        "WITH r AS (INSERT INTO runs (id, experiment_id, name, series, job_id, status,"
        "  started, ended) SELECT $1, x.id, $2, $3, $4, 'FINISHED', $5, $6"
        "  FROM experiments x WHERE x.name = 'fieldcast' RETURNING id),"
        " p AS (INSERT INTO run_params SELECT r.id, key, value"
        "  FROM r, jsonb_each_text($7::jsonb) WHERE value IS NOT NULL),"
        " m AS (INSERT INTO run_metrics SELECT r.id, key, 0, $6::timestamptz, "
        "value::float8"
        "  FROM r, jsonb_each_text($8::jsonb) WHERE value IS NOT NULL),"
        " t AS (INSERT INTO run_tags SELECT r.id, key, value"
        "  FROM r, jsonb_each_text($9::jsonb) WHERE value IS NOT NULL)"
        " INSERT INTO run_inputs SELECT r.id, $10, $11, coalesce($12::jsonb, '{}') FROM "
        "r",
        PG_ARGS(pg_text(r->id), pg_text(r->name), pg_text(r->series), pg_int(r->job_id),
                pg_time(r->started_ms), pg_time(r->ended_ms), pg_text(params),
                pg_text(metrics), pg_text(tags), pg_text(r->input),
                pg_text(r->input_sha256), pg_text(source)),
        NULL, e);
    free(params);
    free(metrics);
    free(tags);
    free(source);
    return rc;
}

int registry_run_artifact(struct pg *p, const char *run_id, const char *path,
                          const void *bytes, size_t len, struct err *e)
{
    char sha256[SHA256_HEX_SIZE];
    sha256_hex(bytes, len, sha256);
    return pg_exec(p,
                   "WITH b AS (INSERT INTO blobs VALUES ($3, $4, $5)"
                   " ON CONFLICT (sha256) DO NOTHING)"
                   " INSERT INTO artifacts VALUES ($1, $2, $3)",
                   PG_ARGS(pg_text(run_id), pg_text(path), pg_text(sha256),
                           pg_bytes(bytes, len), pg_time(clock_now_ms())),
                   NULL, e);
}

char *registry_artifact_get(struct pg *p, const char *run_id, const char *path,
                            size_t *len, struct err *e)
{
    struct pg_rows *r;
    if (pg_exec(p,
                "SELECT b.bytes FROM artifacts a JOIN blobs b USING (sha256)"
                " WHERE a.run_id = $1 AND a.path = $2",
                PG_ARGS(pg_text(run_id), pg_text(path)), &r, e))
        return NULL;
    char *bytes = pg_rows_n(r) ? (char *)pg_get_bytes(r, 0, 0, len) : NULL;
    if (!bytes)
        err_set(e, ERR_NOT_FOUND, "run \"%s\" has no artifact \"%s\"", run_id, path);
    pg_rows_free(r);
    return bytes;
}

/* ---- as JSON --------------------------------------------------------------------- */

#define RUN_HEAD                                                                         \
    "'id', r.id, 'name', r.name, 'experiment', (SELECT x.name FROM experiments x WHERE"  \
    " x.id = r.experiment_id), 'series', r.series, 'job_id', r.job_id,"                  \
    " 'version', (SELECT max(v.version) FROM model_versions v WHERE v.run_id = r.id),"   \
    " 'status', r.status, 'started', fc_rfc3339(r.started),"                             \
    " 'ended', fc_rfc3339(r.ended)"
#define RUN_PAIRS(table)                                                                 \
    "(SELECT coalesce(json_object_agg(key, value ORDER BY key), '{}') FROM " table       \
    " t WHERE t.run_id = r.id)"
/* the latest value of each; JSON knows no NaN */
#define RUN_METRICS                                                                      \
    "(SELECT coalesce(json_object_agg(key, CASE WHEN value = 'NaN' OR abs(value) ="      \
    " 'Infinity' THEN NULL ELSE value END ORDER BY key), '{}') FROM (SELECT DISTINCT ON" \
    " (key) key, value FROM run_metrics t WHERE t.run_id = r.id"                         \
    " ORDER BY key, step DESC, at DESC, value DESC) newest)"

#define RUN_PARAMS RUN_PAIRS("run_params")
#define RUN_TAGS RUN_PAIRS("run_tags")
#define RUN_INPUTS                                                                       \
    "(SELECT coalesce(json_agg(json_build_object('name', i.name, 'sha256', i.digest,"    \
    " 'source', i.source) ORDER BY i.name), '[]') FROM run_inputs i"                     \
    " WHERE i.run_id = r.id)"
#define RUN_ARTIFACTS                                                                    \
    "(SELECT coalesce(json_agg(json_build_object('path', a.path, 'sha256', a.sha256,"    \
    " 'bytes', octet_length(b.bytes)) ORDER BY a.path), '[]')"                           \
    " FROM artifacts a JOIN blobs b USING (sha256) WHERE a.run_id = r.id)"

json_t *registry_run_json(struct pg *p, const char *id, struct err *e)
{
    char what[64];
    snprintf(what, sizeof what, "run \"%.40s\"", id);
    return pg_exec_json(p,
                        "SELECT json_build_object(" RUN_HEAD ", 'params', " RUN_PARAMS
                        ", 'metrics', " RUN_METRICS ", 'tags', " RUN_TAGS
                        ", 'inputs', " RUN_INPUTS ", 'artifacts', " RUN_ARTIFACTS
                        ") FROM runs r WHERE r.id = $1",
                        PG_ARGS(pg_text(id)), what, e);
}

/* "MILLISECONDS.ID" of the last run shown. */
static int parse_cursor(const char *cursor, int64_t *at_ms, char id[RUN_ID_SIZE],
                        struct err *e)
{
    int end = 0;
    if (strlen(cursor) >= RUNS_CURSOR_SIZE ||
        sscanf(cursor, "%" SCNd64 ".%32[0-9a-f]%n", at_ms, id, &end) != 2 || cursor[end])
        return err_set(e, ERR_INVALID,
                       "parameter \"cursor\" must be the \"next\" of an earlier answer");
    return 0;
}

json_t *registry_runs_json(struct pg *p, const char *series, const char *cursor,
                           int limit, char next[RUNS_CURSOR_SIZE], struct err *e)
{
    int64_t at_ms = INT64_MAX;
    char id[RUN_ID_SIZE] = "";
    next[0] = '\0';
    if (cursor && parse_cursor(cursor, &at_ms, id, e))
        return NULL;
    struct pg_rows *r;
    if (pg_exec(p,
                "SELECT json_build_object(" RUN_HEAD ", 'metrics', " RUN_METRICS
                "), fc_ms(r.started), r.id FROM runs r WHERE stage = 'active'"
                " AND ($1::text IS NULL OR series = $1) AND (started, id) < ($2, $3)"
                " ORDER BY started DESC, id DESC LIMIT $4",
                PG_ARGS(pg_text(series), pg_time(at_ms), pg_text(id), pg_int(limit)), &r,
                e))
        return NULL;
    json_t *list = json_array();
    int n = pg_rows_n(r);
    for (int i = 0; i < n && list; i++) {
        json_t *run = pg_get_json(r, i, 0, e);
        if (run) {
            json_array_append_new(list, run);
        } else {
            json_decref(list);
            list = NULL;
        }
    }
    if (list && n == limit)
        snprintf(next, RUNS_CURSOR_SIZE, "%" PRId64 ".%s", pg_get_int(r, n - 1, 1),
                 pg_get_text(r, n - 1, 2));
    pg_rows_free(r);
    return list;
}

int registry_runs_forget(struct pg *p, int64_t t_ms, struct err *e)
{
    if (pg_exec(p, "DELETE FROM runs WHERE started < $1", PG_ARGS(pg_time(t_ms)), NULL,
                e))
        return -1;
    return pg_exec(p,
                   "DELETE FROM blobs b WHERE NOT EXISTS"
                   " (SELECT 1 FROM artifacts a WHERE a.sha256 = b.sha256)",
                   PG_NONE, NULL, e);
}
