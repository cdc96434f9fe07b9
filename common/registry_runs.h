/* SPDX-License-Identifier: GPL-3.0-or-later */
/* registry_runs: what each training was made of and came to (runs, parameters, metrics,
 * tags, inputs, artifacts), in Postgres. Each call uses the connection given, inside the
 * caller's transaction if there is one. */
#ifndef FC_COMMON_REGISTRY_RUNS_H
#define FC_COMMON_REGISTRY_RUNS_H

#include <jansson.h>
#include <stdint.h>

#include "common/err.h"
#include "common/pg.h"

#define RUN_ID_SIZE 33 /* 32 hex digits and NUL */

/* A finished run; everything is borrowed. Its experiment is "fieldcast". */
struct run_new {
    const char *id, *name, *series;
    int64_t job_id;
    int64_t started_ms, ended_ms;
    const json_t *params;  /* flat object of strings */
    const json_t *metrics; /* flat object of reals; null is left out */
    const json_t *tags;    /* flat object of strings */
    const char *input, *input_sha256;
    const json_t *input_source; /* where the input came from */
};
int registry_run_insert(struct pg *p, const struct run_new *r, struct err *e) MUST_CHECK;

/* Keeps bytes under a path of the run ("evidence.json"); the same bytes are stored once.
 */
int registry_run_artifact(struct pg *p, const char *run_id, const char *path,
                          const void *bytes, size_t len, struct err *e) MUST_CHECK;
/* Those bytes, owned, NUL-terminated. ERR_NOT_FOUND. */
char *registry_artifact_get(struct pg *p, const char *run_id, const char *path,
                            size_t *len, struct err *e) MUST_CHECK;

/* One run with all it has, new; NULL with *e. */
json_t *registry_run_json(struct pg *p, const char *id, struct err *e) MUST_CHECK;
/* An array of runs with their metrics, newest first. series NULL: all. cursor NULL: from
 * the newest, else what the last call left in next ("" = that was all). */
#define RUNS_CURSOR_SIZE 64
json_t *registry_runs_json(struct pg *p, const char *series, const char *cursor,
                           int limit, char next[RUNS_CURSOR_SIZE],
                           struct err *e) MUST_CHECK;

/* Removes runs that started before t_ms, and bytes that no run names any more. */
int registry_runs_forget(struct pg *p, int64_t t_ms, struct err *e) MUST_CHECK;

#endif
