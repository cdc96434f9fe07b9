/* SPDX-License-Identifier: GPL-3.0-or-later */
/* fc-monitor: the clock of the loop.
 *
 * Reads: which hours are rolled up (ingest), `hourly` and `forecast_leads` (InfluxDB),
 * series, champions and jobs (Postgres). Writes: `evaluations` (InfluxDB), series, what
 * it remembers of them, decisions and alerts (Postgres), alerts/<device>/notification
 * (broker). Asks trainer to train. When a neighbour is away the loop waits, says so in
 * /readyz and once in the log, and goes on where it was; alerts wait for the broker in
 * memory, and are in Postgres anyway. Of several copies one is at work: the one whose
 * Postgres session holds the advisory lock.
 *
 * Threads: this one ticks; HTTP's event and worker threads answer (POST /api/v1/tick runs
 * a tick on a worker, one at a time with ours); MQTT's own. */
#include <stddef.h>

#include "common/log.h"
#include "common/stop.h"
#include "services/monitor/monitor.h"

int main(int argc, char **argv)
{
    struct monitor m = {0};
    struct err e = ERR_INIT;
    int rc = 1;
    if (service_options(monitor_service, argc, argv, &rc))
        return rc;
    stop_init();
    if (monitor_settings_load(&m.set, &e) || monitor_open(&m, &e))
        goto out;
    do
        monitor_tick(&m);
    while (stop_wait(m.set.common.tick_ms));
    rc = 0;
out:
    if (rc)
        log_fatal("%s", e.text);
    monitor_close(&m);
    return rc;
}
