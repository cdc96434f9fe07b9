/* SPDX-License-Identifier: GPL-3.0-or-later */
/* neighbours: what monitor asks of the other services over HTTP. One thread at a time. */
#ifndef FC_MONITOR_NEIGHBOURS_H
#define FC_MONITOR_NEIGHBOURS_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/err.h"
#include "common/service.h"
#include "services/monitor/settings.h"

enum neighbour { INGEST, TRAINER, PREDICTOR, N_NEIGHBOURS };
extern const char *const neighbour_names[N_NEIGHBOURS];

struct neighbours;

/* deps: one per neighbour; borrowed, kept up to date. */
struct neighbours *neighbours_new(const struct monitor_settings *set, struct metrics *m,
                                  struct dep *deps[N_NEIGHBOURS]);
void neighbours_free(struct neighbours *n);

/* Which hours are rolled up. cursor: "" at first, then what came last time. */
struct feed {
    char cursor[96];   /* for the next time */
    bool reset;        /* items are not all: look through `hourly` */
    int64_t rolled_up; /* INT64_MIN: none yet */
    json_t *items;     /* array of {"device","from_ms","to_ms"}; owned */
};
int neighbours_feed(struct neighbours *n, const char *cursor, struct feed *f,
                    struct err *e) MUST_CHECK;

/* How far predictor is: newest origin whose forecasts are written (INT64_MIN: none). */
int neighbours_progress(struct neighbours *n, int64_t *forecast, int64_t *model_seq,
                        struct err *e) MUST_CHECK;

/* Asks trainer; jobs: new array of {"id","series","state"}. preset NULL: none. */
int neighbours_train(struct neighbours *n, const json_t *series, const char *reason,
                     const char *preset, json_t **jobs, struct err *e) MUST_CHECK;

/* {"ready":…,"waiting_for":[…]} of one service as its /readyz says, new; never NULL. */
json_t *neighbours_readiness(struct neighbours *n, enum neighbour who);

/* The service's /metrics, owned text; NULL when it is away. */
char *neighbours_metrics(struct neighbours *n, enum neighbour who);

#endif
