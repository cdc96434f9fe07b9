/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/registry_jobs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/json.h"

/* Whoever waits for the rows of several jobs locks them in the order of their ids, and NO
 * KEY: a training that is being stored holds on to the key of its job. */

/* ---- cancelling ------------------------------------------------------------------ */

int registry_job_cancel(struct pg *p, int64_t id, const char *actor, struct err *e)
{
    struct pg_rows *r;
    if (pg_exec(p,
                "UPDATE jobs SET state = 'cancelled', ended = $3,"
                " message = 'cancelled by ' || $2 WHERE id = $1 AND " JOB_OPEN
                " RETURNING id",
                PG_ARGS(pg_int(id), pg_text(actor), pg_time(clock_now_ms())), &r, e))
        return -1;
    bool done = pg_rows_n(r);
    pg_rows_free(r);
    if (done)
        return 0;
    if (pg_exec(p, "SELECT state FROM jobs WHERE id = $1", PG_ARGS(pg_int(id)), &r, e))
        return -1;
    if (pg_rows_n(r))
        err_set(e, ERR_CONFLICT, "job %lld has ended already: it is %s", (long long)id,
                pg_get_text(r, 0, 0));
    else
        err_set(e, ERR_NOT_FOUND, "there is no job %lld", (long long)id);
    pg_rows_free(r);
    return -1;
}

json_t *registry_jobs_cancel(struct pg *p, const json_t *series, const char *actor,
                             struct err *e)
{
    char *names = series ? json_dumps(series, JSON_COMPACT) : NULL;
    json_t *ids = pg_exec_json(
        p,
        "WITH l AS (SELECT id FROM jobs WHERE " JOB_OPEN " AND ($1::jsonb IS NULL OR"
        "  series IN (SELECT jsonb_array_elements_text($1))) ORDER BY id FOR NO KEY "
        "UPDATE),"
        " c AS (UPDATE jobs SET state = 'cancelled', ended = $3,"
        "  message = 'cancelled by ' || $2 FROM l WHERE jobs.id = l.id"
        "  RETURNING jobs.id)"
        " SELECT coalesce(json_agg(id ORDER BY id), '[]') FROM c",
        PG_ARGS(pg_text(names), pg_text(actor), pg_time(clock_now_ms())), NULL, e);
    free(names);
    return ids;
}

/* ---- working --------------------------------------------------------------------- */

/* Half of a worker's share of what waits, so that others who look have something, and all
 * end at much the same time; with the rest of a device never more than the whole share.
 * What was taken before and not ended comes alone: if it is what brings trainers down, it
 * must not take others' tries with it. */
static const char take_sql[] =
    "WITH s AS (SELECT least($3::int, greatest(1, n / (2 * $2::int))) AS share,"
    "  least($5::int, greatest(1, n / $2::int)) AS whole FROM (SELECT count(*) AS n FROM"
    "  (SELECT FROM jobs WHERE state = 'queued' LIMIT 2 * $2::int * $3::int) w) c),"
    " q AS (SELECT id, attempts, split_part(series, '.', 1) AS device FROM jobs"
    "  WHERE state = 'queued' ORDER BY priority DESC, id"
    "  LIMIT (SELECT least(whole, share + $5::int - $3::int) FROM s)"
    "  FOR UPDATE SKIP LOCKED),"
    " placed AS (SELECT id, attempts, device, row_number() OVER () AS place FROM q),"
    " lone AS (SELECT attempts > 0 AS it FROM placed WHERE place = 1),"
    " t AS (UPDATE jobs j SET state = 'running', worker = $1, heartbeat = fc_real_now(),"
    "  started = $4, attempts = j.attempts + 1, progress = 0, message = NULL"
    "  FROM placed p, s, lone WHERE j.id = p.id AND (p.place = 1 OR"
    "   (NOT lone.it AND p.attempts = 0 AND (p.place <= s.share OR"
    "    p.device = (SELECT device FROM placed, s WHERE place = s.share))))"
    "  RETURNING j.id, j.attempts, series, coalesce(preset, '') AS preset, actor, reason,"
    "  place)"
    " SELECT id, attempts, series, preset, actor, reason FROM t ORDER BY place";

int registry_jobs_take(struct pg *p, const char *worker, int workers, struct job *jobs,
                       int enough, int max, struct err *e)
{
    struct pg_rows *r;
    if (pg_exec(p, take_sql,
                PG_ARGS(pg_text(worker), pg_int(workers), pg_int(enough),
                        pg_time(clock_now_ms()), pg_int(max)),
                &r, e))
        return -1;
    int n = pg_rows_n(r);
    if (n > max) {
        pg_rows_free(r);
        return err_set(e, ERR_INTERNAL, "%d jobs were taken where %d fit", n, max);
    }
    for (int i = 0; i < n; i++) {
        struct job *j = &jobs[i];
        j->id = pg_get_int(r, i, 0);
        j->attempt = (int)pg_get_int(r, i, 1);
        snprintf(j->series, sizeof j->series, "%s", pg_get_text(r, i, 2));
        snprintf(j->preset, sizeof j->preset, "%s", pg_get_text(r, i, 3));
        snprintf(j->actor, sizeof j->actor, "%s", pg_get_text(r, i, 4));
        snprintf(j->reason, sizeof j->reason, "%s", pg_get_text(r, i, 5));
    }
    pg_rows_free(r);
    return n;
}

int registry_jobs_beat(struct pg *p, const char *worker, struct job_beat *beats, int n,
                       struct err *e)
{
    json_t *list = json_array();
    for (int i = 0; i < n; i++) {
        beats[i].lost = true;
        json_array_append_new(
            list, json_pack("{s:I, s:i, s:f}", "id", (json_int_t)beats[i].id, "attempts",
                            beats[i].attempt, "progress", beats[i].progress));
    }
    char *text = json_dumps(list, JSON_COMPACT);
    json_decref(list);
    struct pg_rows *r;
    int rc = pg_exec(p,
                     "WITH b AS (SELECT * FROM jsonb_to_recordset($1)"
                     "  b(id bigint, attempts int, progress real)),"
                     " l AS (SELECT j.id FROM jobs j JOIN b ON j.id = b.id"
                     "  AND j.attempts = b.attempts WHERE j.worker = $2"
                     "  AND j.state = 'running' ORDER BY j.id FOR NO KEY UPDATE OF j)"
                     " UPDATE jobs j SET heartbeat = fc_real_now(), progress = b.progress"
                     " FROM b, l WHERE j.id = b.id AND j.id = l.id RETURNING j.id",
                     PG_ARGS(pg_text(text), pg_text(worker)), &r, e);
    free(text);
    if (rc)
        return -1;
    for (int k = 0; k < pg_rows_n(r); k++)
        for (int i = 0; i < n; i++)
            if (beats[i].id == pg_get_int(r, k, 0))
                beats[i].lost = false;
    pg_rows_free(r);
    return 0;
}

/* What becomes of a job that was taken but not ended: parameter $1 is the text, $2 the
 * time. */
#define BACK_INTO_QUEUE                                                                  \
    "UPDATE jobs SET worker = NULL, heartbeat = NULL, progress = 0, message = $1,"       \
    " state = CASE WHEN attempts < " ATTEMPTS " THEN 'queued' ELSE 'failed' END,"        \
    " ended = CASE WHEN attempts < " ATTEMPTS " THEN NULL ELSE $2::timestamptz END"      \
    " WHERE state = 'running' AND "
#define TEXT_OF(x) #x
#define TEXT(x) TEXT_OF(x)
#define ATTEMPTS TEXT(JOB_ATTEMPTS_MAX)

int registry_jobs_sweep(struct pg *p, int64_t lease_s, struct err *e)
{
    return pg_exec(p,
                   BACK_INTO_QUEUE
                   "id IN (SELECT id FROM jobs WHERE state = 'running' AND"
                   " heartbeat < fc_real_now() - make_interval(secs => $3::int)"
                   " FOR UPDATE SKIP LOCKED)",
                   PG_ARGS(pg_text("its trainer was not heard of any more"),
                           pg_time(clock_now_ms()), pg_int(lease_s)),
                   NULL, e);
}

int registry_jobs_queued(struct pg *p, int64_t *n, struct err *e)
{
    struct pg_rows *r;
    if (pg_exec(p,
                "SELECT count(*) FROM (SELECT 1 FROM jobs WHERE state = 'queued'"
                " LIMIT 1000) waiting",
                PG_NONE, &r, e))
        return -1;
    *n = pg_get_int(r, 0, 0);
    pg_rows_free(r);
    return 0;
}

int registry_job_release(struct pg *p, const char *worker, const struct job *j,
                         const char *message, bool blame, struct err *e)
{
    if (blame)
        return pg_exec(p, BACK_INTO_QUEUE "id = $3 AND worker = $4 AND attempts = $5",
                       PG_ARGS(pg_text(message), pg_time(clock_now_ms()), pg_int(j->id),
                               pg_text(worker), pg_int(j->attempt)),
                       NULL, e);
    return pg_exec(
        p,
        "UPDATE jobs SET worker = NULL, heartbeat = NULL, progress = 0,"
        " message = $1, state = 'queued', attempts = attempts - 1"
        " WHERE state = 'running' AND id = $2 AND worker = $3 AND attempts = $4",
        PG_ARGS(pg_text(message), pg_int(j->id), pg_text(worker), pg_int(j->attempt)),
        NULL, e);
}

int registry_job_finish(struct pg *p, const char *worker, const struct job *j,
                        const char *state, const char *outcome, const char *run_id,
                        int version, const char *message, struct err *e)
{
    struct pg_rows *r;
    if (pg_exec(p,
                "UPDATE jobs SET state = $4, outcome = $5, run_id = $6,"
                " version = nullif($7::int, 0), message = $8, ended = $9,"
                " progress = CASE WHEN $4 = 'done' THEN 1 ELSE progress END"
                " WHERE id = $1 AND worker = $2 AND attempts = $3 AND state = 'running'"
                " RETURNING id",
                PG_ARGS(pg_int(j->id), pg_text(worker), pg_int(j->attempt),
                        pg_text(state), pg_text(outcome), pg_text(run_id),
                        pg_int(version), pg_text(message), pg_time(clock_now_ms())),
                &r, e))
        return -1;
    int ours = pg_rows_n(r);
    pg_rows_free(r);
    return ours;
}

/* ---- looking --------------------------------------------------------------------- */

#define JOB_JSON                                                                         \
    "json_build_object('id', id, 'series', series, 'state', state,"                      \
    " 'progress', progress, 'run_id', run_id, 'version', version, 'outcome', outcome,"   \
    " 'message', message, 'reason', reason, 'preset', preset, 'actor', actor,"           \
    " 'priority', priority, 'attempts', attempts, 'worker', worker,"                     \
    " 'heartbeat', fc_rfc3339(heartbeat), 'created', fc_rfc3339(created),"               \
    " 'started', fc_rfc3339(started), 'ended', fc_rfc3339(ended))"

json_t *registry_job_json(struct pg *p, int64_t id, struct err *e)
{
    char what[32];
    snprintf(what, sizeof what, "job %lld", (long long)id);
    return pg_exec_json(p, "SELECT " JOB_JSON " FROM jobs WHERE id = $1",
                        PG_ARGS(pg_int(id)), what, e);
}

json_t *registry_jobs_json(struct pg *p, const char *state, const char *series,
                           int64_t before, int limit, struct err *e)
{
    return pg_exec_json(
        p,
        "SELECT coalesce(json_agg(" JOB_JSON " ORDER BY id DESC), '[]') FROM"
        " (SELECT * FROM jobs WHERE ($1::text IS NULL OR state = $1"
        "   OR $1 = 'open' AND " JOB_OPEN ") AND ($2::text IS NULL OR series = $2)"
        "  AND id < $3 ORDER BY id DESC LIMIT $4) j",
        PG_ARGS(pg_text(state), pg_text(series), pg_int(before), pg_int(limit)), NULL, e);
}

json_t *registry_jobs_open_json(struct pg *p, struct err *e)
{
    return pg_exec_json(
        p,
        "SELECT json_build_object("
        " 'queued', coalesce(json_agg(id ORDER BY id) FILTER (WHERE state = 'queued'),"
        "  '[]'), 'running', coalesce(json_agg(json_build_object('id', id, 'series',"
        "  series, 'progress', progress) ORDER BY id) FILTER (WHERE state = 'running'),"
        "  '[]')) FROM jobs WHERE " JOB_OPEN,
        PG_NONE, NULL, e);
}

int registry_jobs_forget(struct pg *p, int64_t t_ms, struct err *e)
{
    return pg_exec(p, "DELETE FROM jobs WHERE ended < $1", PG_ARGS(pg_time(t_ms)), NULL,
                   e);
}
