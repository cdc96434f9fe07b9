/* SPDX-License-Identifier: GPL-3.0-or-later */
/* monitor: the loop. tick -> schedule -> facts -> checks -> diagnose -> act.
 *
 * One tick runs at a time (`run`): the main thread's, or that of POST /api/v1/tick. Only
 * the tick touches pg, influx, ask and the fleet (the fleet under its view lock).
 * Handlers have their own connections and read the fleet and what is marked "view" under
 * the view lock. */
#ifndef FC_MONITOR_MONITOR_H
#define FC_MONITOR_MONITOR_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/influx.h"
#include "common/mqtt.h"
#include "common/pg.h"
#include "common/service.h"
#include "services/monitor/facts.h"
#include "services/monitor/fleet.h"
#include "services/monitor/neighbours.h"
#include "services/monitor/outbox.h"
#include "services/monitor/settings.h"

struct monitor {
    struct monitor_settings set;
    struct service svc;
    struct dep *pg_dep, *influx_dep, *broker_dep, *turn_dep,
        *neighbour_deps[N_NEIGHBOURS];

    pthread_mutex_t run;
    struct pg *pg;
    struct influx *influx;
    struct neighbours *ask;
    struct mqtt *mqtt;
    struct outbox outbox; /* alerts that are not published yet */
    struct pg_pool *pool; /* for handlers */

    int64_t
        turn_pid; /* the Postgres session that holds the lock; 0: it is not our turn */
    bool loaded;  /* the fleet is what Postgres says */
    int64_t model_seq; /* champions are known up to here */
    char cursor[96];   /* of ingest's feed */
    int64_t scored;    /* newest hour done; INT64_MIN: none */
    int64_t jumped_to; /* the hour with which several closed at once, or INT64_MIN */
    int64_t fleet_day; /* asks of all series on a day */
    int64_t fleet_asked;
    int64_t pinged_ms, told_ms, probed_ms; /* monotonic: when last done */
    bool unsaved;        /* scored or cursor have moved and Postgres does not know */
    char complaint[480]; /* what stopped the loop, as last logged; "" = nothing */
    json_t *ahead; /* devices nobody knows yet, with hours that are not complete. owned */
    struct fields fields; /* quantities in `hourly`, as of this round */
    bool look;     /* at the next round: does `hourly` have devices nobody knows? */
    bool discover; /* ingest cannot tell what is new: look through everything */

    struct fleet fleet;
    size_t gauged;              /* series that have gauges */
    int64_t rolled_up, settled; /* view; INT64_MIN: none */
    json_t *services;           /* view: readiness per service. owned */
};

/* What a tick did, for POST /api/v1/tick. */
struct report {
    int64_t hours, evaluations, asked, decisions, alerts;
    bool active;       /* it was our turn */
    struct err failed; /* what stopped it, if its code is not ERR_NONE */
};

extern const struct service_desc *const monitor_service; /* for service_options() */

/* m->set is filled; fails for a schema of another version and for settings that cannot
 * work. Neighbours may be away. */
int monitor_open(struct monitor *m, struct err *e) MUST_CHECK;
void monitor_tick(struct monitor *m);
/* The same, from any thread; waits for a tick that is under way. */
void monitor_tick_now(struct monitor *m, struct report *r);
void monitor_close(struct monitor *m); /* a zeroed struct is fine */

#endif
