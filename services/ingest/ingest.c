/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "services/ingest/ingest.h"

#include <stdio.h>
#include <stdlib.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/mem.h"
#include "services/ingest/api.h"

#define SEGMENT_BYTES (INT64_C(64) << 20)
#define MB (INT64_C(1) << 20)
#define JUMP_GRACE_MS 3000 /* several times what a sink needs to save its cursor */

const struct service_desc ingest_service = {
    .name = "ingest",
    .sentence =
        "takes readings by MQTT and HTTP, loses none, and writes them to InfluxDB",
    .settings = ingest_settings_table,
    .routes = ingest_routes,
};

static struct influx *new_influx(const struct ingest_settings *s)
{
    return influx_new(&s->influx);
}

/* Marks of hours that no reading can be of are rubbish. A clock that is not set yet must
 * not make them of all: the log knows a later time. A year that ingest was not running
 * does no harm. */
static struct hours *open_hours(const struct ingest *i, const char *path, struct err *e)
{
    int64_t now_ms = clock_now_ms(), seen_ms = wal_last_ms(i->wal);
    int64_t oldest_ms = seen_ms && seen_ms < now_ms ? seen_ms : now_ms;
    int64_t newest_ms = seen_ms > now_ms ? seen_ms : now_ms;
    int32_t first = hour_of(oldest_ms - (i->set.time_past_d + 366) * 24 * HOUR_MS);
    int32_t last = hour_of(newest_ms + i->set.time_future_s * 1000) + 48;
    return hours_open(path, i->ledger, first, last, e);
}

/* What is on disk: the log, devices, dead letters, marked hours. */
static int open_disk(struct ingest *i, struct err *e)
{
    int64_t max = i->set.log_max_mb * MB;
    struct wal_opts w = {.dir = i->set.data_dir,
                         .max_bytes = max,
                         .segment_bytes =
                             max / 4 < SEGMENT_BYTES ? max / 4 : SEGMENT_BYTES,
                         .segment_ms = HOUR_MS,
                         .max_age_ms = i->set.log_max_age_d * 24 * HOUR_MS,
                         .grace_ms = JUMP_GRACE_MS,
                         .power = ingest_settings_power(&i->set)};
    i->wal = wal_open(&w, e);
    if (!i->wal || !(i->reader = wal_reader_open(i->wal, "influx", 0, e)) ||
        kafka_side_open_cursor(&i->kafka, &i->set.kafka, i->wal, e))
        return -1;
    if (*i->set.archive_dir &&
        !(i->archive_reader = wal_reader_open(i->wal, "archive", 0, e)))
        return -1;
    wal_ready(i->wal);
    char *devices = xasprintf("%s/devices.jsonl", i->set.data_dir);
    char *hours = xasprintf("%s/hours.marked", i->set.data_dir);
    i->ledger = ledger_open(devices, (size_t)i->set.devices_max, i->service.metrics, e);
    if (i->ledger)
        i->letters = deadletter_open(i->set.data_dir, i->set.deadletter_max_mb * MB,
                                     wal_committed(i->reader), e);
    if (i->letters)
        i->memory = memory_open(i->set.data_dir, ingest_settings_power(&i->set), e);
    if (i->memory)
        i->hours = open_hours(i, hours, e);
    free(devices);
    free(hours);
    return i->hours ? 0 : -1;
}

static void update_gauges(void *arg)
{
    struct ingest *i = arg;
    metric_set(i->spool, (double)(wal_end(i->wal) - sink_influx_written(i->influx)));
    metric_set(i->devices, (double)ledger_size(i->ledger));
    metric_set(i->remembered, (double)memory_bytes(i->memory));
    metric_set(i->missing, (double)intake_missing(i->intake));
    struct counts c = ledger_totals(i->ledger);
    for (size_t k = 0; k < LEDGER_STATES; k++)
        metric_set(i->account[k], (double)ledger_state_of(&c, k));
}

static void make_metrics(struct ingest *i)
{
    struct metrics *m = i->service.metrics;
    i->spool = metric_gauge(m, "fieldcast_ingest_spool_bytes",
                            "Bytes of the log that are not in InfluxDB yet.", NULL);
    i->devices =
        metric_gauge(m, "fieldcast_ingest_devices", "Devices that are known.", NULL);
    i->remembered =
        metric_gauge(m, "fieldcast_ingest_memory_bytes",
                     "Bytes of births and descriptions that are remembered.", NULL);
    metric_set(metric_gauge(m, "fieldcast_ingest_memory_capacity_bytes",
                            "Most bytes that are remembered.", NULL),
               MEMORY_BYTES);
    metric_set(metric_gauge(m, "fieldcast_ingest_spool_capacity_bytes",
                            "Largest size of the log.", NULL),
               (double)(i->set.log_max_mb * MB));
    i->missing = metric_gauge(m, "fieldcast_ingest_missing_numbers",
                              "Numbers that devices passed over.", NULL);
    for (size_t k = 0; k < LEDGER_STATES; k++) {
        char label[40];
        snprintf(label, sizeof label, "state=\"%s\"", ledger_state(k));
        i->account[k] = metric_gauge(m, "fieldcast_ingest_ledger_readings",
                                     "Readings since the start: received = stored + "
                                     "duplicate + rejected + pending.",
                                     label);
    }
    ledger_metrics_init(&i->per_device, i->ledger, (size_t)i->set.metrics_devices, m);
    metrics_on_render(m, update_gauges, i);
}

static int open_sinks(struct ingest *i, struct dep *influx, struct err *e)
{
    i->influx_state = influx_state_new(influx, i->service.metrics);
    struct sink_influx_opts s = {.wal = i->wal,
                                 .reader = i->reader,
                                 .how = i->how,
                                 .hours = i->hours,
                                 .grace_ms = i->set.common.grace_s * 1000,
                                 .letters = i->letters,
                                 .in = new_influx(&i->set),
                                 .points = (size_t)i->set.batch_points,
                                 .flush_ms = i->set.flush_ms,
                                 .state = i->influx_state,
                                 .metrics = i->service.metrics};
    i->influx = sink_influx_open(&s, e);
    if (!i->influx)
        return -1;
    struct rollup_opts r = {.wal = i->wal,
                            .intake = i->intake,
                            .sink = i->influx,
                            .hours = i->hours,
                            .in = new_influx(&i->set),
                            .state = i->influx_state,
                            .metrics = i->service.metrics,
                            .tick_ms = i->set.common.tick_ms,
                            .grace_ms = i->set.common.grace_s * 1000,
                            .retain_readings_d = i->set.retain_readings_d,
                            .retain_leads_d = i->set.retain_leads_d};
    i->rollup = rollup_open(&r, e);
    return i->rollup ? 0 : -1;
}

static int open_archive(struct ingest *i, struct err *e)
{
    if (!i->archive_reader)
        return 0;
    struct sink_archive_opts a = {.wal = i->wal,
                                  .reader = i->archive_reader,
                                  .how = i->how,
                                  .dir = i->set.archive_dir,
                                  .file_bytes = i->set.archive_file_mb * MB,
                                  .keep_d = i->set.archive_keep_d,
                                  .backlog_bytes = i->set.log_max_mb * MB / 2,
                                  .power = ingest_settings_power(&i->set),
                                  .dep = service_dep(&i->service, "archive", false),
                                  .metrics = i->service.metrics};
    i->archive = sink_archive_open(&a, e);
    return i->archive ? 0 : -1;
}

static int open_kafka(struct ingest *i, struct err *e)
{
    struct kafka_side_opts k = {.set = &i->set.kafka,
                                .service = &i->service,
                                .wal = i->wal,
                                .log_max_bytes = i->set.log_max_mb * MB,
                                .how = i->how,
                                .intake = i->intake,
                                .log = i->log};
    return kafka_side_open(&i->kafka, &k, e);
}

int ingest_open(struct ingest *i, struct err *e)
{
    struct service *s = &i->service;
    if (service_open(s, &ingest_service, &i->set.common, e) ||
        (*i->set.decode_file && !(i->mapping = mapping_load(i->set.decode_file, e))) ||
        open_disk(i, e))
        return -1;
    i->started_ms = clock_now_ms();
    struct guard_limits limits = {.devices_per_min = i->set.devices_per_min,
                                  .quantities = i->set.quantities_max,
                                  .names = i->set.quantity_names_max};
    i->guard = guard_new(&limits);
    i->how.ledger = i->ledger;
    i->how.guard = i->guard;
    i->how.mapping = i->mapping;
    i->how.member = (int)i->set.member;
    i->how.memory = i->memory;
    i->how.fix = (struct timefix){.past_ms = i->set.time_past_d * 24 * HOUR_MS,
                                  .future_ms = i->set.time_future_s * 1000,
                                  .local_min = i->set.time_local_min};
    struct dep *broker = service_dep(s, "broker", true);
    struct dep *influx = service_dep(s, "influxdb", true);
    struct dep *subscription = service_dep(s, "subscription", false);
    i->log = service_dep(s, "log", true);
    dep_up(i->log);
    if (*i->set.live_urls) {
        struct dep *predictor = service_dep(s, "predictor", false);
        if (sink_live_open(&i->live, i->set.live_urls, i->set.common.service_token,
                           predictor, s->metrics, e))
            return -1;
    }
    i->intake = intake_new(i->wal, &i->how, i->live, s->metrics);
    if (i->set.ha_discovery)
        i->announce = announce_new(i->set.ha_prefix, i->set.ha_expire_s, i->ledger);
    intake_announce(i->intake, i->announce);
    if (intake_remember(i->intake, wal_committed(i->reader), e) ||
        open_sinks(i, influx, e) || open_kafka(i, e) || open_archive(i, e))
        return -1;
    make_metrics(i);
    if (service_listen(s, i, e))
        return -1;
    struct mqtt_in_opts m = {.set = &i->set,
                             .mapping = i->mapping,
                             .intake = i->intake,
                             .announce = i->announce,
                             .broker = broker,
                             .subscription = subscription,
                             .log = i->log,
                             .metrics = s->metrics};
    i->mqtt = mqtt_in_open(&m, e);
    return i->mqtt ? 0 : -1;
}

void ingest_log_refused(struct ingest *i, const char *why)
{
    dep_down(i->log, why);
    atomic_store(&i->log_refused, true);
}

void ingest_tick(struct ingest *i)
{
    struct err e = ERR_INIT;
    wal_tidy(i->wal, clock_now_ms());
    if (!atomic_exchange(&i->log_refused, false))
        return;
    if (intake_try(i->intake, &e))
        ingest_log_refused(i, e.text);
    else
        dep_up(i->log);
}

void ingest_close(struct ingest *i)
{
    kafka_side_close_source(&i->kafka);
    mqtt_in_close(i->mqtt);
    service_unlisten(&i->service);
    kafka_side_close(&i->kafka);
    rollup_close(i->rollup);
    sink_influx_close(i->influx);
    sink_archive_close(i->archive);
    influx_state_free(i->influx_state);
    sink_live_close(i->live);
    intake_free(i->intake);
    announce_free(i->announce);
    hours_close(i->hours);
    memory_close(i->memory);
    deadletter_close(i->letters);
    guard_free(i->guard);
    ledger_close(i->ledger);
    wal_reader_close(i->reader);
    wal_reader_close(i->archive_reader);
    wal_close(i->wal);
    mapping_free(i->mapping);
    service_close(&i->service);
    ingest_settings_done(&i->set);
}
