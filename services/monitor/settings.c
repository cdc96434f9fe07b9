/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "services/monitor/settings.h"

#define AT(member) offsetof(struct monitor_settings, member)

const struct setting monitor_settings_table[] = {
    SERVICE_SETTINGS(struct monitor_settings, common, "8104", "1"),
    {"PG_CONNINFO", SET_SECRET, AT(pg_conninfo), NULL, 1, 4096,
     "Postgres, as libpq reads it: host=... dbname=... user=... password=..."},
    {"INFLUX_URL", SET_URL, AT(influx_url), "http://127.0.0.1:8086", 8, 512, "InfluxDB"},
    {"INFLUX_DB", SET_STRING, AT(influx_db), "fieldcast", 1, 64, "its database"},
    {"INFLUX_USER", SET_STRING, AT(influx_user), "", 0, 128,
     "its user; empty: no authentication"},
    {"INFLUX_PASSWORD", SET_SECRET, AT(influx_password), "", 0, 512, "and password"},
    {"MQTT_URL", SET_URL, AT(mqtt_url), "tcp://127.0.0.1:1883", 6, 512,
     "the broker that alerts are published to"},
    {"MQTT_USER", SET_STRING, AT(mqtt_user), "", 0, 128,
     "user at the broker; empty: none"},
    {"MQTT_PASSWORD", SET_SECRET, AT(mqtt_password), "", 0, 512, "and password"},
    {"MQTT_CA_FILE", SET_STRING, AT(mqtt_ca_file), "", 0, 4096,
     "certificates to trust for ssl://; empty: the system's"},
    {"MQTT_CLIENT_ID", SET_STRING, AT(mqtt_client_id), "", 0, 64,
     "client id at the broker; empty: made up at each start, so that copies do not "
     "collide"},
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
    {"RETRAIN_FLEET_PER_DAY", SET_INT, AT(fleet_per_day), "50000", 1, 10000000,
     "most retrainings a day (UTC) that monitor asks for, all series together"},
    {0},
};

int monitor_settings_load(struct monitor_settings *s, struct err *e)
{
    return settings_load(monitor_settings_table, s, e);
}

void monitor_settings_done(struct monitor_settings *s)
{
    settings_done(monitor_settings_table, s);
}
