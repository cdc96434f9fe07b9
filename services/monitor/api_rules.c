/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdlib.h>
#include <string.h>

#include "common/json.h"
#include "common/log.h"
#include "common/mem.h"
#include "common/registry_decisions.h"
#include "common/registry_series.h"
#include "services/monitor/api.h"
#include "services/monitor/load.h"
#include "services/monitor/monitor.h"

#define PAGE_MAX 1000

static json_t *rule_json(const struct tracked *t)
{
    json_t *j = json_object(), *set = json_loads(t->settings, 0, NULL);
    json_object_set_new(j, "series", json_string(t->name));
    json_object_set_new(j, "state", json_string(tracked_state(t)));
    json_object_set_new(j, "settings", set ? set : json_object());
    json_object_set_new(j, "effective", rules_json(&t->rules));
    return j;
}

int get_rules(void *app, const struct req *q, struct res *s, struct err *e)
{
    struct monitor *m = app;
    const char *after = req_query(q, "after");
    int64_t limit = 100;
    char next[SERIES_MAX + 1] = "";
    if (req_query_int(q, "limit", &limit, 1, PAGE_MAX, e))
        return -1;
    json_t *items = json_array();
    fleet_lock(&m->fleet);
    size_t i = fleet_after(&m->fleet, after ? after : ""), end = i + (size_t)limit;
    for (; i < m->fleet.n && i < end; i++)
        json_array_append_new(items, rule_json(m->fleet.all[i]));
    if (i && i < m->fleet.n)
        snprintf(next, sizeof next, "%s", m->fleet.all[i - 1]->name);
    fleet_unlock(&m->fleet);
    return res_items(s, items, *next ? next : NULL, e);
}

/* The series that the path names, under the view lock; -1 unlocks again. */
static int find_locked(struct monitor *m, const struct req *q, struct tracked **t,
                       struct err *e)
{
    char name[SERIES_MAX + 1], device[DEVICE_MAX + 1], quantity[QUANTITY_MAX + 1];
    if (series_split(q->params[0], name, device, quantity, e))
        return -1;
    fleet_lock(&m->fleet);
    *t = fleet_find(&m->fleet, name);
    if (*t)
        return 0;
    fleet_unlock(&m->fleet);
    return err_set(e, ERR_NOT_FOUND, "there is no series \"%s\"", name);
}

int get_rule(void *app, const struct req *q, struct res *s, struct err *e)
{
    struct monitor *m = app;
    struct tracked *t;
    if (find_locked(m, q, &t, e))
        return -1;
    json_t *j = rule_json(t);
    fleet_unlock(&m->fleet);
    return res_json(s, j, e);
}

/* Saves the settings, the state and the decision; t is not changed yet. */
static int save(struct monitor *m, const struct tracked *t, const json_t *settings,
                const struct rules *r, const char *actor, struct err *e)
{
    struct pg *p = pg_pool_get(m->pool, e);
    if (!p)
        return -1;
    const char *state = !r->forecast     ? "disabled"
                        : t->quarantined ? "quarantined"
                                         : "active";
    json_t *rows =
        json_pack("[{s:s, s:s, s:n, s:n, s:s, s:s, s:{s:o, s:O}}]", "series", t->name,
                  "kind", "rules", "version", "previous", "actor", actor, "reason",
                  "the settings of the series were changed", "evidence", "before",
                  json_loads(t->settings, 0, NULL), "after", settings);
    int rc = pg_begin(p, e);
    if (!rc) {
        rc = registry_series_set(p, t->name, settings, state, e);
        if (!rc)
            rc = registry_decide_all(p, rows, e);
        if (!rc)
            rc = pg_commit(p, e);
    }
    pg_pool_put(m->pool, p); /* rolls back what is not committed */
    json_decref(rows);
    return rc;
}

static void take(struct tracked *t, const json_t *settings, const struct rules *r)
{
    free(t->settings);
    t->settings = json_dumps(settings, JSON_COMPACT);
    t->rules = *r;
    t->disabled = !r->forecast;
}

/* Under m->run: between two ticks, so that each tick sees one set of rules. */
static int put_locked(struct monitor *m, const struct req *q, const json_t *settings,
                      struct res *s, struct err *e)
{
    struct tracked *t;
    struct rules r;
    if (!m->turn_pid)
        return err_kind(e, ERR_UNAVAILABLE, "not_our_turn",
                        "this monitor does not run the loop (yet): /readyz says why");
    if (find_locked(m, q, &t, e))
        return -1;
    fleet_unlock(&m->fleet); /* only a tick would free it */
    rules_default(&r, t->quantity, (double)m->set.cooldown_h, (int)m->set.per_day);
    if (rules_apply(&r, t->quantity, settings, e) ||
        save(m, t, settings, &r, role_name(q->who), e))
        return -1;
    fleet_lock(&m->fleet);
    take(t, settings, &r);
    json_t *j = rule_json(t);
    fleet_unlock(&m->fleet);
    log_info("settings of %s changed by %s", t->name, role_name(q->who));
    return res_json(s, j, e);
}

int put_rule(void *app, const struct req *q, struct res *s, struct err *e)
{
    struct monitor *m = app;
    json_t *settings = req_json_object(q, e);
    if (!settings)
        return -1;
    pthread_mutex_lock(&m->run);
    int rc = put_locked(m, q, settings, s, e);
    pthread_mutex_unlock(&m->run);
    json_decref(settings);
    return rc;
}
