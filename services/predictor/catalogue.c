/* SPDX-License-Identifier: GPL-3.0-or-later */
/* GET /api/v1/series: the catalogue, with the last value and who forecasts. */
#include <math.h>
#include <string.h>

#include "common/clock.h"
#include "common/json.h"
#include "common/reading.h"
#include "services/predictor/api.h"
#include "services/predictor/predictor.h"

#define LIMIT_MAX 1000

static const char sql[] =
    "SELECT s.name, s.device, s.quantity, s.unit, s.location, s.tz, s.state,"
    " fc_ms(st.last_hour), st.last_value, v.version, v.algorithm"
    " FROM series s LEFT JOIN series_state st ON st.series = s.name"
    " LEFT JOIN model_aliases a ON a.name = s.name AND a.alias = 'champion'"
    " LEFT JOIN model_versions v ON v.name = a.name AND v.version = a.version"
    " WHERE s.name > $1 ORDER BY s.name LIMIT $2";

/* The newer of the last live reading and the last complete hour. */
static json_t *last_value(struct predictor *p, const struct pg_rows *r, int row)
{
    int64_t t_ms = pg_is_null(r, row, 7) ? NO_TIME : pg_get_int(r, row, 7), live_ms;
    double value = pg_get_real(r, row, 8), live;
    char text[CLOCK_RFC3339_SIZE];
    struct series *s = models_find(p->models, pg_get_text(r, row, 0));
    if (s && live_last(p->live, s, &live_ms, &live) && live_ms >= t_ms) {
        t_ms = live_ms;
        value = live;
    }
    if (t_ms == NO_TIME)
        return json_null();
    return json_pack("{s:s, s:o}", "time", clock_format(t_ms, text), "value",
                     json_number(value));
}

static json_t *text_or_null(const struct pg_rows *r, int row, int col)
{
    return pg_is_null(r, row, col) ? json_null() : json_string(pg_get_text(r, row, col));
}

static json_t *item(struct predictor *p, const struct pg_rows *r, int row)
{
    static const char *const keys[] = {"name",     "device", "quantity", "unit",
                                       "location", "tz",     "state"};
    json_t *j = json_object();
    for (int i = 0; i < 7; i++)
        json_object_set_new(j, keys[i], text_or_null(r, row, i));
    json_object_set_new(j, "last", last_value(p, r, row));
    json_object_set_new(j, "champion",
                        pg_is_null(r, row, 9)
                            ? json_null()
                            : json_pack("{s:I, s:s}", "version",
                                        (json_int_t)pg_get_int(r, row, 9), "algorithm",
                                        pg_get_text(r, row, 10)));
    return j;
}

int catalogue_get(void *app, const struct req *q, struct res *s, struct err *e)
{
    struct predictor *p = app;
    const char *after = req_query(q, "cursor");
    int64_t limit = 100;
    if (req_query_int(q, "limit", &limit, 1, LIMIT_MAX, e))
        return -1;
    if (after && strlen(after) > SERIES_MAX)
        return err_set(e, ERR_INVALID,
                       "parameter \"cursor\" is not one that a list gave");
    struct pg *pg = pg_pool_get(p->pool, e);
    struct pg_rows *r;
    if (!pg)
        return -1;
    int rc =
        pg_exec(pg, sql, PG_ARGS(pg_text(after ? after : ""), pg_int(limit + 1)), &r, e);
    pg_pool_put(p->pool, pg);
    if (rc)
        return -1;
    int n = pg_rows_n(r), shown = n > limit ? (int)limit : n;
    json_t *items = json_array();
    for (int i = 0; i < shown; i++)
        json_array_append_new(items, item(p, r, i));
    rc = res_items(s, items, n > shown ? pg_get_text(r, shown - 1, 0) : NULL, e);
    pg_rows_free(r);
    return rc;
}
