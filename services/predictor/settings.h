/* SPDX-License-Identifier: GPL-3.0-or-later */
/* settings of the predictor: environment variables FC_*, read once at start. */
#ifndef FC_PREDICTOR_SETTINGS_H
#define FC_PREDICTOR_SETTINGS_H

#include "common/err.h"
#include "common/influx.h"
#include "common/service.h"

struct predictor_settings {
    struct service_settings common;
    char *pg_conninfo;
    struct influx_settings influx;
    char *ingest_url;
    int64_t series_max, history_points, versions_cached;
};

extern const struct setting predictor_settings_table[];

int predictor_settings_load(struct predictor_settings *s, struct err *e) MUST_CHECK;
void predictor_settings_done(struct predictor_settings *s);

#endif
