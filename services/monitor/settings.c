/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "services/monitor/settings.h"

#include "common/ml/zone.h"
#include "common/pg.h"

#define AT(member) offsetof(struct monitor_settings, member)

const struct setting monitor_settings_table[] = {
    SERVICE_SETTINGS(struct monitor_settings, common, "8104", "1"),
    PG_SETTINGS(struct monitor_settings, pg_conninfo),
    INFLUX_SETTINGS(struct monitor_settings, influx),
    MQTT_SETTINGS(struct monitor_settings, mqtt, "", 0,
                  "client id at the broker; empty: made up at each start, so that copies "
                  "do not collide"),
    {"INGEST_URL", SET_URL, AT(ingest_url), "http://127.0.0.1:8101", 8, 512,
     "ingest: which hours are rolled up"},
    {"TRAINER_URL", SET_URL, AT(trainer_url), "http://127.0.0.1:8102", 8, 512,
     "trainer: asked for trainings"},
    {"PREDICTOR_URL", SET_URL, AT(predictor_url), "http://127.0.0.1:8103", 8, 512,
     "predictor: how far its forecasts are"},
    {"RETRAIN_COOLDOWN_H", SET_INT, AT(cooldown_h), "6", 0, 720,
     "least time between two trainings of a series that monitor asks for, h"},
    {"RETRAIN_PER_DAY", SET_INT, AT(per_day), "4", 1, 100,
     "most trainings a day (UTC) that monitor asks for, per series"},
    {"TZ", SET_STRING, AT(tz), "UTC", 1, ZONE_NAME_SIZE - 1,
     "time zone of new series, like Europe/Vienna: the hours that models go by"},
    {"RETRAIN_FLEET_PER_DAY", SET_INT, AT(fleet_per_day), "50000", 1, 10000000,
     "most retrainings a day (UTC) that monitor asks for, all series together"},
    {0},
};

int monitor_settings_load(struct monitor_settings *s, struct err *e)
{
    if (settings_load(monitor_settings_table, s, e))
        return -1;
    return pg_check_conninfo(s->pg_conninfo, e);
}

void monitor_settings_done(struct monitor_settings *s)
{
    settings_done(monitor_settings_table, s);
}
