/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The part of act.h that talks to trainer. */
#include "services/monitor/act.h"

#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/mem.h"
#include "services/monitor/load.h"

#define TRAIN_BATCH 200     /* series in one request to trainer */
#define TRAIN_RETRY_MS 1000 /* pause after it was away */

static void taken(struct monitor *m, const json_t *jobs, struct actions *a)
{
    json_t *job;
    size_t i;
    fleet_lock(&m->fleet);
    json_array_foreach((json_t *)jobs, i, job)
    {
        const char *name = json_string_value(json_object_get(job, "series"));
        struct tracked *t = name ? fleet_find(&m->fleet, name) : NULL;
        if (!t || !t->unsent)
            continue;
        t->unsent = false;
        t->job = json_integer_value(json_object_get(job, "id"));
        json_array_append_new(a->remember, remember_json(t));
    }
    fleet_unlock(&m->fleet);
}

/* An ask that trainer refuses for good counts as a challenger that lost. */
static void given_up(struct monitor *m, struct tracked *t, const char *why,
                     struct actions *a)
{
    log_warn("training of %s was refused: %s", t->name, why);
    fleet_lock(&m->fleet);
    t->unsent = false;
    t->asked_for = REASON_NONE;
    loop_ended(&t->loop, false);
    fleet_unlock(&m->fleet);
    json_array_append_new(a->remember, remember_json(t));
}

/* One request. Returns 0, or -1 when trainer cannot be asked now. */
static int ask_some(struct monitor *m, struct tracked *const *some, size_t n,
                    struct actions *a)
{
    struct err e = ERR_INIT;
    json_t *names = json_array(), *jobs;
    for (size_t i = 0; i < n; i++)
        json_array_append_new(names, json_string(some[i]->name));
    int rc = neighbours_train(m->ask, names, reason_name(some[0]->asked_for),
                              some[0]->rules.system0 ? "system0" : NULL, &jobs, &e);
    json_decref(names);
    if (!rc) {
        taken(m, jobs, a);
        json_decref(jobs);
        for (size_t i = 0; i < n; i++)
            if (some[i]->unsent)
                given_up(m, some[i], "the answer does not name it", a);
        return 0;
    }
    if (e.code == ERR_UNAVAILABLE || e.code == ERR_TIMEOUT)
        return -1;
    if (n == 1) {
        given_up(m, some[0], e.text, a);
        return 0;
    }
    for (size_t i = 0; i < n; i++) /* one bad one spoils the request for all */
        if (ask_some(m, some + i, 1, a))
            return -1;
    return 0;
}

static int by_request(const void *a, const void *b)
{
    const struct tracked *x = *(struct tracked *const *)a,
                         *y = *(struct tracked *const *)b;
    if (x->asked_for != y->asked_for)
        return x->asked_for < y->asked_for ? -1 : 1;
    if (x->rules.system0 != y->rules.system0)
        return x->rules.system0 ? 1 : -1;
    return strcmp(x->name, y->name);
}

static struct tracked **unsent(struct monitor *m, size_t *n)
{
    struct tracked **all = xcalloc(m->fleet.n + 1, sizeof(struct tracked *));
    *n = 0;
    for (size_t i = 0; i < m->fleet.n; i++)
        if (m->fleet.all[i]->unsent)
            all[(*n)++] = m->fleet.all[i];
    qsort(all, *n, sizeof(struct tracked *), by_request);
    return all;
}

int64_t act_ask(struct monitor *m)
{
    size_t n, i, k;
    int64_t done = 0;
    struct err e = ERR_INIT;
    struct actions a;
    if (clock_mono_ms() - m->told_ms < TRAIN_RETRY_MS && m->told_ms)
        return 0;
    struct tracked **all = unsent(m, &n);
    actions_init(&a);
    for (i = 0; i < n; i = k) {
        for (k = i + 1; k < n && k - i < TRAIN_BATCH &&
                        all[k]->asked_for == all[i]->asked_for &&
                        all[k]->rules.system0 == all[i]->rules.system0;)
            k++;
        if (ask_some(m, all + i, k - i, &a)) {
            m->told_ms = clock_mono_ms();
            break;
        }
        done += (int64_t)(k - i);
        m->told_ms = 0;
    }
    if (json_array_size(a.remember) && act_commit(m, &a, &e))
        log_warn("could not save what trainer was asked: %s", e.text);
    actions_done(&a);
    free(all);
    return done;
}
