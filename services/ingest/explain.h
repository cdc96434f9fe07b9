/* SPDX-License-Identifier: GPL-3.0-or-later */
/* explain: what would become of a message, without taking it. */
#ifndef FC_INGEST_EXPLAIN_H
#define FC_INGEST_EXPLAIN_H

#include <jansson.h>

#include "services/ingest/understand.h"

/* body: {"topic", "payload" (text, or JSON as it would be sent), "retain"}. New
 * reference:
 * {"decoder","accepted","reason","detail","device","time","time_source","values","line"}.
 */
json_t *explain(const json_t *body, const struct timefix *fix, struct ledger *l,
                int64_t now_ms, struct err *e) MUST_CHECK;

#endif
