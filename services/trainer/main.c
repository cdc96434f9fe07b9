/* SPDX-License-Identifier: GPL-3.0-or-later */
/* fc-trainer: trains the forecasters and keeps the registry.
 *
 * Reads `hourly` from InfluxDB and jobs from Postgres; writes runs, versions, aliases and
 * decisions to Postgres, each training in one transaction. Answers the registry's routes.
 *
 * Threads: HTTP (event threads, and workers for routes that ask Postgres), one per
 * training at a time (queue.c), and this one, which ticks: it keeps the leases of running
 * jobs, looks for new ones and clears out old rows once a day.
 *
 * Postgres away: nothing is taken, what was computed is stored when it is back or done
 * again by whoever gets the job then. InfluxDB away: jobs wait in the queue. Killed:
 * another trainer takes its jobs when their lease has ended. A schema this build does not
 * know: it does not start. */
#include "common/log.h"
#include "common/stop.h"
#include "services/trainer/api.h"
#include "services/trainer/trainer.h"

int main(int argc, char **argv)
{
    struct trainer t = {0};
    struct err e = ERR_INIT;
    int rc = 1;
    if (service_options(&trainer_service, argc, argv, &rc))
        return rc;
    stop_init();
    if (trainer_settings_load(&t.set, &e) || trainer_open(&t, &e))
        goto out;
    do
        trainer_tick(&t);
    while (stop_wait(t.set.common.tick_ms));
    rc = 0;
out:
    if (rc)
        log_fatal("%s", e.text);
    trainer_close(&t);
    return rc;
}
