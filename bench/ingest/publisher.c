/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Fills a broker's queue for bench/ingest: N native readings at QoS 1 from D devices, one
 * value each, one second apart per device, ending now. Ends when all are acknowledged.
 *
 *   publisher URL DEVICES N */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/mqtt.h"

int main(int argc, char **argv)
{
    struct err e = ERR_INIT;
    if (argc != 4) {
        fprintf(stderr, "usage: publisher URL DEVICES N\n");
        return 2;
    }
    long devices = atol(argv[2]), n = atol(argv[3]);
    struct mqtt_opts o = {.url = argv[1], .client_id = "bench-publisher", .clean = true};
    struct mqtt *m = mqtt_open(&o, &e);
    int rc = 1;
    if (!m || !mqtt_wait_up(m, 5000)) {
        fprintf(stderr, "publisher: %s\n", m ? "the broker is not there" : e.text);
        goto out;
    }
    int64_t start_ms = clock_now_ms() - n / devices * 1000;
    int64_t boot = start_ms / 1000; /* each run's numbers are its own */
    for (long i = 0; i < n; i++) {
        char topic[64], payload[160];
        long dev = i % devices, k = i / devices;
        snprintf(topic, sizeof topic, "fieldcast/bench-%05ld/readings", dev);
        int len = snprintf(
            payload, sizeof payload,
            "{\"device\":\"bench-%05ld\",\"boot\":%" PRId64
            ",\"seq\":%ld,\"ts_ms\":%" PRId64 ",\"values\":{\"temperature\":%.1f}}",
            dev, boot, k + 1, start_ms + k * 1000, 20 + (double)(k % 50) / 10);
        if (mqtt_publish(m, topic, payload, (size_t)len, 1, false, &e)) {
            fprintf(stderr, "publisher: %s\n", e.text);
            goto out;
        }
    }
    rc = mqtt_drain(m, 60000) || mqtt_failed(m);
    if (rc)
        fprintf(stderr, "publisher: %ld messages were not acknowledged\n",
                mqtt_failed(m));
out:
    mqtt_close(m);
    return rc;
}
