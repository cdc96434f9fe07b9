/* SPDX-License-Identifier: GPL-3.0-or-later */
/* lead_weights: how much a member of a blend counts at each lead. What forecasts the next
 * hour best is seldom what forecasts the day after tomorrow best.
 *
 * Weights stand at a few leads (1, 2, 4, .. 32, 48 hours) and go over into each other
 * with the logarithm of the lead; where those of all members add up to 1, so they do
 * between. Pure. */
#ifndef FC_ML_LEAD_WEIGHTS_H
#define FC_ML_LEAD_WEIGHTS_H

#include <jansson.h>
#include <stddef.h>

#include "common/err.h"

#define WEIGHT_LEADS 7
extern const int weight_leads[WEIGHT_LEADS];

struct lead_weights {
    double at[WEIGHT_LEADS]; /* 0..1 each */
};

struct lead_weights lead_weights_all(double weight);           /* the same at all leads */
double lead_weight(const struct lead_weights *w, size_t lead); /* lead counts from 0 */

/* An array of WEIGHT_LEADS numbers, new; and back, also from one number for all. */
json_t *lead_weights_to_json(const struct lead_weights *w);
int lead_weights_from_json(struct lead_weights *w, const json_t *j,
                           struct err *e) MUST_CHECK;

#endif
