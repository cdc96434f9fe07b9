/* SPDX-License-Identifier: GPL-3.0-or-later */
/* watch: the thread that follows the registry.
 *
 * It listens for fieldcast_models, fetches what is new, and lets new champions serve: at
 * once for rows of features, and with a trajectory as soon as their hours are read. A
 * document that cannot be read is logged and counted; the champion before it goes on.
 *
 * The service is ready as soon as the registry answers: the champions that are there at
 * the start are read in the background, those first that somebody asks for. */
#ifndef FC_PREDICTOR_WATCH_H
#define FC_PREDICTOR_WATCH_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/service.h"
#include "services/predictor/models.h"
#include "services/predictor/settings.h"
#include "services/predictor/waitlist.h"

struct watch {
    struct service *svc; /* borrowed, like all below up to influx */
    struct models *models;
    struct dep *pg_dep;
    int64_t poll_ms;
    struct pg *pg;         /* owned */
    struct influx *influx; /* owned */
    pthread_t thread;
    bool running;
    atomic_bool stop, fatal; /* fatal: the schema is not ours; why says it */
    atomic_llong seq;        /* everything up to this model_seq serves */
    atomic_llong hour_ms;    /* set by the owner: the present origin, or NO_TIME */
    atomic_llong load_to_ms; /* set by the owner: newest hour worth reading */
    atomic_bool up;          /* the registry answers */
    bool checked;            /* the schema */
    bool told;               /* all that was there at the start is read */
    bool anew;               /* the registry is another one: all is read again */
    bool failed;             /* what is new could not be fetched the last time */
    uint64_t reading;        /* counts these readings */
    struct waitlist waiting; /* asked for before that */
    int64_t fetched;         /* newest model_seq seen */
    struct metric *failures;
    struct series **touched, **retired; /* by the batch under way. owned */
    size_t n_touched, n_retired;
    char why[480];
};

/* Checks the schema when Postgres is there: a wrong one fails; away is no failure. */
int watch_open(struct watch *w, struct service *svc, const struct predictor_settings *set,
               struct models *m, struct dep *pg_dep, struct err *e) MUST_CHECK;
int watch_start(struct watch *w, struct err *e) MUST_CHECK;
void watch_close(struct watch *w); /* a zeroed struct is fine */

/* While champions are still being read after the start: has that of this series read
 * first and waits for it; ERR_UNAVAILABLE when that takes too long. Any thread but the
 * event threads of HTTP. */
int watch_want(struct watch *w, const char *name, struct err *e) MUST_CHECK;

/* Lets version v (stolen) serve for its series at once, with the trajectory of the one
 * before until it has its own. Returns the series, or NULL with *e. Tests call it too. */
struct series *watch_install(struct models *m, struct metrics *metrics, const char *name,
                             struct version *v, struct err *e) MUST_CHECK;

#endif
