/* SPDX-License-Identifier: GPL-3.0-or-later */
/* kafka_value: how a reading looks in Kafka. Pure; any thread.
 *
 *   fieldcast  key: device
 *     {"device":"kitchen","boot":12,"seq":4711,"ts_ms":1795132800000,
 *      "received_ms":1795132800120,"values":{"temperature":21.4}}
 *   system2    key: name
 *     {"id":"000000000","name":"iot_sensor_0","place_id":"000000000",
 *      "payload":{"temperature":24.1,"pressure":101325,"timestamp":1795132800000,
 *                 "date":"2026-11-20T00:00:00.000Z"}}
 *
 * In the second shape a message that came in it stays as it was, and gets timestamp and
 * date; a reading of another kind is written in it, with pressures in pascal. */
#ifndef FC_INGEST_KAFKA_VALUE_H
#define FC_INGEST_KAFKA_VALUE_H

#include "common/buf.h"
#include "common/reading.h"
#include "services/ingest/wal_record.h"

#define KAFKA_VALUE_MAX (512u * 1024)

enum kafka_shape { KAFKA_SHAPE_NATIVE, KAFKA_SHAPE_SYSTEM2 };
/* Of FC_KAFKA_PRESET: -1 when there is none of that name. */
int kafka_shape_parse(const char *name, enum kafka_shape *shape);
const char *kafka_shape_name(enum kafka_shape shape);  /* in the header fieldcast.shape */
const char *kafka_shape_topic(enum kafka_shape shape); /* where nobody says another */

/* What goes into a value. rec: where r came from; decoder: that read it. */
struct kafka_reading {
    const struct reading *r;
    const char *decoder;
    const struct wal_record *rec;
};

const char *kafka_value_key(enum kafka_shape shape, const struct reading *r);
/* Appends the value; -1 when it does not fit. */
int kafka_value(enum kafka_shape shape, const struct kafka_reading *k, struct buf *b);

#endif
