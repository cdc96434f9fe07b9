/* SPDX-License-Identifier: GPL-3.0-or-later */
/* fc-predictor: answers with forecasts.
 *
 * Reads champions from Postgres (fetched when the registry notifies, so that a new one
 * answers within a second), complete hours from InfluxDB as ingest names them, and live
 * readings over HTTP. Keeps for each champion the hours it reads and its forecast of the
 * next 48, and answers from these without asking anyone. Each closed hour it writes the
 * forecasts to InfluxDB.
 *
 * Postgres away: the models in memory go on answering, with a warning. InfluxDB or ingest
 * away: the last forecasts go on answering and say how old they are; what was not written
 * is made up for later. All three come back by themselves.
 *
 * Threads: HTTP event threads (never block), HTTP workers (history, catalogue, versions
 * that are no champion), the registry's (watch.c), and this one, which ticks. */
#include "common/log.h"
#include "common/stop.h"
#include "services/predictor/predictor.h"

int main(int argc, char **argv)
{
    struct predictor app = {0};
    struct err e = ERR_INIT;
    int rc = 1;
    if (service_options(&predictor_service, argc, argv, &rc))
        return rc;
    rc = 1;
    stop_init();
    if (predictor_settings_load(&app.set, &e) || predictor_open(&app, &e))
        goto out;
    while (stop_wait(app.set.common.tick_ms))
        predictor_tick(&app);
    rc = predictor_end(&app, &e) ? 1 : 0;
out:
    if (rc)
        log_fatal("%s", e.text);
    predictor_close(&app);
    return rc;
}
