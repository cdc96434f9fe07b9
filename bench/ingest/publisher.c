/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Publishes N native readings for bench/ingest, of D devices in turn, on the topics
 * PREFIX/dev000000/readings and so on. Ends when the broker has all of them.
 *
 *   publisher [-q QOS] [-v VALUES] [-s STEP_MS] [-r RATE] URL PREFIX D N
 *
 * VALUES: 1 or 7 in each. The times of one device are STEP_MS apart and end now. RATE:
 * messages a second, 0 for as many as go. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/mqtt.h"

struct plan {
    int qos, values;
    int64_t step_ms, rate, devices, n;
    const char *url, *prefix;
};

/* Up and down by steps that no sensor's range or inertia forbids. */
static int write_values(char *to, size_t size, int values, int64_t k)
{
    double w = (double)(k % 20 < 10 ? k % 20 : 20 - k % 20) / 10;
    if (values == 1)
        return snprintf(to, size, "\"temperature\":%.1f", 20 + w);
    return snprintf(to, size,
                    "\"temperature\":%.1f,\"humidity\":%.1f,\"pressure\":%.1f,"
                    "\"co2\":%.0f,\"light\":%.0f,\"battery\":%.2f,\"rssi\":%.0f",
                    20 + w, 45 + w, 1013 + w, 600 + 10 * w, 300 + 10 * w, 3 + w / 10,
                    -60 - w);
}

static void wait_turn(const struct plan *p, int64_t i, int64_t from_us)
{
    int64_t early_us = p->rate ? from_us + i * 1000000 / p->rate - clock_mono_us() : 0;
    if (early_us > 1000)
        usleep((useconds_t)early_us);
}

static int publish_all(struct mqtt *m, const struct plan *p, struct err *e)
{
    int64_t now_ms = clock_now_ms(), from_us = clock_mono_us();
    int64_t start_ms = now_ms - p->n / p->devices * p->step_ms;
    for (int64_t i = 0; i < p->n; i++) {
        char topic[128], values[200], payload[400];
        int64_t dev = i % p->devices, k = i / p->devices;
        snprintf(topic, sizeof topic, "%s/dev%06" PRId64 "/readings", p->prefix, dev);
        write_values(values, sizeof values, p->values, k);
        /* each run is a start of its devices, so that its numbers are its own */
        int len = snprintf(payload, sizeof payload,
                           "{\"device\":\"dev%06" PRId64 "\",\"boot\":%" PRId64
                           ",\"seq\":%" PRId64 ",\"ts_ms\":%" PRId64 ",\"values\":{%s}}",
                           dev, now_ms, k + 1, start_ms + k * p->step_ms, values);
        wait_turn(p, i, from_us);
        if (mqtt_publish(m, topic, payload, (size_t)len, p->qos, false, e))
            return -1;
    }
    if (mqtt_drain(m, 60000) || mqtt_failed(m))
        return err_set(e, ERR_UNAVAILABLE, "%d messages were not acknowledged, %ld lost",
                       mqtt_inflight(m), mqtt_failed(m));
    return 0;
}

static int read_plan(struct plan *p, int argc, char **argv)
{
    *p = (struct plan){.qos = 1, .values = 1, .step_ms = 1000};
    for (int c; (c = getopt(argc, argv, "q:v:s:r:")) != -1;) {
        if (c == 'q')
            p->qos = atoi(optarg);
        else if (c == 'v')
            p->values = atoi(optarg);
        else if (c == 's')
            p->step_ms = atoll(optarg);
        else if (c == 'r')
            p->rate = atoll(optarg);
        else
            return -1;
    }
    if (argc - optind != 4)
        return -1;
    p->url = argv[optind];
    p->prefix = argv[optind + 1];
    p->devices = atoll(argv[optind + 2]);
    p->n = atoll(argv[optind + 3]);
    return p->devices > 0 && p->n > 0 && p->step_ms > 0 && p->rate >= 0 ? 0 : -1;
}

int main(int argc, char **argv)
{
    struct err e = ERR_INIT;
    struct plan p;
    char id[40];
    if (read_plan(&p, argc, argv)) {
        fprintf(stderr, "usage: publisher [-q QOS] [-v VALUES] [-s STEP_MS] [-r RATE] "
                        "URL PREFIX DEVICES N\n");
        return 2;
    }
    snprintf(id, sizeof id, "bench-publisher-%d", (int)getpid());
    struct mqtt_opts o = {.url = p.url, .client_id = id, .clean = true};
    struct mqtt *m = mqtt_open(&o, &e);
    int rc = 1;
    if (m && !mqtt_wait_up(m, 5000))
        err_set(&e, ERR_UNAVAILABLE, "the broker is not there");
    else if (m)
        rc = publish_all(m, &p, &e) != 0;
    if (rc)
        fprintf(stderr, "publisher: %s\n", e.text);
    mqtt_close(m);
    return rc;
}
