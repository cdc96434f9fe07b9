/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "services/predictor/unknown.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/clock.h"
#include "common/reading.h"

#define NAMES_MAX 2000 /* names of the catalogue compared with an unknown one */
#define SHOWN 3
#define HOURS_NEEDED 24
#define WINDOW_MS (56 * 24 * HOUR_MS) /* what a training looks back at most */

struct influx *unknown_influx(const struct predictor *p)
{
    const struct predictor_settings *s = &p->set;
    return influx_new(&s->influx);
}

unsigned unknown_distance(const char *a, const char *b)
{
    unsigned row[SERIES_MAX + 2];
    size_t n = strlen(b);
    if (strlen(a) > SERIES_MAX || n > SERIES_MAX)
        return 255;
    for (size_t k = 0; k <= n; k++)
        row[k] = (unsigned)k;
    for (; *a; a++) {
        unsigned corner = row[0]++;
        for (size_t k = 1; k <= n; k++) {
            unsigned change = corner + (*a != b[k - 1]);
            unsigned shift = (row[k] < row[k - 1] ? row[k] : row[k - 1]) + 1;
            corner = row[k];
            row[k] = change < shift ? change : shift;
        }
    }
    return row[n];
}

/* "; close to it: a, b", or nothing. */
static void close_names(struct pg *pg, const char *name, char *out, size_t cap)
{
    struct pg_rows *r;
    *out = '\0';
    if (pg_exec(pg, "SELECT name FROM series ORDER BY device = $1 DESC, name LIMIT $2",
                PG_ARGS(pg_text(strndupa(name, strcspn(name, "."))), pg_int(NAMES_MAX)),
                &r, NULL))
        return;
    const char *best[SHOWN] = {NULL};
    unsigned far[SHOWN], limit = (unsigned)strlen(name) / 2, n = 0;
    for (int i = 0; i < pg_rows_n(r); i++) {
        const char *other = pg_get_text(r, i, 0);
        unsigned d = unknown_distance(name, other), k;
        if (d > limit || (n == SHOWN && d >= far[n - 1]))
            continue;
        for (k = n < SHOWN ? n++ : n - 1; k && far[k - 1] > d; k--) {
            best[k] = best[k - 1];
            far[k] = far[k - 1];
        }
        best[k] = other;
        far[k] = d;
    }
    for (unsigned i = 0; i < n; i++) {
        size_t len = strlen(out);
        snprintf(out + len, cap - len, "%s%s", i ? ", " : "; close to it: ", best[i]);
    }
    pg_rows_free(r);
}

/* Complete hours of the last eight weeks; -1 when InfluxDB cannot be asked. */
static int64_t count_hours(const struct predictor *p, const char *name)
{
    const char *dot = strchr(name, '.');
    struct influx *in = unknown_influx(p);
    struct err ignored = ERR_INIT;
    struct buf q;
    json_t *answer;
    int64_t now = clock_now_ms(), n = -1;
    buf_init(&q, 4096);
    buf_adds(&q, "SELECT count(");
    influx_ql_ident(&q, dot + 1);
    buf_adds(&q, ") FROM \"hourly\" WHERE \"device\" = ");
    influx_ql_string(&q, strndupa(name, (size_t)(dot - name)));
    buf_adds(&q, " AND ");
    influx_ql_range(&q, now - WINDOW_MS, now + HOUR_MS);
    if (influx_query(in, q.data, &answer, &ignored) == 0) {
        const json_t *values = json_object_get(json_array_get(answer, 0), "values");
        n = json_integer_value(json_array_get(json_array_get(values, 0), 1));
        json_decref(answer);
    }
    buf_done(&q);
    influx_free(in);
    return n;
}

static int no_model_yet(const char *name, const char *state, int64_t hours, struct err *e)
{
    char text[160] = "";
    if (hours >= HOURS_NEEDED)
        snprintf(text, sizeof text,
                 "%" PRId64
                 " complete hours are there, and its first training has not ended",
                 hours);
    else if (hours >= 0)
        snprintf(text, sizeof text, "%" PRId64 " of %d complete hours are there", hours,
                 HOURS_NEEDED);
    else
        snprintf(text, sizeof text, "a first training takes %d complete hours",
                 HOURS_NEEDED);
    bool active = !*state || !strcmp(state, "active");
    return err_kind(e, ERR_CONFLICT, "no_model_yet", "%s has no model yet: %s%s%s", name,
                    text, active ? "" : "; the series is ", active ? "" : state);
}

/* The row of the catalogue: 1 found, 0 not, -1 with *e. */
static int look_up(struct pg *pg, const char *name, char *state, size_t cap,
                   struct err *e)
{
    struct pg_rows *r;
    *state = '\0';
    if (pg_exec(pg, "SELECT state FROM series WHERE name = $1", PG_ARGS(pg_text(name)),
                &r, e))
        return -1;
    int found = pg_rows_n(r) > 0;
    if (found)
        snprintf(state, cap, "%s", pg_get_text(r, 0, 0));
    pg_rows_free(r);
    return found;
}

/* Says in *e that there is no such series. Returns -1. */
static int not_there(struct pg *pg, const char *name, struct err *e)
{
    char near[SHOWN * (SERIES_MAX + 2) + 32];
    close_names(pg, name, near, sizeof near);
    return err_kind(e, ERR_NOT_FOUND, "unknown_series", "there is no series \"%s\"%s",
                    name, near);
}

void unknown_model(struct predictor *p, const char *name, struct err *e)
{
    char state[32];
    struct pg *pg = pg_pool_get(p->pool, e);
    if (!pg)
        return;
    int found = look_up(pg, name, state, sizeof state, e);
    if (found < 0) {
        err_prefix(e, "%s has no model in memory", name);
    } else {
        int64_t hours = count_hours(p, name);
        if (found || hours > 0)
            no_model_yet(name, state, hours, e);
        else
            not_there(pg, name, e);
    }
    pg_pool_put(p->pool, pg);
}

int unknown_series(struct predictor *p, const char *name, struct err *e)
{
    char state[32];
    if (models_find(p->models, name))
        return 0;
    struct pg *pg = pg_pool_get(p->pool, e);
    if (!pg)
        return -1;
    int found = look_up(pg, name, state, sizeof state, e);
    if (!found)
        not_there(pg, name, e);
    pg_pool_put(p->pool, pg);
    return found > 0 ? 0 : -1;
}
