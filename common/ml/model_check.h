/* SPDX-License-Identifier: GPL-3.0-or-later */
/* model_check: do the parts of a document that was read fit together? What one field says
 * alone is checked where it is read (model_read.c, features_json.c). Pure. */
#ifndef FC_ML_MODEL_CHECK_H
#define FC_ML_MODEL_CHECK_H

#include "common/ml/model.h"

/* It was trained on hours in their order; the others that it reads (others.h) are not the
 * series itself, no more than OTHERS_MAX in all its members, and among those that are
 * said to have stood beside. ERR_INVALID with a text that names the field. */
int model_check(const struct model *m, struct err *e) MUST_CHECK;

#endif
