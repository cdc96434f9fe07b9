/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "services/predictor/settings.h"

#include <stddef.h>

#define AT(m) offsetof(struct predictor_settings, m)

const struct setting predictor_settings[] = {
    SERVICE_SETTINGS(struct predictor_settings, common, "8103", "2"),
    {"PG_CONNINFO", SET_SECRET, AT(pg_conninfo), NULL, 1, 2048,
     "Postgres, as libpq reads it: host=... dbname=... user=... password=..."},
    {"INFLUX_URL", SET_URL, AT(influx_url), "http://127.0.0.1:8086", 1, 512,
     "InfluxDB's address"},
    {"INFLUX_DB", SET_STRING, AT(influx_db), "fieldcast", 1, 64, "InfluxDB's database"},
    {"INFLUX_USER", SET_STRING, AT(influx_user), "", 0, 128,
     "InfluxDB's user; empty: no login"},
    {"INFLUX_PASSWORD", SET_SECRET, AT(influx_password), "", 0, 512,
     "InfluxDB's password"},
    {"INGEST_URL", SET_URL, AT(ingest_url), "http://127.0.0.1:8101", 1, 512,
     "ingest, which tells the hours that are complete"},
    {"SERIES_MAX", SET_INT, AT(series_max), "100000", 1, 1000000,
     "most series kept in memory; more are not forecast"},
    {"HISTORY_POINTS", SET_INT, AT(history_points), "100000", 100, 500000,
     "most points in one answer of /api/v1/history"},
    {"VERSIONS_CACHED", SET_INT, AT(versions_cached), "32", 1, 10000,
     "model versions other than champions kept in memory"},
    {0},
};

int predictor_settings_load(struct predictor_settings *s, struct err *e)
{
    *s = (struct predictor_settings){0};
    return settings_load(predictor_settings, s, e);
}

void predictor_settings_done(struct predictor_settings *s)
{
    settings_done(predictor_settings, s);
}
