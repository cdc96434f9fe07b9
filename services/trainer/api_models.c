/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/json.h"
#include "common/ml/model.h"
#include "common/registry_models.h"
#include "services/trainer/api.h"
#include "services/trainer/verify.h"

/* What the path names: a model, and a version by number or alias. */
struct target {
    char name[SERIES_MAX + 1];
    int version;       /* 0: by alias */
    const char *alias; /* borrowed from the request */
};

/* The canonical spelling of a series; other names are looked for as they are. */
static int parse_name(const char *text, char name[SERIES_MAX + 1], struct err *e)
{
    char device[DEVICE_MAX + 1], quantity[QUANTITY_MAX + 1];
    if (series_split(text, name, device, quantity, NULL) &&
        snprintf(name, SERIES_MAX + 1, "%s", text) > SERIES_MAX)
        return err_set(e, ERR_NOT_FOUND, "there is no model \"%.60s...\"", text);
    return 0;
}

static int parse_target(const struct req *q, struct target *t, struct err *e)
{
    const char *v = q->params[1];
    char *end;
    *t = (struct target){.alias = v};
    if (parse_name(q->params[0], t->name, e))
        return -1;
    if (!isdigit((unsigned char)*v) && *v != '-' && *v != '+')
        return 0;
    errno = 0;
    long n = strtol(v, &end, 10);
    if (errno || *end || n < 1 || n > INT_MAX)
        return err_set(e, ERR_INVALID,
                       "a version is a whole number from 1, or an alias, not \"%.60s\"",
                       v);
    t->version = (int)n;
    return 0;
}

/* The version with its document, from a connection of the pool. */
static int fetch(void *app, const struct req *q, struct model_row *row, struct err *e)
{
    struct target t;
    if (parse_target(q, &t, e))
        return -1;
    struct pg *pg = api_pg(app, e);
    if (!pg)
        return -1;
    int rc = registry_model_get(pg, t.name, t.version, t.alias, row, e);
    pg_pool_put(((struct trainer *)app)->pool, pg);
    return rc;
}

int api_get_models(void *app, const struct req *q, struct res *s, struct err *e)
{
    const char *after = req_query(q, "cursor");
    int limit;
    if (api_limit(q, &limit, e))
        return -1;
    struct pg *pg = api_pg(app, e);
    if (!pg)
        return -1;
    json_t *models = registry_models_json(pg, after ? after : "", limit, e);
    pg_pool_put(((struct trainer *)app)->pool, pg);
    if (!models)
        return -1;
    size_t n = json_array_size(models);
    char next[SERIES_MAX + 1] = "";
    if (n == (size_t)limit)
        snprintf(
            next, sizeof next, "%s",
            json_string_value(json_object_get(json_array_get(models, n - 1), "name")));
    return res_items(s, models, *next ? next : NULL, e);
}

int api_get_model(void *app, const struct req *q, struct res *s, struct err *e)
{
    char name[SERIES_MAX + 1];
    if (parse_name(q->params[0], name, e))
        return -1;
    struct pg *pg = api_pg(app, e);
    if (!pg)
        return -1;
    json_t *model = registry_model_json(pg, name, e);
    pg_pool_put(((struct trainer *)app)->pool, pg);
    return model ? res_json(s, model, e) : -1;
}

/* The very bytes that content_sha256 is of. */
int api_get_version(void *app, const struct req *q, struct res *s, struct err *e)
{
    struct model_row row;
    if (fetch(app, q, &row, e))
        return -1;
    int rc = buf_add(&s->body, row.document, row.document_len)
                 ? err_set(e, ERR_TOO_LARGE, "the document is too large to be sent")
                 : 0;
    model_row_done(&row);
    return rc;
}

int api_get_rows(void *app, const struct req *q, struct res *s, struct err *e)
{
    struct model_row row;
    struct verify_rows r = {0};
    if (fetch(app, q, &row, e))
        return -1;
    struct model *m = verify_model(&row, e);
    struct pg *pg = m ? api_pg(app, e) : NULL;
    int rc = pg ? verify_rows(pg, &row, m, &r, e) : -1;
    if (pg)
        pg_pool_put(((struct trainer *)app)->pool, pg);
    if (!rc && verify_csv(&s->body, row.name, &r.h))
        rc = err_set(e, ERR_TOO_LARGE, "the rows are too many to be sent");
    s->type = "text/csv; charset=utf-8";
    snprintf(s->filename, sizeof s->filename, "%.70s_v%d.csv", row.name, row.version);
    verify_rows_done(&r);
    model_free(m);
    model_row_done(&row);
    return rc;
}

/* ---- promote --------------------------------------------------------------------- */

static int parse_reason(const struct req *q, char reason[501], struct err *e)
{
    static const char *const fields[] = {"reason", NULL};
    const char *text;
    json_t *body = req_json_object(q, e);
    if (!body)
        return -1;
    int rc = api_only(body, fields, e) || json_get_string(body, "reason", &text, 500, e);
    if (!rc && !*text)
        rc = err_set(e, ERR_INVALID, "field \"reason\" must not be empty");
    if (!rc)
        snprintf(reason, 501, "%s", text);
    json_decref(body);
    return rc ? -1 : 0;
}

static int promote(struct pg *pg, const struct model_row *row, const char *role,
                   const char *reason, struct err *e)
{
    json_t *evidence =
        json_pack("{s:s, s:s}", "by", "request", "content_sha256", row->content_sha256);
    int rc = pg_begin(pg, e);
    if (!rc)
        rc = registry_promote(pg, row->name, row->version, role, reason, evidence, e);
    if (!rc)
        rc = pg_commit(pg, e);
    pg_rollback(pg);
    json_decref(evidence);
    return rc;
}

int api_promote(void *app, const struct req *q, struct res *s, struct err *e)
{
    char reason[501];
    struct model_row row;
    if (parse_reason(q, reason, e) || fetch(app, q, &row, e))
        return -1;
    json_t *answer = NULL;
    struct pg *pg = NULL;
    struct model *m = model_parse(row.document, row.document_len, e);
    if (!m) { /* what cannot be served is not promoted */
        e->code = ERR_CONFLICT;
        err_prefix(e, "version %d of %s cannot serve", row.version, row.name);
    } else if ((pg = api_pg(app, e))) {
        if (!promote(pg, &row, role_name(q->who), reason, e))
            answer = registry_model_json(pg, row.name, e);
        pg_pool_put(((struct trainer *)app)->pool, pg);
    }
    model_free(m);
    model_row_done(&row);
    return answer ? res_json(s, answer, e) : -1;
}

int api_verify(void *app, const struct req *q, struct res *s, struct err *e)
{
    struct model_row row;
    if (fetch(app, q, &row, e))
        return -1;
    json_t *answer = NULL;
    struct pg *pg = api_pg(app, e);
    if (pg) {
        answer = verify_version(pg, &((struct trainer *)app)->set, &row, e);
        pg_pool_put(((struct trainer *)app)->pool, pg);
    }
    model_row_done(&row);
    return answer ? res_json(s, answer, e) : -1;
}
