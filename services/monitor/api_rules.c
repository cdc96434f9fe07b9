/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/json.h"
#include "common/log.h"
#include "common/mem.h"
#include "common/registry_decisions.h"
#include "common/registry_series.h"
#include "services/monitor/api.h"
#include "services/monitor/load.h"
#include "services/monitor/monitor.h"

#define PAGE_MAX 1000

/* A name may stand there before its series does, or be misspelt: why each series that is
 * asked for is not read (yet). */
static json_t *not_read(const struct fleet *f, const struct tracked *t,
                        const json_t *exogenous)
{
    json_t *list = json_array(), *v;
    size_t i;
    json_array_foreach(exogenous, i, v)
    {
        const char *name = json_string_value(v), *why = NULL;
        const struct tracked *other = name ? fleet_find(f, name) : NULL;
        if (!other)
            why = "there is no such series";
        else if (other == t)
            why = "it is the series itself, whose past is read anyway";
        else if (!other->champion->version)
            why = "it has no champion";
        if (why && name)
            json_array_append_new(
                list, json_sprintf("exogenous %s is not read: %s", name, why));
    }
    return list;
}

/* Under the view lock. */
static json_t *rule_json(const struct fleet *f, const struct tracked *t)
{
    json_t *j = json_object(), *set = json_loads(t->settings, 0, NULL);
    json_object_set_new(j, "series", json_string(t->name));
    json_object_set_new(j, "state", json_string(tracked_state(t)));
    json_object_set_new(j, "settings", set ? set : json_object());
    json_t *effective = rules_json(&t->rules),
           *exogenous = json_object_get(set, "exogenous");
    json_object_set_new(effective, "exogenous",
                        json_is_array(exogenous) ? json_incref(exogenous) : json_array());
    if (json_is_string(json_object_get(set, "tz")))
        json_object_set(effective, "tz", json_object_get(set, "tz"));
    json_object_set_new(j, "effective", effective);
    json_object_set_new(j, "warnings", not_read(f, t, exogenous));
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
        json_array_append_new(items, rule_json(&m->fleet, m->fleet.all[i]));
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
    json_t *j = rule_json(&m->fleet, t);
    fleet_unlock(&m->fleet);
    return res_json(s, j, e);
}

/* What stands beside a series is another, and counts once. */
static int check_others(const char *series, const json_t *settings, struct err *e)
{
    const json_t *names = json_object_get(settings, "exogenous"), *v;
    size_t i;
    json_array_foreach(names, i, v)
    {
        const char *name = json_string_value(v);
        if (!strcmp(name, series))
            return err_set(
                e, ERR_INVALID,
                "field \"exogenous[%zu]\" must be another series than %s itself", i,
                series);
        for (size_t k = 0; k < i; k++)
            if (!strcmp(json_string_value(json_array_get(names, k)), name))
                return err_set(e, ERR_INVALID, "field \"exogenous[%zu]\" repeats %s", i,
                               name);
    }
    return 0;
}

/* Where it stands, by the settings; what Postgres does not know is refused. */
static int zone_of(struct monitor *m, struct pg *p, const json_t *settings,
                   const char **tz, struct err *e)
{
    struct zone ignored;
    int64_t now_s = clock_now_ms() / 1000;
    const char *given = json_string_value(json_object_get(settings, "tz"));
    *tz = given ? given : m->set.tz;
    return given && registry_zone(p, given, now_s, now_s, &ignored, e)
               ? err_prefix(e, "field \"tz\"")
               : 0;
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
    const char *tz;
    int rc = zone_of(m, p, settings, &tz, e) || pg_begin(p, e) ? -1 : 0;
    if (!rc) {
        rc = registry_series_set(p, t->name, settings, state, tz, e);
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
    if (rules_apply(&r, t->quantity, settings, e) || check_others(t->name, settings, e) ||
        save(m, t, settings, &r, role_name(q->who), e))
        return -1;
    fleet_lock(&m->fleet);
    take(t, settings, &r);
    json_t *j = rule_json(&m->fleet, t);
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
