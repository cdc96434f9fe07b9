/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ingest: the service, put together.
 *
 *   MQTT  ─ mqtt_in ─┐                       ┌─ sink_influx ─► readings, device_status
 *                    ├─ intake ─► wal (log) ─┤        └─ hours ─► rollup ─► hourly
 *   HTTP  ─ api ─────┤        └─ sink_live ─► predictor
 *                    │                       ├─ sink_kafka ─► Kafka
 *   Kafka ─ kafka_in ┘                       └─ sink_archive ─► files of JSON lines
 */
#ifndef FC_INGEST_INGEST_H
#define FC_INGEST_INGEST_H

#include <stdatomic.h>

#include "common/service.h"
#include "services/ingest/deadletter.h"
#include "services/ingest/hours.h"
#include "services/ingest/influx_state.h"
#include "services/ingest/intake.h"
#include "services/ingest/kafka_side.h"
#include "services/ingest/ledger.h"
#include "services/ingest/ledger_metrics.h"
#include "services/ingest/mqtt_in.h"
#include "services/ingest/rollup.h"
#include "services/ingest/settings.h"
#include "services/ingest/sink_archive.h"
#include "services/ingest/sink_influx.h"
#include "services/ingest/sink_live.h"
#include "services/ingest/wal.h"

struct ingest {
    struct ingest_settings set;
    struct service service;
    struct dep *log;         /* down while the log takes nothing */
    atomic_bool log_refused; /* a POST, since that was last looked at */
    struct interpreter how;
    struct mapping *mapping; /* NULL: none */
    struct wal *wal;
    struct wal_reader *reader; /* InfluxDB's cursor */
    struct ledger *ledger;
    struct guard *guard;
    struct memory *memory;
    struct deadletter *letters;
    struct hours *hours;
    struct sink_live *live;
    struct intake *intake;
    struct influx_state *influx_state;
    struct sink_influx *influx;
    struct wal_reader *archive_reader;
    struct sink_archive *archive;
    struct rollup *rollup;
    struct announce *announce; /* NULL: Home Assistant is not told */
    struct mqtt_in *mqtt;
    struct kafka_side kafka;
    struct metric *spool, *devices, *remembered, *missing, *account[LEDGER_STATES];
    struct ledger_metrics per_device;
    int64_t started_ms;
};

extern const struct service_desc ingest_service;

/* set is loaded. On failure call ingest_close() all the same. */
int ingest_open(struct ingest *i, struct err *e) MUST_CHECK;
void ingest_close(struct ingest *i);
/* The log has refused what was posted. /readyz says so until ingest_tick() finds that it
 * would take a message again: who posts may not come back. Any thread. */
void ingest_log_refused(struct ingest *i, const char *why);
/* What is looked at now and then. For the main thread. */
void ingest_tick(struct ingest *i);

#endif
