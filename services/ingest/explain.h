/* SPDX-License-Identifier: GPL-3.0-or-later */
/* explain: what would become of a message, without taking it. */
#ifndef FC_INGEST_EXPLAIN_H
#define FC_INGEST_EXPLAIN_H

#include <jansson.h>

#include "services/ingest/intake.h"

/* body: {"topic", "payload" (text, or JSON as it would be sent; or "payload_base64"),
 * "retain"}. New reference:
 * {"decoder","accepted","reason","detail",
 *  "items":[{"device","accepted","reason","time","time_source","why",
 *            "late","values","line"} or
 *           {"device","status"}]}
 * reason and detail: of the first thing refused, also where the rest is accepted. late:
 * it is older than grace_ms, and its hour may be rolled up again. */
json_t *explain(const json_t *body, struct intake *in, int64_t now_ms, int64_t grace_ms,
                struct err *e) MUST_CHECK;

#endif
