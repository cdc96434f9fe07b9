/* SPDX-License-Identifier: GPL-3.0-or-later */
/* registry_jobs_ask: the part of registry_jobs.h that puts jobs into the queue. */
#include <stdlib.h>

#include "common/clock.h"
#include "common/mem.h"
#include "common/registry_jobs.h"

#define ENQUEUE_TRIES 4

/* Names that cannot be trained: unknown ones and those that are not active. */
static int check_names(struct pg *p, const char *names, struct err *e)
{
    struct pg_rows *r;
    if (pg_exec(p,
                "SELECT n.name, s.state FROM"
                " jsonb_array_elements_text($1) WITH ORDINALITY n(name, i)"
                " LEFT JOIN series s ON s.name = n.name"
                " WHERE s.state IS DISTINCT FROM 'active' ORDER BY i LIMIT 1",
                PG_ARGS(pg_text(names)), &r, e))
        return -1;
    int rc = 0;
    if (pg_rows_n(r) && pg_is_null(r, 0, 1))
        rc = err_set(e, ERR_NOT_FOUND, "there is no series \"%s\"", pg_get_text(r, 0, 0));
    else if (pg_rows_n(r))
        rc = err_set(e, ERR_CONFLICT,
                     "series \"%s\" is %s: what it says now is not to be learned",
                     pg_get_text(r, 0, 0), pg_get_text(r, 0, 1));
    pg_rows_free(r);
    return rc;
}

/* The stems that are forecast unless the series' settings say otherwise; owned. */
static char *forecast_stems(void)
{
    json_t *stems = json_array();
    const struct quantity *q;
    for (size_t i = 0; (q = quantity_row(i)); i++)
        if (q->forecast)
            json_array_append_new(stems, json_string(q->stem));
    char *text = json_dumps(stems, JSON_COMPACT);
    json_decref(stems);
    return text;
}

/* The names as the text of a JSON array; owned, NULL with *e. */
static char *names_of(struct pg *p, const struct job_request *q, struct err *e)
{
    if (q->series)
        return json_dumps(q->series, JSON_COMPACT);
    struct pg_rows *r;
    char *stems = forecast_stems(), *names = NULL;
    if (!pg_exec(p,
                 "SELECT coalesce(json_agg(name ORDER BY name), '[]') FROM series"
                 " WHERE state = 'active' AND (settings @> '{\"forecast\": true}' OR"
                 " NOT settings @> '{\"forecast\": false}' AND"
                 " $1::jsonb ? regexp_replace(quantity, '_[0-9]+$', ''))",
                 PG_ARGS(pg_text(stems)), &r, e)) {
        names = xstrdup(pg_get_text(r, 0, 0));
        pg_rows_free(r);
    }
    free(stems);
    return names;
}

/* Jobs that wait get the higher of two priorities, and the preset if one is asked for.
 * One that is being taken at the moment is waited for: it may stay in the queue. */
static int change_waiting(struct pg *p, const char *names, const struct job_request *q,
                          struct err *e)
{
    return pg_exec(p,
                   "UPDATE jobs SET priority = greatest(priority, $2::int),"
                   " preset = coalesce($3::text, preset) WHERE id IN (SELECT id FROM jobs"
                   " WHERE state = 'queued' AND (priority < $2::int OR"
                   "  $3::text IS NOT NULL AND preset IS DISTINCT FROM $3::text)"
                   " AND series IN (SELECT jsonb_array_elements_text($1))"
                   " ORDER BY id FOR NO KEY UPDATE) AND state = 'queued'",
                   PG_ARGS(pg_text(names), pg_int(q->priority), pg_text(q->preset)), NULL,
                   e);
}

/* What runs with another preset than a person asks for is not what was asked for. Who
 * asks for all gets each as it can be had, and a service what is there. */
static int check_presets(struct pg *p, const char *names, const struct job_request *q,
                         struct err *e)
{
    struct pg_rows *r;
    if (!q->preset || q->any_preset || !q->series)
        return 0;
    if (pg_exec(p,
                "SELECT id, series, coalesce('preset \"' || preset || '\"', 'no preset')"
                " FROM jobs WHERE " JOB_OPEN " AND preset IS DISTINCT FROM $2::text"
                " AND series IN (SELECT jsonb_array_elements_text($1))"
                " ORDER BY id LIMIT 1",
                PG_ARGS(pg_text(names), pg_text(q->preset)), &r, e))
        return -1;
    int rc = 0;
    if (pg_rows_n(r))
        rc = err_set(e, ERR_CONFLICT,
                     "job %s trains %s already, with %s: ask again when it has ended, or "
                     "cancel it",
                     pg_get_text(r, 0, 0), pg_get_text(r, 0, 1), pg_get_text(r, 0, 2));
    pg_rows_free(r);
    return rc;
}

/* One try: the open jobs of all names, made where there are none. Fewer come back when an
 * open job ended in between; *missing counts them. */
static json_t *enqueue_once(struct pg *p, const char *names, const struct job_request *q,
                            int64_t *missing, struct err *e)
{
    if (pg_exec(p,
                "INSERT INTO jobs (series, reason, preset, actor, priority, created)"
                " SELECT DISTINCT name, $2, $3, $4, $5::int, $6::timestamptz"
                " FROM jsonb_array_elements_text($1) n(name) ORDER BY 1"
                " ON CONFLICT (series) WHERE " JOB_OPEN " DO NOTHING",
                PG_ARGS(pg_text(names), pg_text(q->reason), pg_text(q->preset),
                        pg_text(q->actor), pg_int(q->priority), pg_time(clock_now_ms())),
                NULL, e) ||
        change_waiting(p, names, q, e) || check_presets(p, names, q, e))
        return NULL;
    struct pg_rows *r;
    if (pg_exec(
            p,
            "SELECT coalesce(json_agg(json_build_object('id', id, 'series', name,"
            " 'state', state, 'preset', preset) ORDER BY i)"
            " FILTER (WHERE id IS NOT NULL), '[]'),"
            " count(*) - count(id) FROM (SELECT name, min(i) AS i FROM"
            "  jsonb_array_elements_text($1) WITH ORDINALITY n(name, i) GROUP BY name)"
            "  n LEFT JOIN jobs j ON j.series = name AND j." JOB_OPEN,
            PG_ARGS(pg_text(names)), &r, e))
        return NULL;
    json_t *jobs = pg_get_json(r, 0, 0, e);
    *missing = pg_get_int(r, 0, 1);
    pg_rows_free(r);
    return jobs;
}

static json_t *enqueue(struct pg *p, const struct job_request *q, struct err *e)
{
    char *names = names_of(p, q, e);
    if (!names)
        return NULL;
    json_t *jobs = NULL;
    int64_t missing = 1;
    if (!check_names(p, names, e))
        for (int i = 0; i < ENQUEUE_TRIES && missing; i++) {
            json_decref(jobs);
            if (!(jobs = enqueue_once(p, names, q, &missing, e)))
                break;
        }
    free(names);
    return jobs;
}

json_t *registry_jobs_enqueue(struct pg *p, const struct job_request *q, struct err *e)
{
    if (pg_begin(p, e))
        return NULL;
    json_t *jobs = enqueue(p, q, e);
    if (jobs && pg_commit(p, e)) {
        json_decref(jobs);
        jobs = NULL;
    }
    if (!jobs)
        pg_rollback(p);
    return jobs;
}
