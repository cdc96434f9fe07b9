/* SPDX-License-Identifier: GPL-3.0-or-later */
/* registry_decisions: the append-only, hash-chained ledger of what was decided, and why.
 *
 * Rows are appended by fc_decide() and fc_promote() in Postgres and never change. Each
 * call uses the connection given, inside the caller's transaction if there is one. */
#ifndef FC_COMMON_REGISTRY_DECISIONS_H
#define FC_COMMON_REGISTRY_DECISIONS_H

#include <jansson.h>
#include <stdint.h>

#include "common/err.h"
#include "common/pg.h"

/* Appends several in the order of the array: {"series","kind","version" (or null),
 * "previous" (or null),"actor","reason","evidence"}. */
int registry_decide_all(struct pg *p, const json_t *rows, struct err *e) MUST_CHECK;

/* A decision as GET /api/v1/decisions/{id} shows it:
 * {"id","at","series","kind","version","previous","actor","reason","evidence",
 *  "prev_sha256","sha256"}, new. ERR_NOT_FOUND names the id. */
json_t *registry_decision_json(struct pg *p, int64_t id, struct err *e) MUST_CHECK;

/* Newest first, with ids below before, at most limit. series, kind NULL: all. from_ms,
 * to_ms: decided in [from, to). New. */
json_t *registry_decisions_json(struct pg *p, const char *series, const char *kind,
                                int64_t before, int64_t from_ms, int64_t to_ms, int limit,
                                struct err *e) MUST_CHECK;

/* What served at a time, and why: per series the last promotion or rollback at or before
 * at_ms,
 * {"series","version","previous","since","kind","actor","reason","evidence","decision"},
 * by series, after the name `after`, at most limit. series NULL: all of them. New. */
json_t *registry_served_json(struct pg *p, const char *series, int64_t at_ms,
                             const char *after, int limit, struct err *e) MUST_CHECK;

/* Recomputes the chain: {"whole":bool,"decisions":n,"first_bad":id or null,"head":sha256
 * or null}, new. */
json_t *registry_decisions_verify_json(struct pg *p, struct err *e) MUST_CHECK;

#endif
