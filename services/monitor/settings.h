/* SPDX-License-Identifier: GPL-3.0-or-later */
/* settings: monitor's environment (the table is in settings.c). */
#ifndef FC_MONITOR_SETTINGS_H
#define FC_MONITOR_SETTINGS_H

#include <stdint.h>

#include "common/err.h"
#include "common/influx.h"
#include "common/mqtt.h"
#include "common/service.h"

struct monitor_settings {
    struct service_settings common;
    char *pg_conninfo;
    struct influx_settings influx;
    struct mqtt_settings mqtt;
    char *ingest_url, *trainer_url, *predictor_url;
    int64_t cooldown_h, per_day, fleet_per_day;
    char *tz;
};

extern const struct setting monitor_settings_table[];

int monitor_settings_load(struct monitor_settings *s, struct err *e) MUST_CHECK;
void monitor_settings_done(struct monitor_settings *s);

#endif
