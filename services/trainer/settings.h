/* SPDX-License-Identifier: GPL-3.0-or-later */
/* settings: fc-trainer's environment (the table is in settings.c). */
#ifndef FC_TRAINER_SETTINGS_H
#define FC_TRAINER_SETTINGS_H

#include <stdint.h>

#include "common/err.h"
#include "common/influx.h"
#include "common/service.h"

struct trainer_settings {
    struct service_settings common;
    char *pg_conninfo;
    struct influx_settings influx;
    int64_t workers, lease_s;
    int64_t keep_days, keep_versions;
};

extern const struct setting trainer_settings_table[];

/* Workers 0 in the environment becomes the number of cores. */
int trainer_settings_load(struct trainer_settings *s, struct err *e) MUST_CHECK;
void trainer_settings_done(struct trainer_settings *s);

#endif
