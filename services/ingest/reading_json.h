/* SPDX-License-Identifier: GPL-3.0-or-later */
/* reading_json: a reading as a native message, the one JSON form that readings have where
 * they leave ingest other than as points. Pure; any thread. */
#ifndef FC_INGEST_READING_JSON_H
#define FC_INGEST_READING_JSON_H

#include "common/buf.h"
#include "common/reading.h"

/* {"device":"kitchen","boot":12,"seq":4711,"ts_ms":1795132800000,
 *  "received_ms":1795132800120,"values":{…}}; boot, seq and ts_ms are left out when there
 * is none, received_ms when it is INT64_MIN. */
void reading_write(struct buf *b, const struct reading *r, int64_t receive_ms);
/* The same without its braces, for an object that has more. */
void reading_write_members(struct buf *b, const struct reading *r, int64_t receive_ms);

/* {"temperature":21.4,"humidity":48.2} */
void reading_write_values(struct buf *b, const struct reading_value *v, size_t n);

#endif
