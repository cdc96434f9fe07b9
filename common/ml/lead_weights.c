/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/ml/lead_weights.h"

#include <math.h>

#include "common/json.h"
#include "common/ml/model.h"

const int weight_leads[WEIGHT_LEADS] = {1, 2, 4, 8, 16, 32, HORIZON_MAX};

/* Before main(): for each lead the knot before it, and how far it is to the next one. */
static struct {
    size_t knot;
    double share;
} place[HORIZON_MAX];

__attribute__((constructor)) static void make_places(void)
{
    for (size_t k = 0, knot = 0; k < HORIZON_MAX; k++) {
        if (knot + 2 < WEIGHT_LEADS && (int)k + 1 >= weight_leads[knot + 1])
            knot++;
        double from = log(weight_leads[knot]), to = log(weight_leads[knot + 1]);
        place[k].knot = knot;
        place[k].share = (log((double)k + 1) - from) / (to - from);
    }
}

struct lead_weights lead_weights_all(double weight)
{
    struct lead_weights w;
    for (size_t i = 0; i < WEIGHT_LEADS; i++)
        w.at[i] = weight;
    return w;
}

double lead_weight(const struct lead_weights *w, size_t lead)
{
    const double *at = w->at + place[lead].knot;
    return at[0] + place[lead].share * (at[1] - at[0]);
}

json_t *lead_weights_to_json(const struct lead_weights *w)
{
    return json_reals(w->at, WEIGHT_LEADS);
}

int lead_weights_from_json(struct lead_weights *w, const json_t *j, struct err *e)
{
    if (!json_is_number(j) && json_array_size(j) != WEIGHT_LEADS)
        return err_set(e, ERR_INVALID,
                       "field \"weight\" must be a number or an array of %d",
                       WEIGHT_LEADS);
    for (size_t i = 0; i < WEIGHT_LEADS; i++) {
        w->at[i] = json_is_number(j) ? json_number_value(j) : json_real_at(j, i);
        if (!(w->at[i] >= 0 && w->at[i] <= 1))
            return err_set(e, ERR_INVALID, "field \"weight\" must be from 0 to 1");
    }
    return 0;
}
