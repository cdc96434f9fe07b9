/* SPDX-License-Identifier: GPL-3.0-or-later */
/* versions: model versions that are no champion, fetched by number when asked for, and
 * the last few of them kept. A version never changes, so nothing here gets out of date.
 * Worker threads only: it may wait for Postgres. */
#ifndef FC_PREDICTOR_VERSIONS_H
#define FC_PREDICTOR_VERSIONS_H

#include <stddef.h>

#include "common/err.h"
#include "common/pg.h"
#include "services/predictor/models.h"

struct versions;

/* keep: how many. pool: borrowed. */
struct versions *versions_new(size_t keep, struct pg_pool *pool);
void versions_free(struct versions *c); /* NULL is fine */

/* A reference (version_put()). ERR_NOT_FOUND says whether model or version is missing. */
struct version *versions_get(struct versions *c, const char *name, int number,
                             struct err *e) MUST_CHECK;

/* Puts one in (unit tests; versions_get() does it by itself). v: borrowed. */
void versions_keep(struct versions *c, const char *name, struct version *v);

#endif
