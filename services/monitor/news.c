/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The part of load.h that looks for what is new: champions and ended jobs. */
#include "services/monitor/load.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "common/clock.h"
#include "common/json.h"
#include "common/log.h"
#include "common/ml/algo.h"
#include "common/registry_series.h"

#define PAGE 1000
#define DOCUMENTS 200 /* of one query: a few kB each */

/* ---- champions ----------------------------------------------------------- */

/* What training saw of each lag feature, frozen; lags beyond the window cannot be tested.
 * A model on logs has it on another scale. */
static void reference(struct champion *c, const json_t *doc)
{
    const json_t *f = json_object_get(doc, "features"),
                 *s = json_object_get(doc, "scaling");
    const json_t *lags = json_object_get(f, "lags"), *lag;
    const char *transform = json_string_value(json_object_get(f, "transform"));
    size_t i;
    if (!transform || strcmp(transform, "none") != 0)
        return;
    json_array_foreach((json_t *)lags, i, lag)
    {
        int64_t hours = json_integer_value(lag);
        const json_t *mean = json_array_get(json_object_get(s, "mean"), i),
                     *sd = json_array_get(json_object_get(s, "std"), i);
        if (c->n_lags == REFERENCE_MAX || hours < 1 || hours >= WINDOW_HOURS - 4 ||
            !json_is_number(mean) || !json_is_number(sd))
            continue;
        c->lags[c->n_lags] = (short)hours;
        c->mean[c->n_lags] = json_number_value(mean);
        c->sd[c->n_lags++] = json_number_value(sd);
    }
}

static void new_champion(void *arg, const struct champion_row *row)
{
    struct monitor *m = arg;
    m->model_seq = row->model_seq;
    struct tracked *t = fleet_find(&m->fleet, row->name);
    if (!t)
        return;
    struct champion *c = t->champion;
    const struct algo *a = algo_find(row->algorithm);
    fleet_lock(&m->fleet);
    if (c->version != row->version) { /* what was said of its predecessor */
        t->verdicts = (struct verdicts){
            .silent = t->verdicts.silent, .stuck = t->verdicts.stuck, .z_max = NAN};
    }
    *c = (struct champion){
        .version = row->version,
        .rows = row->rows,
        .lead1_sd = NAN,
        .baseline = a && a->baseline,
    };
    snprintf(t->algorithm, sizeof t->algorithm, "%s", row->algorithm);
    int64_t now_ms = clock_now_ms(); /* by a clock that was ahead it is not born yet */
    t->born_ms = clock_hour_floor(row->born_ms < now_ms ? row->born_ms : now_ms);
    fleet_unlock(&m->fleet);
}

int load_champions(struct monitor *m, int64_t newest, struct err *e)
{
    if (newest <= m->model_seq)
        return 0;
    int n;
    while ((n = registry_champions_since(m->pg, m->model_seq, PAGE, new_champion, m,
                                         e)) == PAGE)
        ;
    if (n < 0)
        return -1;
    if (m->model_seq < newest)
        m->model_seq = newest;
    return 0;
}

/* Hours with a value of those it was trained on: a series with holes has grown when more
 * of these are there. Of a full history all rows count, as no more will come. */
static int with_value(int rows, const json_t *doc)
{
    double missing = json_number_value(
        json_object_get(json_object_get(doc, "metrics"), "missing_hours"));
    return rows < FULL_HISTORY_H && missing > 0 && missing < rows ? rows - (int)missing
                                                                  : rows;
}

static void on_document(void *arg, const char *name, int version, const char *document)
{
    struct monitor *m = arg;
    struct err e = ERR_INIT;
    struct tracked *t = fleet_find(&m->fleet, name);
    if (!t || t->champion->version != version || t->champion->read)
        return;
    json_t *doc = json_parse(document, strlen(document), "it", &e);
    if (!doc)
        log_warn("the document of %s version %d cannot be read: %s", name, version,
                 e.text);
    const json_t *sd = json_object_get(
        json_object_get(json_object_get(doc, "baseline"), "error"), "lead1_sd");
    fleet_lock(&m->fleet);
    t->champion->read = true;
    t->champion->rows = with_value(t->champion->rows, doc);
    t->champion->lead1_sd = json_is_number(sd) ? json_number_value(sd) : NAN;
    reference(t->champion, doc);
    fleet_unlock(&m->fleet);
    json_decref(doc);
}

int load_references(struct monitor *m, struct tracked *const *list, size_t n,
                    struct err *e)
{
    const char *names[DOCUMENTS];
    size_t i = 0;
    while (i < n) {
        size_t k = 0;
        for (; i < n && k < DOCUMENTS; i++)
            if (list[i]->champion->version && !list[i]->champion->read)
                names[k++] = list[i]->name;
        if (k && registry_champion_documents(m->pg, names, k, on_document, m, e))
            return -1;
    }
    return 0;
}

/* ---- jobs ---------------------------------------------------------------- */

int load_jobs(struct monitor *m, struct err *e)
{
    struct buf ids;
    struct pg_rows *r;
    int n = 0;
    buf_init(&ids, 8u << 20);
    for (size_t i = 0; i < m->fleet.n; i++)
        if (m->fleet.all[i]->job)
            buf_addf(&ids, "%c%" PRId64, n++ ? ',' : '{', m->fleet.all[i]->job);
    buf_addc(&ids, '}');
    int rc = 0;
    if (n)
        rc = pg_exec(
            m->pg,
            "SELECT series, id, outcome, state FROM jobs WHERE id = ANY($1::bigint[])"
            " AND state NOT IN ('queued', 'running')",
            PG_ARGS(pg_text(ids.data)), &r, e);
    buf_done(&ids);
    if (!n || rc)
        return rc;
    fleet_lock(&m->fleet);
    for (int i = 0; i < pg_rows_n(r); i++) {
        struct tracked *t = fleet_find(&m->fleet, pg_get_text(r, i, 0));
        if (!t || t->job != pg_get_int(r, i, 1))
            continue;
        loop_ended(&t->loop, !strcmp(pg_get_text(r, i, 2), "promoted"));
        t->job = 0;
        t->asked_for = REASON_NONE;
    }
    fleet_unlock(&m->fleet);
    pg_rows_free(r);
    return 0;
}
