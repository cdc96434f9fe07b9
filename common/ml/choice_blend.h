/* SPDX-License-Identifier: GPL-3.0-or-later */
/* choice_blend: the blend of a pick: who its members are, what each weighs at which lead,
 * and how it would have forecast. Internal to choice.c. */
#ifndef FC_ML_CHOICE_BLEND_H
#define FC_ML_CHOICE_BLEND_H

#include "common/ml/choice.h"

/* By the first `limit` origins of the plan. p: used, mean and origins are there; recipe,
 * blend, blended, and used and mean of the blend are made. Nothing where there are fewer
 * than two members. */
void choice_blend(struct pick *p, const struct truth *t, size_t limit);

#endif
