/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "services/trainer/clearing.h"

#include "common/clock.h"
#include "common/registry_jobs.h"
#include "common/registry_models.h"
#include "common/registry_runs.h"

#define DAY_MS (24 * HOUR_MS)

int clearing_run(struct pg *pg, const struct trainer_settings *s, int64_t now_ms,
                 struct err *e)
{
    int64_t before_ms = now_ms - s->keep_days * DAY_MS;
    if (registry_models_forget(pg, (int)s->keep_versions, e) ||
        registry_jobs_forget(pg, before_ms, e) || registry_runs_forget(pg, before_ms, e))
        return -1;
    return 0;
}
