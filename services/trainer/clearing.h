/* SPDX-License-Identifier: GPL-3.0-or-later */
/* clearing: what the registry does not keep for ever. */
#ifndef FC_TRAINER_CLEARING_H
#define FC_TRAINER_CLEARING_H

#include <stdint.h>

#include "common/err.h"
#include "common/pg.h"
#include "services/trainer/settings.h"

/* Removes versions beyond the newest of each series, unless a decision names them or an
 * alias points at them; then jobs and runs that are too old, and bytes nobody names. */
int clearing_run(struct pg *pg, const struct trainer_settings *s, int64_t now_ms,
                 struct err *e) MUST_CHECK;

#endif
