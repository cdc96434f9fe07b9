/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/registry_series.h"

#include <stdio.h>
#include <stdlib.h>

#include "common/buf.h"
#include "common/json.h"

static const char *text_or_null(const struct pg_rows *r, int row, int col)
{
    return pg_is_null(r, row, col) ? NULL : pg_get_text(r, row, col);
}

static int64_t time_or_none(const struct pg_rows *r, int row, int col)
{
    return pg_is_null(r, row, col) ? INT64_MIN : pg_get_int(r, row, col);
}

int registry_series_list(struct pg *p, const char *after, int limit,
                         void (*each)(void *arg, const struct series_row *row), void *arg,
                         struct err *e)
{
    struct pg_rows *r;
    if (pg_exec(p,
                "SELECT s.name, s.device, s.quantity, s.unit, s.location, s.tz, s.state,"
                " s.settings, fc_ms(s.created), t.quality, t.checks, fc_ms(t.last_hour),"
                " t.last_value, fc_ms(t.last_asked), t.asked_today"
                " FROM series s LEFT JOIN series_state t ON t.series = s.name"
                " WHERE s.name > $1 ORDER BY s.name LIMIT $2",
                PG_ARGS(pg_text(after), pg_int(limit)), &r, e))
        return -1;
    int n = pg_rows_n(r);
    for (int i = 0; i < n; i++) {
        struct series_row s = {
            .name = pg_get_text(r, i, 0),
            .device = pg_get_text(r, i, 1),
            .quantity = pg_get_text(r, i, 2),
            .unit = text_or_null(r, i, 3),
            .location = text_or_null(r, i, 4),
            .tz = pg_get_text(r, i, 5),
            .state = pg_get_text(r, i, 6),
            .settings = pg_get_text(r, i, 7),
            .created_ms = pg_get_int(r, i, 8),
            .quality = text_or_null(r, i, 9),
            .checks = text_or_null(r, i, 10),
            .last_hour_ms = time_or_none(r, i, 11),
            .last_value = pg_get_real(r, i, 12),
            .last_asked_ms = time_or_none(r, i, 13),
            .asked_today = (int)pg_get_int(r, i, 14),
        };
        each(arg, &s);
    }
    pg_rows_free(r);
    return n;
}

int registry_series_create(struct pg *p, const json_t *rows, struct err *e)
{
    return pg_exec_batch(
        p,
        "INSERT INTO series (name, device, quantity, unit, tz, state)"
        " SELECT name, device, quantity, unit, coalesce(tz, 'UTC'), state"
        " FROM jsonb_to_recordset($1::jsonb) AS"
        " x(name text, device text, quantity text, unit text, tz text, state text)"
        " ORDER BY name ON CONFLICT (name) DO NOTHING",
        rows, "rows", e);
}

int registry_series_set(struct pg *p, const char *name, const json_t *settings,
                        const char *state, const char *tz, struct err *e)
{
    struct buf b;
    struct pg_rows *r = NULL;
    buf_init(&b, 65536);
    int rc = json_write(&b, settings);
    if (rc)
        rc = err_set(e, ERR_TOO_LARGE, "the settings of %s are too large", name);
    else
        rc = pg_exec(p,
                     "UPDATE series SET settings = $2::jsonb, state = $3, tz = $4"
                     " WHERE name = $1 RETURNING name",
                     PG_ARGS(pg_text(name), pg_text(b.data), pg_text(state), pg_text(tz)),
                     &r, e);
    buf_done(&b);
    if (rc)
        return -1;
    if (!pg_rows_n(r))
        rc = err_set(e, ERR_NOT_FOUND, "there is no series \"%s\"", name);
    pg_rows_free(r);
    return rc;
}

int registry_series_set_states(struct pg *p, const json_t *rows, struct err *e)
{
    return pg_exec_batch(
        p,
        "UPDATE series s SET state = x.state FROM jsonb_to_recordset($1::jsonb)"
        " AS x(name text, state text) WHERE s.name = x.name",
        rows, "rows", e);
}

int registry_series_remember(struct pg *p, const json_t *rows, struct err *e)
{
    return pg_exec_batch(
        p,
        "INSERT INTO series_state (series, quality, checks, last_hour, last_value, "
        "last_asked,"
        " asked_today) SELECT series, quality, checks, to_timestamp(last_hour / 1000.0),"
        " last_value, to_timestamp(last_asked / 1000.0), asked_today"
        " FROM jsonb_to_recordset($1::jsonb) AS x(series text, quality jsonb, checks "
        "jsonb,"
        " last_hour bigint, last_value double precision, last_asked bigint, asked_today "
        "int)"
        " ORDER BY series ON CONFLICT (series) DO UPDATE SET quality = excluded.quality,"
        " checks = excluded.checks, last_hour = excluded.last_hour,"
        " last_value = excluded.last_value, last_asked = excluded.last_asked,"
        " asked_today = excluded.asked_today",
        rows, "rows", e);
}

int registry_champions_since(struct pg *p, int64_t after, int limit,
                             void (*each)(void *arg, const struct champion_row *row),
                             void *arg, struct err *e)
{
    struct pg_rows *r;
    if (pg_exec(
            p,
            "SELECT v.name, v.algorithm, v.version, coalesce(v.rows_n, 0), v.model_seq,"
            " fc_ms(m.created) FROM model_versions v"
            " JOIN model_aliases a ON a.name = v.name AND a.version = v.version"
            " AND a.alias = 'champion' JOIN models m ON m.name = v.name"
            " WHERE v.model_seq > $1 ORDER BY v.model_seq LIMIT $2",
            PG_ARGS(pg_int(after), pg_int(limit)), &r, e))
        return -1;
    int n = pg_rows_n(r);
    for (int i = 0; i < n; i++) {
        struct champion_row c = {
            .name = pg_get_text(r, i, 0),
            .algorithm = pg_get_text(r, i, 1),
            .version = (int)pg_get_int(r, i, 2),
            .rows = (int)pg_get_int(r, i, 3),
            .model_seq = pg_get_int(r, i, 4),
            .born_ms = pg_get_int(r, i, 5),
        };
        each(arg, &c);
    }
    pg_rows_free(r);
    return n;
}

/* As one parameter; owned. */
static char *names_json(const char *const *names, size_t n)
{
    json_t *list = json_array();
    for (size_t i = 0; i < n; i++)
        json_array_append_new(list, json_string(names[i]));
    char *text = json_dumps(list, JSON_COMPACT);
    json_decref(list);
    return text;
}

/* A few looks into indices for each name, however many series there are; a join of all
 * would read them all. What is named twice counts once. */
static const char beside_sql[] =
    "SELECT s.name, b.other, b.asked FROM jsonb_array_elements_text($1::jsonb) n(name)"
    " CROSS JOIN LATERAL (SELECT name, device, CASE jsonb_typeof(settings->'exogenous')"
    "  WHEN 'array' THEN settings->'exogenous' ELSE '[]' END AS names"
    "  FROM series WHERE name = n.name OFFSET 0) s"
    " CROSS JOIN LATERAL (SELECT other, bool_or(wanted) AS asked FROM"
    "   (SELECT other, true AS wanted FROM jsonb_array_elements_text(s.names) other"
    "    UNION ALL SELECT name, false FROM series WHERE device = s.device"
    "    UNION ALL SELECT name, false FROM series WHERE"
    "     (SELECT count(*) FROM (SELECT FROM series WHERE state = 'active' LIMIT $2 + 2) "
    "few) <= $2 + 1) p"
    "  WHERE other <> s.name"
    "   AND (SELECT state FROM series WHERE name = other) = 'active'"
    "   AND (SELECT true FROM model_aliases WHERE name = other AND alias = 'champion')"
    "  GROUP BY other ORDER BY asked DESC, other LIMIT $2) b"
    " ORDER BY s.name, b.asked DESC, b.other";

int registry_series_beside(struct pg *p, const char *const *names, size_t n, int limit,
                           void (*each)(void *arg, const char *series, const char *other,
                                        bool asked),
                           void *arg, struct err *e)
{
    struct pg_rows *r;
    char *text = names_json(names, n);
    int rc = pg_exec(p, beside_sql, PG_ARGS(pg_text(text), pg_int(limit)), &r, e);
    free(text);
    if (rc)
        return -1;
    for (int i = 0; i < pg_rows_n(r); i++)
        each(arg, pg_get_text(r, i, 0), pg_get_text(r, i, 1),
             *pg_get_text(r, i, 2) == 't');
    pg_rows_free(r);
    return 0;
}

int registry_series_zones(struct pg *p, const char *const *names, size_t n,
                          void (*each)(void *arg, const char *series, const char *tz),
                          void *arg, struct err *e)
{
    struct pg_rows *r;
    char *text = names_json(names, n);
    int rc = pg_exec(p,
                     "SELECT s.name, s.tz FROM jsonb_array_elements_text($1::jsonb)"
                     " n(name) JOIN series s USING (name)",
                     PG_ARGS(pg_text(text)), &r, e);
    free(text);
    if (rc)
        return -1;
    for (int i = 0; i < pg_rows_n(r); i++)
        each(arg, pg_get_text(r, i, 0), pg_get_text(r, i, 1));
    pg_rows_free(r);
    return 0;
}

/* Not even asked for an offset if the name is not one of its own: POSIX rules, which
 * Postgres would take, are not what people mean by a zone. Nor are the table's names for
 * whatever the server's machine is set to. */
static const char zone_sql[] =
    "WITH h AS (SELECT t, extract(epoch FROM (t AT TIME ZONE $1) -"
    "   (t AT TIME ZONE 'UTC'))::bigint AS ahead"
    "  FROM generate_series($2::timestamptz, $3::timestamptz, '1 hour') t"
    "  WHERE EXISTS (SELECT 1 FROM pg_timezone_names WHERE name = $1"
    "   AND name NOT IN ('localtime', 'posixrules', 'Factory')))"
    " SELECT extract(epoch FROM t)::bigint, ahead FROM (SELECT t, ahead,"
    "  lag(ahead) OVER (ORDER BY t) AS before FROM h) x"
    " WHERE before IS DISTINCT FROM ahead ORDER BY t LIMIT $4";

int registry_zone(struct pg *p, const char *name, int64_t from_s, int64_t to_s,
                  struct zone *z, struct err *e)
{
    struct pg_rows *r;
    *z = (struct zone){0};
    snprintf(z->name, sizeof z->name, "%s", name);
    if (pg_exec(p, zone_sql,
                PG_ARGS(pg_text(name), pg_time(from_s * 1000), pg_time(to_s * 1000),
                        pg_int(ZONE_SPANS_MAX)),
                &r, e))
        return -1;
    for (int i = 0; i < pg_rows_n(r); i++)
        zone_add(z, pg_get_int(r, i, 0), (int)pg_get_int(r, i, 1));
    pg_rows_free(r);
    if (!z->n)
        return err_set(e, ERR_INVALID,
                       "\"%.64s\" is no time zone: one is called like \"Europe/Vienna\"",
                       name);
    return 0;
}

int registry_champion_documents(struct pg *p, const char *const *names, size_t n,
                                void (*each)(void *arg, const char *name, int version,
                                             const char *document),
                                void *arg, struct err *e)
{
    struct pg_rows *r;
    char *text = names_json(names, n);
    int rc = pg_exec(p,
                     "SELECT v.name, v.version, v.document FROM model_versions v"
                     " JOIN model_aliases a ON a.name = v.name AND a.version = v.version"
                     " AND a.alias = 'champion'"
                     " WHERE v.name IN (SELECT jsonb_array_elements_text($1::jsonb))",
                     PG_ARGS(pg_text(text)), &r, e);
    free(text);
    if (rc)
        return -1;
    for (int i = 0; i < pg_rows_n(r); i++)
        each(arg, pg_get_text(r, i, 0), (int)pg_get_int(r, i, 1), pg_get_text(r, i, 2));
    pg_rows_free(r);
    return 0;
}
