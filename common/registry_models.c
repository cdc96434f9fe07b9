/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/registry_models.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "common/clock.h"
#include "common/json.h"
#include "common/mem.h"

/* ---- reading versions ------------------------------------------------------------ */

/* The alias that counts when a version holds several. */
#define ALIAS_OF_V                                                                       \
    "(SELECT a.alias FROM model_aliases a WHERE a.name = v.name"                         \
    " AND a.version = v.version AND a.alias IN ('champion', 'previous', 'challenger')"   \
    " ORDER BY a.alias = 'champion' DESC, a.alias = 'previous' DESC LIMIT 1)"
#define ROW_COLUMNS                                                                      \
    "v.name, v.version, v.model_seq, " ALIAS_OF_V " AS alias, v.algorithm,"              \
    " v.content_sha256, fc_ms(v.created), "

static void copy_text(char *to, size_t cap, const struct pg_rows *r, int row, int col)
{
    snprintf(to, cap, "%s", pg_get_text(r, row, col));
}

static void fill_row(struct model_row *m, const struct pg_rows *r, int row)
{
    *m = (struct model_row){0};
    copy_text(m->name, sizeof m->name, r, row, 0);
    m->version = (int)pg_get_int(r, row, 1);
    m->model_seq = pg_get_int(r, row, 2);
    copy_text(m->alias, sizeof m->alias, r, row, 3);
    copy_text(m->algorithm, sizeof m->algorithm, r, row, 4);
    copy_text(m->content_sha256, sizeof m->content_sha256, r, row, 5);
    m->created_ms = pg_get_int(r, row, 6);
    if (pg_is_null(r, row, 7))
        return;
    m->document = xstrdup(pg_get_text(r, row, 7));
    m->document_len = strlen(m->document);
}

void model_row_done(struct model_row *r)
{
    free(r->document);
    r->document = NULL;
}

int registry_models_since(struct pg *p, int64_t after, bool champions, int limit,
                          void (*each)(void *arg, const struct model_row *row), void *arg,
                          struct err *e)
{
    struct pg_rows *r;
    if (pg_exec(p,
                "SELECT " ROW_COLUMNS "CASE WHEN " ALIAS_OF_V " IS NULL THEN NULL"
                " ELSE v.document END FROM model_versions v"
                " WHERE v.model_seq > $1 AND ($3 = 0 OR EXISTS (SELECT 1"
                " FROM model_aliases c WHERE c.name = v.name AND c.version = v.version"
                " AND c.alias = 'champion')) ORDER BY v.model_seq LIMIT $2",
                PG_ARGS(pg_int(after), pg_int(limit), pg_int(champions)), &r, e))
        return -1;
    int n = pg_rows_n(r);
    for (int i = 0; i < n; i++) {
        struct model_row m;
        fill_row(&m, r, i);
        each(arg, &m);
        model_row_done(&m);
    }
    pg_rows_free(r);
    return n;
}

int registry_models_seq(struct pg *p, int64_t *seq, struct err *e)
{
    struct pg_rows *r;
    if (pg_exec(p, "SELECT coalesce(max(model_seq), 0) FROM model_versions", PG_NONE, &r,
                e))
        return -1;
    *seq = pg_get_int(r, 0, 0);
    pg_rows_free(r);
    return 0;
}

/* Which of model, version, alias is missing. Returns -1. */
static int missing(struct pg *p, const char *name, int version, const char *alias,
                   struct err *e)
{
    struct pg_rows *r;
    if (pg_exec(p, "SELECT 1 FROM models WHERE name = $1", PG_ARGS(pg_text(name)), &r, e))
        return -1;
    bool known = pg_rows_n(r);
    pg_rows_free(r);
    if (!known)
        return err_set(e, ERR_NOT_FOUND, "there is no model \"%s\"", name);
    if (version)
        return err_set(e, ERR_NOT_FOUND, "model \"%s\" has no version %d", name, version);
    return err_set(e, ERR_NOT_FOUND, "model \"%s\" has no alias \"%s\"", name, alias);
}

int registry_model_get(struct pg *p, const char *name, int version, const char *alias,
                       struct model_row *row, struct err *e)
{
    *row = (struct model_row){0};
    struct pg_rows *r;
    if (pg_exec(p,
                "SELECT " ROW_COLUMNS "v.document FROM model_versions v"
                " WHERE v.name = $1 AND v.version = CASE WHEN $2 > 0 THEN $2::int ELSE"
                " (SELECT version FROM model_aliases WHERE name = $1 AND alias = $3) END",
                PG_ARGS(pg_text(name), pg_int(version), pg_text(alias)), &r, e))
        return -1;
    int rc = pg_rows_n(r) ? 0 : missing(p, name, version, alias, e);
    if (!rc)
        fill_row(row, r, 0);
    pg_rows_free(r);
    return rc;
}

/* The size is not stored, but the number of rows is. */
static unsigned char *unpack(const unsigned char *packed, size_t packed_len, size_t n,
                             size_t *len)
{
    uLongf size = (uLongf)n * MODEL_ROW_MAX;
    unsigned char *rows = xmalloc(size + 1);
    if (uncompress(rows, &size, packed, packed_len) == Z_OK && n && size % n == 0) {
        *len = size;
        return rows;
    }
    free(rows);
    return NULL;
}

int registry_model_rows(struct pg *p, const char *name, int version, unsigned char **rows,
                        size_t *n, size_t *len, struct err *e)
{
    struct pg_rows *r;
    *rows = NULL;
    if (pg_exec(p,
                "SELECT training_rows, rows_n FROM model_versions"
                " WHERE name = $1 AND version = $2",
                PG_ARGS(pg_text(name), pg_int(version)), &r, e))
        return -1;
    int rc = 0;
    size_t packed_len = 0;
    unsigned char *packed = NULL;
    if (!pg_rows_n(r))
        rc = missing(p, name, version, NULL, e);
    else if (!(packed = pg_get_bytes(r, 0, 0, &packed_len)))
        rc = err_set(e, ERR_NOT_FOUND,
                     "version %d of model \"%s\" was stored without training rows",
                     version, name);
    int64_t claimed = rc ? 0 : pg_get_int(r, 0, 1);
    pg_rows_free(r);
    if (!rc && (claimed < 0 || claimed > MODEL_ROWS_MAX))
        rc = err_kind(e, ERR_INTERNAL, "rows_damaged",
                      "version %d of model \"%s\" claims %lld rows", version, name,
                      (long long)claimed);
    *n = (size_t)claimed;
    if (!rc && !(*rows = unpack(packed, packed_len, *n, len)))
        rc = err_kind(e, ERR_INTERNAL, "rows_damaged",
                      "the training rows of version %d of model \"%s\" are damaged",
                      version, name);
    free(packed);
    return rc;
}

#define ROWS_LEVEL 4 /* of zlib: rows become no smaller with more, which takes longer */

/* ---- writing --------------------------------------------------------------------- */

/* The next free number; holds the model's row until the end of the transaction, so that
 * two writers cannot take the same one. */
static int next_version(struct pg *p, const char *name, int *version, struct err *e)
{
    struct pg_rows *r;
    if (pg_exec(p, "INSERT INTO models VALUES ($1, $2) ON CONFLICT (name) DO NOTHING",
                PG_ARGS(pg_text(name), pg_time(clock_now_ms())), NULL, e) ||
        pg_exec(p, "SELECT 1 FROM models WHERE name = $1 FOR UPDATE",
                PG_ARGS(pg_text(name)), NULL, e) ||
        pg_exec(p,
                "SELECT coalesce(max(version), 0) + 1 FROM model_versions"
                " WHERE name = $1",
                PG_ARGS(pg_text(name)), &r, e))
        return -1;
    *version = (int)pg_get_int(r, 0, 0);
    pg_rows_free(r);
    return 0;
}

int registry_model_insert(struct pg *p, const struct model_new_version *v, int *version,
                          struct err *e)
{
    if (!v->rows_n || v->rows_n > MODEL_ROWS_MAX || v->rows_len % v->rows_n ||
        v->rows_len / v->rows_n > MODEL_ROW_MAX)
        return err_set(e, ERR_INVALID, "%zu bytes are not %zu canonical training rows",
                       v->rows_len, v->rows_n);
    if (next_version(p, v->name, version, e))
        return -1;
    uLongf packed_len = compressBound(v->rows_len);
    unsigned char *packed = xmalloc(packed_len);
    char sha256[SHA256_HEX_SIZE];
    char *metrics = v->metrics ? json_dumps(v->metrics, JSON_COMPACT) : NULL;
    sha256_hex(v->document, strlen(v->document), sha256);
    int rc = compress2(packed, &packed_len, v->rows, v->rows_len, ROWS_LEVEL) == Z_OK
                 ? 0
                 : err_set(e, ERR_INTERNAL, "could not compress %zu bytes of rows",
                           v->rows_len);
    if (!rc)
        rc = pg_exec(
            p,
            "INSERT INTO model_versions (name, version, algorithm, document,"
            " content_sha256, rows_from, rows_to, rows_n, rows_sha256, training_rows,"
            " metrics, run_id, created) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10,"
            " coalesce($11::jsonb, '{}'), $12, $13)",
            PG_ARGS(pg_text(v->name), pg_int(*version), pg_text(v->algorithm),
                    pg_text(v->document), pg_text(sha256), pg_time(v->rows_from_ms),
                    pg_time(v->rows_to_ms), pg_int((int64_t)v->rows_n),
                    pg_text(v->rows_sha256), pg_bytes(packed, packed_len),
                    pg_text(metrics), pg_text(v->run_id), pg_time(clock_now_ms())),
            NULL, e);
    free(metrics);
    free(packed);
    return rc;
}

int registry_models_forget(struct pg *p, int keep, struct err *e)
{
    return pg_exec(
        p,
        "DELETE FROM model_versions v USING (SELECT name, max(version) - $1::int AS last"
        "  FROM model_versions GROUP BY name) newest"
        " WHERE v.name = newest.name AND v.version <= newest.last"
        " AND NOT EXISTS (SELECT 1 FROM model_aliases a"
        "  WHERE a.name = v.name AND a.version = v.version)"
        " AND NOT EXISTS (SELECT 1 FROM decisions d"
        "  WHERE d.series = v.name AND v.version IN (d.version, d.previous))",
        PG_ARGS(pg_int(keep)), NULL, e);
}

int registry_lock(struct pg *p, struct err *e)
{
    return pg_exec(p, "SELECT pg_advisory_xact_lock(4202)", PG_NONE, NULL, e);
}

int registry_champion(struct pg *p, const char *name, int *version, struct err *e)
{
    struct pg_rows *r;
    if (pg_exec(p,
                "SELECT version FROM model_aliases"
                " WHERE name = $1 AND alias = 'champion'",
                PG_ARGS(pg_text(name)), &r, e))
        return -1;
    *version = pg_rows_n(r) ? (int)pg_get_int(r, 0, 0) : 0;
    pg_rows_free(r);
    return 0;
}

int registry_judged_against(struct pg *p, const char *name, int version, int *champion,
                            struct err *e)
{
    struct pg_rows *r;
    if (pg_exec(p,
                "SELECT coalesce((evidence->>'champion')::int, 0) FROM decisions"
                " WHERE series = $1 AND evidence->'challenger' = to_jsonb($2::int)"
                " AND kind IN ('promote', 'kept') ORDER BY id LIMIT 1",
                PG_ARGS(pg_text(name), pg_int(version)), &r, e))
        return -1;
    *champion = pg_rows_n(r) ? (int)pg_get_int(r, 0, 0) : 0;
    pg_rows_free(r);
    return 0;
}

int registry_challenger(struct pg *p, const char *name, int version, struct err *e)
{
    return pg_exec(p, "SELECT fc_challenge($1, $2)",
                   PG_ARGS(pg_text(name), pg_int(version)), NULL, e);
}

/* Evidence as text for a jsonb parameter; owned. */
static char *evidence_text(const json_t *evidence)
{
    char *text = evidence ? json_dumps(evidence, JSON_COMPACT) : NULL;
    return text ? text : xstrdup("{}");
}

int registry_promote(struct pg *p, const char *name, int version, const char *actor,
                     const char *reason, const json_t *evidence, struct err *e)
{
    char *text = evidence_text(evidence);
    int rc = pg_exec(p, "SELECT fc_promote($1, $2, $3, $4, $5)",
                     PG_ARGS(pg_text(name), pg_int(version), pg_text(actor),
                             pg_text(reason), pg_text(text)),
                     NULL, e);
    free(text);
    return rc;
}

int registry_decide(struct pg *p, const char *series, const char *kind, int version,
                    int previous, const char *actor, const char *reason,
                    const json_t *evidence, struct err *e)
{
    char *text = evidence_text(evidence);
    int rc =
        pg_exec(p, "SELECT fc_decide($1, $2, nullif($3, 0), nullif($4, 0), $5, $6, $7)",
                PG_ARGS(pg_text(series), pg_text(kind), pg_int(version), pg_int(previous),
                        pg_text(actor), pg_text(reason), pg_text(text)),
                NULL, e);
    free(text);
    return rc;
}

/* ---- as JSON --------------------------------------------------------------------- */

#define ALIASES_OF_M                                                                     \
    "(SELECT coalesce(json_object_agg(alias, version ORDER BY alias), '{}')"             \
    " FROM model_aliases a WHERE a.name = m.name)"
/* the newest hundred */
#define VERSIONS_OF_M                                                                    \
    "(SELECT coalesce(json_agg(json_build_object('version', version, 'algorithm',"       \
    " algorithm, 'created', fc_rfc3339(created), 'content_sha256', content_sha256,"      \
    " 'run_id', run_id, 'metrics', metrics, 'training', json_build_object('from',"       \
    " fc_rfc3339(rows_from), 'to', fc_rfc3339(rows_to), 'rows', rows_n, 'sha256',"       \
    " rows_sha256)) ORDER BY version DESC), '[]') FROM (SELECT * FROM model_versions v"  \
    " WHERE v.name = m.name ORDER BY version DESC LIMIT 100) newest)"

json_t *registry_model_json(struct pg *p, const char *name, struct err *e)
{
    char what[SERIES_MAX + 16];
    snprintf(what, sizeof what, "model \"%s\"", name);
    return pg_exec_json(
        p,
        "SELECT json_build_object('name', m.name, 'aliases', " ALIASES_OF_M
        ", 'versions', " VERSIONS_OF_M ") FROM models m WHERE m.name = $1",
        PG_ARGS(pg_text(name)), what, e);
}

json_t *registry_models_json(struct pg *p, const char *after, int limit, struct err *e)
{
    return pg_exec_json(
        p,
        "SELECT coalesce(json_agg(json_build_object('name', m.name, 'created',"
        " fc_rfc3339(m.created), 'aliases', " ALIASES_OF_M
        ", 'latest', (SELECT max(version) FROM model_versions v WHERE v.name = m.name))"
        " ORDER BY m.name), '[]')"
        " FROM (SELECT * FROM models WHERE name > $1 ORDER BY name LIMIT $2) m",
        PG_ARGS(pg_text(after), pg_int(limit)), NULL, e);
}
