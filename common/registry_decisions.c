/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/registry_decisions.h"

#include "common/clock.h"

#define COLUMNS                                                                          \
    "id, fc_ms(at), series, kind, version, previous, actor, reason, evidence, "          \
    "prev_sha256,"                                                                       \
    " sha256"

int registry_decide_all(struct pg *p, const json_t *rows, struct err *e)
{
    return pg_exec_batch(
        p,
        "SELECT fc_decide(x->>'series', x->>'kind', (x->>'version')::int,"
        " (x->>'previous')::int, x->>'actor', x->>'reason', x->'evidence')"
        " FROM jsonb_array_elements($1::jsonb) WITH ORDINALITY AS t(x, n)"
        " ORDER BY n",
        rows, "decisions", e);
}

static json_t *time_json(int64_t t_ms)
{
    char text[CLOCK_RFC3339_SIZE];
    return json_string(clock_format(t_ms, text));
}

static json_t *int_json(const struct pg_rows *r, int row, int col)
{
    return pg_is_null(r, row, col) ? json_null() : json_integer(pg_get_int(r, row, col));
}

static json_t *text_json(const struct pg_rows *r, int row, int col)
{
    return pg_is_null(r, row, col) ? json_null() : json_string(pg_get_text(r, row, col));
}

/* jsonb always prints valid JSON. */
static json_t *value_json(const struct pg_rows *r, int row, int col)
{
    json_t *j = json_loads(pg_get_text(r, row, col), JSON_DECODE_ANY, NULL);
    return j ? j : json_null();
}

static json_t *decision_json(const struct pg_rows *r, int i)
{
    json_t *j = json_object();
    json_object_set_new(j, "id", json_integer(pg_get_int(r, i, 0)));
    json_object_set_new(j, "at", time_json(pg_get_int(r, i, 1)));
    json_object_set_new(j, "series", text_json(r, i, 2));
    json_object_set_new(j, "kind", text_json(r, i, 3));
    json_object_set_new(j, "version", int_json(r, i, 4));
    json_object_set_new(j, "previous", int_json(r, i, 5));
    json_object_set_new(j, "actor", text_json(r, i, 6));
    json_object_set_new(j, "reason", text_json(r, i, 7));
    json_object_set_new(j, "evidence", value_json(r, i, 8));
    json_object_set_new(j, "prev_sha256", text_json(r, i, 9));
    json_object_set_new(j, "sha256", text_json(r, i, 10));
    return j;
}

json_t *registry_decision_json(struct pg *p, int64_t id, struct err *e)
{
    struct pg_rows *r;
    if (pg_exec(p, "SELECT " COLUMNS " FROM decisions WHERE id = $1", PG_ARGS(pg_int(id)),
                &r, e))
        return NULL;
    json_t *j = pg_rows_n(r) ? decision_json(r, 0) : NULL;
    pg_rows_free(r);
    if (!j)
        err_set(e, ERR_NOT_FOUND, "there is no decision %lld", (long long)id);
    return j;
}

json_t *registry_decisions_json(struct pg *p, const char *series, const char *kind,
                                int64_t before, int64_t from_ms, int64_t to_ms, int limit,
                                struct err *e)
{
    struct pg_rows *r;
    if (pg_exec(
            p,
            "SELECT " COLUMNS " FROM decisions WHERE id < $1"
            " AND ($2::text IS NULL OR series = $2) AND ($3::text IS NULL OR kind = $3)"
            " AND at >= $4::timestamptz AND at < $5::timestamptz"
            " ORDER BY id DESC LIMIT $6",
            PG_ARGS(pg_int(before), pg_text(series), pg_text(kind), pg_time(from_ms),
                    pg_time(to_ms), pg_int(limit)),
            &r, e))
        return NULL;
    json_t *all = json_array();
    for (int i = 0; i < pg_rows_n(r); i++)
        json_array_append_new(all, decision_json(r, i));
    pg_rows_free(r);
    return all;
}

json_t *registry_served_json(struct pg *p, const char *series, int64_t at_ms,
                             const char *after, int limit, struct err *e)
{
    struct pg_rows *r;
    if (pg_exec(
            p,
            "SELECT DISTINCT ON (series) series, version, previous, fc_ms(at), kind, "
            "actor,"
            " reason, evidence, id FROM decisions WHERE kind IN ('promote', 'rollback')"
            " AND at <= $1::timestamptz AND ($2::text IS NULL OR series = $2)"
            " AND series > $3 ORDER BY series, id DESC LIMIT $4",
            PG_ARGS(pg_time(at_ms), pg_text(series), pg_text(after), pg_int(limit)), &r,
            e))
        return NULL;
    json_t *all = json_array();
    for (int i = 0; i < pg_rows_n(r); i++) {
        json_t *j = json_object();
        json_object_set_new(j, "series", text_json(r, i, 0));
        json_object_set_new(j, "version", int_json(r, i, 1));
        json_object_set_new(j, "previous", int_json(r, i, 2));
        json_object_set_new(j, "since", time_json(pg_get_int(r, i, 3)));
        json_object_set_new(j, "kind", text_json(r, i, 4));
        json_object_set_new(j, "actor", text_json(r, i, 5));
        json_object_set_new(j, "reason", text_json(r, i, 6));
        json_object_set_new(j, "evidence", value_json(r, i, 7));
        json_object_set_new(j, "decision", json_integer(pg_get_int(r, i, 8)));
        json_array_append_new(all, j);
    }
    pg_rows_free(r);
    return all;
}

json_t *registry_decisions_verify_json(struct pg *p, struct err *e)
{
    struct pg_rows *r;
    if (pg_exec(p,
                "SELECT fc_decisions_verify(), count(*),"
                " (SELECT sha256 FROM decisions ORDER BY id DESC LIMIT 1) FROM decisions",
                PG_NONE, &r, e))
        return NULL;
    json_t *j = json_object();
    json_object_set_new(j, "whole", json_boolean(pg_is_null(r, 0, 0)));
    json_object_set_new(j, "decisions", json_integer(pg_get_int(r, 0, 1)));
    json_object_set_new(j, "first_bad", int_json(r, 0, 0));
    json_object_set_new(j, "head", text_json(r, 0, 2));
    pg_rows_free(r);
    return j;
}
