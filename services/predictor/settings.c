/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "services/predictor/settings.h"

#include <stddef.h>

#include "common/pg.h"

#define AT(m) offsetof(struct predictor_settings, m)

const struct setting predictor_settings_table[] = {
    SERVICE_SETTINGS(struct predictor_settings, common, "8103", "2"),
    PG_SETTINGS(struct predictor_settings, pg_conninfo),
    INFLUX_SETTINGS(struct predictor_settings, influx),
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
    if (settings_load(predictor_settings_table, s, e))
        return -1;
    return pg_check_conninfo(s->pg_conninfo, e);
}

void predictor_settings_done(struct predictor_settings *s)
{
    settings_done(predictor_settings_table, s);
}
