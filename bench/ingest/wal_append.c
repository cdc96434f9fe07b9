/* SPDX-License-Identifier: GPL-3.0-or-later */
/* wal_append DIR process|power RECORDS [BYTES]: appends records of a reading's size (or
 * with payloads of BYTES) to the log in DIR, one by one, and prints records per second.
 * The cursor "influx" is at the end then, so that the folder can be given to fc-ingest.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/log.h"
#include "services/ingest/wal.h"

static int run(struct wal *w, int64_t n, size_t pad, struct err *e)
{
    char topic[64], payload[4096];
    int64_t from_us = clock_mono_us(), now_ms = clock_now_ms();
    for (int64_t i = 0; i < n; i++) {
        int at = snprintf(payload, sizeof payload,
                          "{\"device\":\"bench-%03d\",\"boot\":1,\"seq\":%" PRId64
                          ",\"ts_ms\":%" PRId64 ",\"values\":{\"temperature\":21.5}}",
                          (int)(i % 100), i / 100, now_ms - n + i);
        if (at < (int)pad) {
            memset(payload + at, ' ', pad - (size_t)at);
            at = (int)pad;
        }
        struct wal_record r = {.receive_ms = now_ms,
                               .assigned_ms = now_ms - n + i,
                               .flags = 1,
                               .topic = topic,
                               .payload = payload,
                               .len = (size_t)at};
        r.topic_len = (size_t)snprintf(topic, sizeof topic,
                                       "fieldcast/bench-%03d/readings", (int)(i % 100));
        if (wal_append(w, &r, 1, e))
            return -1;
    }
    double s = (double)(clock_mono_us() - from_us) / 1e6;
    printf("%.0f\n", (double)n / s);
    return 0;
}

int main(int argc, char **argv)
{
    struct err e = ERR_INIT;
    int64_t n = argc > 3 ? strtoll(argv[3], NULL, 10) : 0;
    size_t pad = argc > 4 ? strtoul(argv[4], NULL, 10) : 0;
    if (n < 1 || pad > 4000) {
        fprintf(stderr, "wal_append DIR process|power RECORDS [BYTES, at most 4000]\n");
        return 2;
    }
    log_init("bench", LOG_WARN);
    struct wal_opts o = {.dir = argv[1],
                         .max_bytes = INT64_C(8) << 30,
                         .segment_bytes = INT64_C(64) << 20,
                         .power = !strcmp(argv[2], "power")};
    struct wal *w = wal_open(&o, &e);
    struct wal_reader *r = w ? wal_reader_open(w, "influx", 0, &e) : NULL;
    int rc = r && run(w, n, pad, &e) == 0 && wal_commit(r, wal_end(w), &e) == 0 ? 0 : 1;
    if (rc)
        fprintf(stderr, "%s\n", e.text);
    wal_reader_close(r);
    wal_close(w);
    return rc;
}
