/* SPDX-License-Identifier: GPL-3.0-or-later */
/* settings: ingest's environment. */
#ifndef FC_INGEST_SETTINGS_H
#define FC_INGEST_SETTINGS_H

#include "common/influx.h"
#include "common/mqtt.h"
#include "common/service.h"
#include "services/ingest/kafka_side.h"

struct ingest_settings {
    struct service_settings common;
    struct mqtt_settings mqtt;
    char *mqtt_filters, *mqtt_share;
    struct influx_settings influx;
    struct kafka_side_settings kafka;
    char *decode_file;
    char *archive_dir;
    int64_t archive_file_mb, archive_keep_d;
    char *data_dir, *durability, *live_urls;
    int64_t log_max_mb, log_max_age_d, deadletter_max_mb, batch_points, flush_ms;
    int64_t time_past_d, time_future_s, time_local_min;
    int64_t member; /* of a group, 1 .. INTERPRETER_MEMBERS; 0: alone */
    int64_t devices_max, devices_per_min, quantities_max, quantity_names_max,
        metrics_devices;
    int64_t sparkplug_rebirth, retain_readings_d, retain_leads_d;
    bool ha_discovery;
    char *ha_prefix;
    int64_t ha_expire_s;
};

extern const struct setting ingest_settings_table[];

/* Frees what it read in ingest_settings_done(), also after a failure. */
int ingest_settings_load(struct ingest_settings *s, struct err *e) MUST_CHECK;
void ingest_settings_done(struct ingest_settings *s);
bool ingest_settings_power(const struct ingest_settings *s);

#endif
