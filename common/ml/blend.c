/* SPDX-License-Identifier: GPL-3.0-or-later */
/* blend: the weighted mean of what several models forecast. Which, and with what weights,
 * is for the choice to say (choice.h). */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/json.h"
#include "common/mem.h"
#include "common/ml/algos.h"
#include "common/ml/model.h"

void model_add_member(struct model *m, struct model *member,
                      const struct lead_weights *weight)
{
    size_t n = m->n_members + 1;
    m->member = xrealloc(m->member, n * sizeof *m->member);
    m->weight = xrealloc(m->weight, n * sizeof *m->weight);
    m->member[n - 1] = member;
    m->weight[n - 1] = *weight;
    m->n_members = n;
}

static size_t most(const struct model *m,
                   size_t (*what)(const struct algo *a, const struct model *member))
{
    size_t n = 1;
    for (size_t i = 0; i < m->n_members; i++) {
        size_t x = what(m->member[i]->algo, m->member[i]);
        n = x > n ? x : n;
    }
    return n;
}

static size_t member_min_hours(const struct algo *a, const struct model *member)
{
    return a->min_hours(member);
}

static size_t member_history(const struct algo *a, const struct model *member)
{
    return a->history(member);
}

static size_t min_hours(const struct model *m)
{
    return most(m, member_min_hours);
}

static size_t history(const struct model *m)
{
    return most(m, member_history);
}

static int fit(struct model *m, const struct hours *h, struct err *e)
{
    if (!m->n_members)
        return err_set(e, ERR_CONFLICT, "a blend needs members");
    m->training.rows = 0;
    for (size_t i = 0; i < m->n_members; i++) {
        struct model *one = m->member[i];
        if (one->algo->fit(one, h, e))
            return -1;
        if (one->training.rows > m->training.rows)
            m->training.rows = one->training.rows;
    }
    return 0;
}

static int forecast(const struct model *m, const struct hours *past, size_t horizon,
                    double *out, struct err *e)
{
    double one[HORIZON_MAX];
    for (size_t k = 0; k < horizon; k++)
        out[k] = 0;
    for (size_t i = 0; i < m->n_members; i++) {
        if (m->member[i]->algo->forecast(m->member[i], past, horizon, one, e))
            return -1;
        for (size_t k = 0; k < horizon; k++)
            out[k] += lead_weight(&m->weight[i], k) * one[k];
    }
    return 0;
}

/* Of several blends of the same members, the i-th member of each. */
static bool member_many(const struct model *const *m, size_t i, const struct hours *past,
                        size_t horizon, double (*out)[HORIZON_MAX])
{
    const struct model *one[FORECAST_MANY];
    for (size_t k = 0; k < FORECAST_MANY; k++)
        one[k] = m[k]->member[i];
    const struct algo *a = one[0]->algo;
    if (a->forecast_many)
        return a->forecast_many(one, past, horizon, out);
    for (size_t k = 0; k < FORECAST_MANY; k++)
        if (a->forecast(one[k], &past[k], horizon, out[k], NULL))
            return false;
    return true;
}

static bool forecast_many(const struct model *const *m, const struct hours *past,
                          size_t horizon, double (*out)[HORIZON_MAX])
{
    double one[FORECAST_MANY][HORIZON_MAX];
    memset(out, 0, FORECAST_MANY * sizeof *out);
    for (size_t i = 0; i < m[0]->n_members; i++) {
        if (!member_many(m, i, past, horizon, one))
            return false;
        for (size_t l = 0; l < FORECAST_MANY; l++)
            for (size_t k = 0; k < horizon; k++)
                out[l][k] += lead_weight(&m[l]->weight[i], k) * one[l][k];
    }
    return true;
}

static json_t *save(const struct model *m)
{
    json_t *members = json_array();
    for (size_t i = 0; i < m->n_members; i++) {
        json_t *one = json_pack("{s:o}", "weight", lead_weights_to_json(&m->weight[i])),
               *parts;
        parts = model_parts(m->member[i]);
        json_object_update(one, parts);
        json_decref(parts);
        json_array_append_new(members, one);
    }
    return json_pack("{s:o}", "members", members);
}

static int load_member(struct model *m, const json_t *j, struct err *e)
{
    struct lead_weights weight;
    struct model *one = NULL;
    if (!lead_weights_from_json(&weight, json_object_get(j, "weight"), e))
        one = model_from_parts(j, m->series, e);
    if (one && one->algo == &algo_blend) {
        model_free(one);
        return err_set(e, ERR_INVALID, "field \"algorithm\" must not be a blend again");
    }
    if (!one)
        return -1;
    model_add_member(m, one, &weight);
    return 0;
}

static int load(struct model *m, const json_t *state, struct err *e)
{
    const json_t *members = json_object_get(state, "members");
    size_t n = json_array_size(members);
    double sum[WEIGHT_LEADS] = {0};
    if (n < 1 || n > BLEND_MAX)
        return err_set(e, ERR_INVALID,
                       "field \"state.members\" must be an array of 1 to %d", BLEND_MAX);
    for (size_t i = 0; i < n; i++) {
        if (load_member(m, json_array_get(members, i), e)) {
            char where[32];
            snprintf(where, sizeof where, "state.members[%zu]", i);
            return err_prefix(e, "%s", where);
        }
        for (size_t k = 0; k < WEIGHT_LEADS; k++)
            sum[k] += m->weight[i].at[k];
    }
    for (size_t k = 0; k < WEIGHT_LEADS; k++)
        if (fabs(sum[k] - 1) > 1e-9)
            return err_set(
                e, ERR_INVALID,
                "the weights in \"state.members\" must add up to 1, not %g, at lead %d",
                sum[k], weight_leads[k]);
    return 0;
}

const struct algo algo_blend = {
    .name = "blend",
    .sentence = "The weighted mean of several models' forecasts",
    .complexity = 9,
    .min_hours = min_hours,
    .history = history,
    .fit = fit,
    .forecast = forecast,
    .forecast_many = forecast_many,
    .save = save,
    .load = load,
};
