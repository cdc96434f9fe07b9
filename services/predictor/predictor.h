/* SPDX-License-Identifier: GPL-3.0-or-later */
/* predictor: the service's parts and how they are driven; see main.c for the story. */
#ifndef FC_PREDICTOR_PREDICTOR_H
#define FC_PREDICTOR_PREDICTOR_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/err.h"
#include "common/pg.h"
#include "common/service.h"
#include "services/predictor/feed.h"
#include "services/predictor/forecasts.h"
#include "services/predictor/live.h"
#include "services/predictor/misses.h"
#include "services/predictor/models.h"
#include "services/predictor/settings.h"
#include "services/predictor/versions.h"
#include "services/predictor/watch.h"

struct predictor {
    struct predictor_settings set;
    struct service svc;
    struct dep *pg_dep, *influx_dep, *ingest_dep;
    struct models *models;
    struct versions *versions;
    struct pg_pool *pool; /* for the worker threads */
    struct watch watch;   /* the registry's thread */
    struct live *live;

    /* of the thread that ticks */
    struct influx *influx;
    struct feed feed;
    struct forecasts forecasts;
    struct misses misses;
    int64_t write_again_ms, pause_ms; /* real: after a failed write */
    int64_t ping_again_ms;
    bool refuses; /* InfluxDB answers but does not do what it is asked */

    /* GET /api/v1/progress */
    atomic_llong done_hour_ms, done_seq;

    struct metric *seconds, *refused, *missing, *origin;
};

extern const struct service_desc predictor_service;

/* Opens everything and starts answering. A neighbour that is away is no failure. */
int predictor_open(struct predictor *p, struct err *e) MUST_CHECK;
/* One look at what is to do: hours from ingest, trajectories, writing. */
void predictor_tick(struct predictor *p);
/* 0, or -1 with *e when it stopped because it cannot go on (a schema that is not ours).
 */
int predictor_end(struct predictor *p, struct err *e) MUST_CHECK;
void predictor_close(struct predictor *p); /* a zeroed struct is fine */

#endif
