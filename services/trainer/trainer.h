/* SPDX-License-Identifier: GPL-3.0-or-later */
/* trainer: the service as a whole: what it holds open, and what it does each tick. */
#ifndef FC_TRAINER_TRAINER_H
#define FC_TRAINER_TRAINER_H

#include <stdbool.h>
#include <stdint.h>

#include "common/err.h"
#include "common/influx.h"
#include "common/pg.h"
#include "common/service.h"
#include "services/trainer/queue.h"
#include "services/trainer/settings.h"

struct trainer {
    struct trainer_settings set;
    struct service svc;
    struct dep *pg_dep, *influx_dep;
    struct queue *queue;
    struct pg_pool *pool; /* for the handlers */

    /* of the tick alone */
    struct pg *pg;
    struct influx *influx;
    bool known_schema;        /* checked since Postgres came (back) */
    int64_t beat_ms, ping_ms; /* when last done, monotonic */
    int64_t sweep_ms;
    int64_t cleared_day; /* day since 1970, by the clock, of the last clearing out */
};

/* Opens everything and starts answering. Neighbours may be away; a schema this build does
 * not know stops the start. trainer_close() in any case. */
int trainer_open(struct trainer *t, struct err *e) MUST_CHECK;
void trainer_tick(struct trainer *t);
void trainer_close(struct trainer *t);

#endif
