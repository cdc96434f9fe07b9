/* SPDX-License-Identifier: GPL-3.0-or-later */
/* api: the trainer's routes (openapi.yaml tells them to clients). */
#ifndef FC_TRAINER_API_H
#define FC_TRAINER_API_H

#include "common/http_server.h"
#include "common/reading.h"
#include "common/service.h"
#include "services/trainer/trainer.h"

extern const struct service_desc trainer_service;
extern const struct route trainer_routes[];

#define API_LIST_MAX 1000    /* items of one answer */
#define API_SERIES_MAX 10000 /* names of one POST /train */

/* Of jobs whose request names none: all series at once, the monitor's (0), a person's. */
#define PRIORITY_ALL -10
#define PRIORITY_PERSON 10

/* A parsed POST /api/v1/train. */
struct train_request {
    json_t *series; /* array of canonical names, NULL: all. owned */
    char reason[501];
    const char *preset; /* static; NULL: none */
    int64_t priority;
};
int train_request_parse(const struct req *q, struct train_request *r,
                        struct err *e) MUST_CHECK;
void train_request_done(struct train_request *r);

/* For the handlers of api_*.c. A connection, to be given back with pg_pool_put(). */
struct pg *api_pg(void *app, struct err *e) MUST_CHECK;
/* limit (1..API_LIST_MAX, default 100). */
int api_limit(const struct req *q, int *limit, struct err *e) MUST_CHECK;
/* Refuses a field of the body that is not in allowed[] (NULL ends it). */
int api_only(const json_t *body, const char *const allowed[], struct err *e) MUST_CHECK;
/* The parameter "series" in its canonical spelling; *series NULL when it is not given. */
int api_series(const struct req *q, char name[SERIES_MAX + 1], const char **series,
               struct err *e) MUST_CHECK;

/* The field "series" of a body: the array with canonical names, new; NULL for "all". */
int api_names(const json_t *series, json_t **names, struct err *e) MUST_CHECK;

int api_get_jobs(void *app, const struct req *q, struct res *s, struct err *e);
int api_get_open_jobs(void *app, const struct req *q, struct res *s, struct err *e);
int api_cancel_jobs(void *app, const struct req *q, struct res *s, struct err *e);
int api_get_job(void *app, const struct req *q, struct res *s, struct err *e);
int api_cancel_job(void *app, const struct req *q, struct res *s, struct err *e);
int api_get_runs(void *app, const struct req *q, struct res *s, struct err *e);
int api_get_run(void *app, const struct req *q, struct res *s, struct err *e);
int api_get_artifact(void *app, const struct req *q, struct res *s, struct err *e);
int api_get_models(void *app, const struct req *q, struct res *s, struct err *e);
int api_get_model(void *app, const struct req *q, struct res *s, struct err *e);
int api_get_version(void *app, const struct req *q, struct res *s, struct err *e);
int api_get_rows(void *app, const struct req *q, struct res *s, struct err *e);
int api_promote(void *app, const struct req *q, struct res *s, struct err *e);
int api_verify(void *app, const struct req *q, struct res *s, struct err *e);

#endif
