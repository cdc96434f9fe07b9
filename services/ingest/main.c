/* SPDX-License-Identifier: GPL-3.0-or-later */
/* fc-ingest: a reading's way from MQTT or HTTP to durable storage.
 *
 * Reads   the broker (FC_MQTT_FILTERS), POST /api/v1/readings, topics of Kafka.
 * Writes  each message to its log in FC_DATA_DIR before it is acknowledged; from there
 *         `readings`, `device_status` and `hourly` to InfluxDB, readings to Kafka and to
 *         files; live readings to the predictor.
 *
 * Broker away: waits, and connects again by itself; HTTP goes on. Kafka away: likewise,
 * and the log keeps what it has not got. InfluxDB away: takes into the log until
 * FC_LOG_MAX_MB or FC_LOG_MAX_AGE_D, writes when it is back. Log full or its disk
 * refuses: takes nothing, acknowledges nothing, says so. Predictor away: live readings
 * are dropped and counted.
 *
 * Threads: the MQTT client's (mqtt_in: decode, append), one that sends
 * acknowledgements to devices, one per sink (sink_influx, sink_live, sink_kafka,
 * sink_archive), one that reads from Kafka and librdkafka's own, the roll-up, the HTTP
 * server's; this one awaits the end and sees to the log: what is too old in it, and
 * whether it still is full. */
#include "common/log.h"
#include "common/stop.h"
#include "services/ingest/ingest.h"

int main(int argc, char **argv)
{
    static struct ingest app;
    struct err e = ERR_INIT;
    int rc = 1;
    if (service_options(&ingest_service, argc, argv, &rc))
        return rc;
    stop_init();
    if (ingest_settings_load(&app.set, &e) || ingest_open(&app, &e))
        goto out;
    while (stop_wait(app.set.common.tick_ms))
        ingest_tick(&app);
    rc = 0;
out:
    if (rc)
        log_fatal("%s", e.text);
    ingest_close(&app);
    return rc;
}
