/* SPDX-License-Identifier: GPL-3.0-or-later */
/* feed: follows what ingest has rolled up, hour by hour and when late data arrives.
 *
 * It asks GET /api/v1/hours with a cursor for the hours written since, and reads just
 * these from InfluxDB. When ingest cannot tell (it or we started anew) all histories are
 * read again, and so they are when the newest hour goes back by more than one: the clock
 * was ahead then. Used by one thread. */
#ifndef FC_PREDICTOR_FEED_H
#define FC_PREDICTOR_FEED_H

#include <stdint.h>

#include "common/err.h"
#include "common/http_client.h"
#include "common/influx.h"
#include "services/predictor/models.h"

struct feed {
    struct models *models; /* borrowed */
    struct influx *influx; /* borrowed */
    struct http_client *http;
    char *url;            /* owned */
    char cursor[96];      /* "epoch:N"; "" at first */
    int64_t rolled_up_ms; /* newest hour of which all that came is in `hourly`; NO_TIME */
};

void feed_init(struct feed *f, struct models *m, struct influx *in,
               const char *ingest_url, const char *service_token);
void feed_done(struct feed *f);

/* Takes over what is new. On failure nothing is skipped: the next call asks again.
 * *who names the neighbour that failed: "ingest" or "influxdb". */
int feed_poll(struct feed *f, const char **who, struct err *e) MUST_CHECK;

/* Takes over one answer of ingest (unit tests call it): *more says that hours came, so
 * there may be others. */
int feed_take(struct feed *f, const char *body, size_t len, bool *more, const char **who,
              struct err *e) MUST_CHECK;

#endif
