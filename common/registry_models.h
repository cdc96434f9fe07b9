/* SPDX-License-Identifier: GPL-3.0-or-later */
/* registry_models: models, versions and aliases in Postgres. A version never changes.
 * Each call uses the connection given, inside the caller's transaction if there is one.
 */
#ifndef FC_COMMON_REGISTRY_MODELS_H
#define FC_COMMON_REGISTRY_MODELS_H

#include <jansson.h>
#include <stdint.h>

#include "common/err.h"
#include "common/pg.h"
#include "common/reading.h"
#include "common/sha256.h"

/* One version as readers fetch it. Texts are owned. */
struct model_row {
    char name[SERIES_MAX + 1];
    int version;
    int64_t model_seq;
    char alias[16]; /* "champion", "previous", "challenger" or "" */
    char *document; /* JSON; NULL when it was not asked for */
    size_t document_len;
    char algorithm[40];
    char content_sha256[SHA256_HEX_SIZE];
    int64_t created_ms;
};
void model_row_done(struct model_row *r);

#define MODEL_ROW_MAX 80     /* bytes of one canonical training row, at most */
#define MODEL_ROWS_MAX 87600 /* ten years of hours */

/* Versions with model_seq > after, oldest first, at most limit, that hold an alias now or
 * have just lost it (alias "", and without the document); or, with champions, only those
 * that are champions. Calls each() per row (row is borrowed for the call). Returns the
 * number of rows, or -1. Readers call it again while it returns limit. */
int registry_models_since(struct pg *p, int64_t after, bool champions, int limit,
                          void (*each)(void *arg, const struct model_row *row), void *arg,
                          struct err *e) MUST_CHECK;

/* The newest model_seq there is (0 when there is no version). */
int registry_models_seq(struct pg *p, int64_t *seq, struct err *e) MUST_CHECK;

/* One version with its document, by number, or by alias when version is 0.
 * ERR_NOT_FOUND says which of model, version, alias is missing. */
int registry_model_get(struct pg *p, const char *name, int version, const char *alias,
                       struct model_row *row, struct err *e) MUST_CHECK;

/* The n canonical training rows of a version (owned, free()), as they were hashed; all
 * len / n bytes long. What cannot be unpacked is ERR_INTERNAL "rows_damaged". */
int registry_model_rows(struct pg *p, const char *name, int version, unsigned char **rows,
                        size_t *n, size_t *len, struct err *e) MUST_CHECK;

/* What a new version is made of; everything is borrowed. */
struct model_new_version {
    const char *name, *algorithm, *document;
    const void *rows; /* canonical training rows; stored compressed */
    size_t rows_n, rows_len;
    int64_t rows_from_ms, rows_to_ms;
    const char *rows_sha256;
    const json_t *metrics;
    const char *run_id;
};
/* Inserts it (and the model, if it is the first); *version is the next free number. */
int registry_model_insert(struct pg *p, const struct model_new_version *v, int *version,
                          struct err *e) MUST_CHECK;

/* Removes versions that are neither among the newest `keep` of their series, nor named by
 * a decision, nor by an alias. */
int registry_models_forget(struct pg *p, int keep, struct err *e) MUST_CHECK;

/* Until the end of the transaction no alias moves and no decision is written elsewhere.
 * It is taken before any row of jobs is changed, never after: it may have to be waited
 * for, and whoever cancels or beats needs these rows. */
int registry_lock(struct pg *p, struct err *e) MUST_CHECK;
/* The version that serves, 0 if none does. */
int registry_champion(struct pg *p, const char *name, int *version,
                      struct err *e) MUST_CHECK;
/* The champion that a version was compared with when it was trained (0: there was none,
 * or no decision tells): evidence of its first decision, {"challenger":V,"champion":C}.
 */
int registry_judged_against(struct pg *p, const char *name, int version, int *champion,
                            struct err *e) MUST_CHECK;
/* Gives a version the alias challenger. */
int registry_challenger(struct pg *p, const char *name, int version,
                        struct err *e) MUST_CHECK;

/* fc_promote() and fc_decide(): see deploy/postgres/migrations. evidence is borrowed.
 * Version and previous 0: none. These and the alias calls above belong inside a
 * transaction. */
int registry_promote(struct pg *p, const char *name, int version, const char *actor,
                     const char *reason, const json_t *evidence,
                     struct err *e) MUST_CHECK;
int registry_decide(struct pg *p, const char *series, const char *kind, int version,
                    int previous, const char *actor, const char *reason,
                    const json_t *evidence, struct err *e) MUST_CHECK;

/* GET /api/v1/models/{name}: {"name","aliases":{…},"versions":[…]}, new. versions newest
 * first, at most 100. NULL with *e. What is kept of a version besides the document is in
 * its entry: version, algorithm, created, content_sha256, run_id, metrics, training. */
json_t *registry_model_json(struct pg *p, const char *name, struct err *e) MUST_CHECK;
/* An array of {"name","created","aliases":{…},"latest"}, by name, after `after` ("": from
 * the first), at most limit. */
json_t *registry_models_json(struct pg *p, const char *after, int limit,
                             struct err *e) MUST_CHECK;

#endif
