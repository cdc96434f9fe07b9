/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "services/ingest/retention.h"

#include <inttypes.h>
#include <string.h>

#include "common/clock.h"
#include "common/log.h"

#define DAY_MS (INT64_C(24) * 3600000)

static const struct {
    const char *measurement;
    bool readings; /* kept as long as readings, else as long as leads */
} table[] = {
    {"readings", true},        {"inference", true},    {"forecasts", true},
    {"forecast_leads", false}, {"evaluations", false}, {"device_status", false},
};

static int delete_before(struct influx *in, const char *measurement, int64_t t_ms,
                         struct err *e)
{
    struct buf q;
    json_t *series;
    buf_init(&q, 256);
    buf_adds(&q, "DELETE FROM ");
    influx_ql_ident(&q, measurement);
    buf_addf(&q, " WHERE time < %" PRId64 "ms", t_ms);
    int rc = influx_query(in, q.data, &series, e);
    if (!rc)
        json_decref(series);
    buf_done(&q);
    return rc;
}

void retention_init(struct retention *r, int64_t readings_d, int64_t leads_d,
                    int64_t seen_ms)
{
    *r = (struct retention){.readings_d = readings_d,
                            .leads_d = leads_d,
                            .done_day = INT64_MIN,
                            .wall_ms = clock_now_ms(),
                            .mono_ms = clock_mono_ms(),
                            .seen_ms = seen_ms};
}

int retention_believes(const struct retention *r, int64_t now_ms, int64_t mono_ms)
{
    int64_t passed_ms = mono_ms - r->mono_ms;
    if (r->seen_ms && r->wall_ms - r->seen_ms > RETENTION_UNSEEN_MS)
        return -1;
    if (now_ms - r->wall_ms - passed_ms > DAY_MS)
        return -1;
    return passed_ms >= HOUR_MS;
}

static bool believed(struct retention *r, int64_t now_ms)
{
    int b = clock_is_virtual() ? 1 : retention_believes(r, now_ms, clock_mono_ms());
    if (b < 0 && !r->said) {
        log_warn(
            "the clock has gone more than a day ahead, or was at the start a month after "
            "the newest message: old data is not deleted until ingest is restarted");
        r->said = true;
    }
    return b > 0;
}

/* *e is filled when it is not known. */
static bool can_delete(struct retention *r, struct influx *in, struct err *e)
{
    char version[64];
    if (!influx_server(in)->dialect && influx_ping(in, version, e))
        return false;
    if (influx_server(in)->dialect != INFLUX_3)
        return true;
    if (!r->said_3)
        log_info("InfluxDB 3 does not delete by time: give its database a retention "
                 "period (docs/ingest.md)");
    r->said_3 = true;
    return false;
}

void retention_run(struct retention *r, struct influx *in, int64_t now_ms)
{
    struct err e = ERR_INIT;
    int64_t day = now_ms / DAY_MS;
    if (day == r->done_day || !believed(r, now_ms))
        return;
    if (!can_delete(r, in, &e)) {
        r->done_day = e.code ? r->done_day : day;
        return;
    }
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        int64_t keep_d = table[i].readings ? r->readings_d : r->leads_d;
        if (keep_d &&
            delete_before(in, table[i].measurement, (day - keep_d) * DAY_MS, &e)) {
            if (strstr(e.text, "database not found"))
                return; /* nothing was ever written: it is made with the first */
            log_warn("could not delete old %s: %s", table[i].measurement, e.text);
            return;
        }
    }
    r->done_day = day;
}
