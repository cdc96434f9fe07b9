/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A round of the roll-up: which quantities the marked hours have, their readings from
 * InfluxDB as hours, and these into it. */
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/json.h"
#include "common/mem.h"
#include "services/ingest/rollup_internal.h"
#include "services/ingest/rollup_query.h"

#define RETRY_MS 1000
#define FAILURES 3 /* rounds in a row until InfluxDB counts as away */

/* ---- which quantities
 * ---------------------------------------------------------------------- */

void rollup_forget_names(struct rollup *r)
{
    for (size_t i = 0; i < r->n_names; i++)
        free(r->names[i]);
    free(r->names);
    r->names = NULL;
    r->n_names = 0;
}

/* What batch_reading_line() writes beside them is none. */
static bool is_quantity(const char *name)
{
    static const char *const others[] = {"received_ms", "device_ms", "seq", "quality",
                                         "late"};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (!strcmp(name, others[i]))
            return false;
    return true;
}

/* What was measured before this process started is not known by bits: InfluxDB knows. */
static int ask_names(struct rollup *r, struct err *e)
{
    json_t *series, *row;
    size_t i;
    rollup_forget_names(r);
    if (influx_query(r->o.in, "SHOW FIELD KEYS FROM \"readings\"", &series, e))
        return -1;
    json_t *values = json_object_get(json_array_get(series, 0), "values");
    r->names = xcalloc(json_array_size(values) + 1, sizeof *r->names);
    json_array_foreach(values, i, row)
    {
        const char *name = json_string_value(json_array_get(row, 0));
        if (name && strlen(name) <= QUANTITY_MAX && is_quantity(name))
            r->names[r->n_names++] = xstrdup(name);
    }
    json_decref(series);
    return 0;
}

/* The names for n pieces; *out has room for HOURS_NAMES, or is set to the long list. */
static int names_for(struct rollup *r, const struct hour_range *p, size_t n,
                     const char *bits[HOURS_NAMES], const char *const **out,
                     size_t *n_out, struct err *e)
{
    uint64_t all = 0;
    for (size_t i = 0; i < n; i++)
        all |= p[i].quantities;
    if (all & HOURS_OTHER) {
        if (!r->names && ask_names(r, e))
            return -1;
        *out = (const char *const *)r->names;
        *n_out = r->n_names;
        return 0;
    }
    *out = bits;
    *n_out = 0;
    for (int i = 0; i < HOURS_NAMES; i++)
        if (all >> i & 1)
            bits[(*n_out)++] = hours_name(r->o.hours, i);
    return 0;
}

/* ---- a round
 * ------------------------------------------------------------------------------- */

/* What is too large for InfluxDB is written in halves. */
static enum influx_verdict write_bytes(struct rollup *r, const char *lines, size_t len,
                                       struct err *e)
{
    int retry_after_s;
    enum influx_verdict v = influx_write(r->o.in, lines, len, &retry_after_s, e);
    const char *mid = memchr(lines + len / 2, '\n', len - len / 2);
    size_t first = mid ? (size_t)(mid - lines) + 1 : len;
    if (v != INFLUX_SPLIT || first == len)
        return v;
    *e = (struct err)ERR_INIT;
    v = write_bytes(r, lines, first, e);
    if (v != INFLUX_OK && v != INFLUX_REJECT)
        return v;
    enum influx_verdict second = write_bytes(r, lines + first, len - first, e);
    return second == INFLUX_OK ? v : second;
}

static int write_lines(struct rollup *r, struct err *e)
{
    if (!r->lines.len)
        return 0;
    struct err why = ERR_INIT;
    enum influx_verdict v = write_bytes(r, r->lines.data, r->lines.len, &why);
    buf_reset(&r->lines);
    if (v == INFLUX_REJECT) /* it has written the others, and will not take these later */
        log_error("InfluxDB refused points of hourly: %s", why.text);
    if (v == INFLUX_OK || v == INFLUX_REJECT)
        return 0;
    *e = why;
    return -1;
}

/* How many devices the next query for readings asks for: so many that the answer is
 * neither small nor large, whatever the cadence. */
static void adapt(struct rollup *r, size_t devices, size_t rows)
{
    size_t n = rows ? devices * ROLLUP_ROWS / rows : ROLLUP_DEVICES;
    n = n < 2 * devices ? n : 2 * devices;
    r->devices = n < 1 ? 1 : n < ROLLUP_DEVICES ? n : ROLLUP_DEVICES;
}

static size_t chunk(const struct rollup *r, const struct hour_range *p, size_t n)
{
    size_t hours = (size_t)(p->to - p->from) + 1, fit = ROLLUP_CELLS / hours;
    if (rollup_way(p) == ROLLUP_READINGS)
        fit = r->devices;
    return rollup_chunk(p, n, fit < ROLLUP_DEVICES ? fit : ROLLUP_DEVICES);
}

/* A late reading of a day that is deleted by now must not stand for its whole hour. */
static bool readings_may_be_gone(const struct rollup *r, const struct hour_range *p)
{
    int64_t keep_d = r->o.retain_readings_d, day = clock_now_ms() / (24 * HOUR_MS);
    return keep_d && p->from * HOUR_MS < (day - keep_d) * 24 * HOUR_MS;
}

static int ask_kept(struct rollup *r, const struct hour_range *p, size_t n,
                    const char *const *names, size_t n_names, json_t **kept,
                    struct err *e)
{
    json_t *series;
    buf_reset(&r->query);
    rollup_kept_query(&r->query, p, n, names, n_names);
    if (influx_query(r->o.in, r->query.data, &series, e))
        return -1;
    *kept = rollup_kept(series);
    json_decref(series);
    return 0;
}

/* The hours of at most ROLLUP_NAMES quantities, with the question in r->query. */
static int roll_names(struct rollup *r, enum rollup_way way, size_t most,
                      const struct hour_range *p, size_t n, const char *const *names,
                      size_t n_names, struct err *e)
{
    json_t *series, *kept = NULL;
    size_t rows;
    buf_reset(&r->query);
    rollup_query(&r->query, way, p, n, names, n_names);
    if (influx_query_within(r->o.in, r->query.data, most, &series, e))
        return -1;
    int rc = readings_may_be_gone(r, p) ? ask_kept(r, p, n, names, n_names, &kept, e) : 0;
    if (!rc) {
        rollup_lines(&r->lines, way, p, series, kept, &rows);
        if (way == ROLLUP_READINGS)
            adapt(r, n, rows);
    }
    json_decref(kept);
    json_decref(series);
    return rc ? -1 : write_lines(r, e);
}

/* Pieces of equal hours: ask, and write the answer. */
static int roll_at_once(struct rollup *r, enum rollup_way way, size_t most,
                        const struct hour_range *p, size_t n, struct err *e)
{
    const char *bits[HOURS_NAMES];
    const char *const *names;
    size_t n_names;
    if (names_for(r, p, n, bits, &names, &n_names, e))
        return -1;
    for (size_t i = 0, k; i < n_names; i += k) {
        k = n_names - i < ROLLUP_NAMES ? n_names - i : ROLLUP_NAMES;
        if (roll_names(r, way, most, p, n, names + i, k, e))
            return -1;
    }
    return 0;
}

static bool is_away(const struct err *e)
{
    return e->code == ERR_UNAVAILABLE || e->code == ERR_TIMEOUT;
}

/* Readings, as long as the answer is small; of fewer devices, when it is not; of a device
 * with very many, their sums. What InfluxDB cannot sum up is read, however much it is. */
static int roll_hour(struct rollup *r, const struct hour_range *p, size_t n,
                     struct err *e)
{
    struct err why = ERR_INIT;
    if (roll_at_once(r, ROLLUP_READINGS, ROLLUP_BYTES, p, n, &why) == 0)
        return 0;
    if (why.code != ERR_TOO_LARGE) {
        *e = why;
        return -1;
    }
    if (n > 1) {
        r->devices = n / 2;
        return roll_hour(r, p, n / 2, e) ? -1 : roll_hour(r, p + n / 2, n - n / 2, e);
    }
    why = (struct err)ERR_INIT;
    if (roll_at_once(r, ROLLUP_SUMS, ROLLUP_BYTES, p, 1, &why) == 0)
        return 0;
    if (!is_away(&why))
        return roll_at_once(r, ROLLUP_READINGS, INFLUX_ANSWER_MAX, p, 1, e);
    *e = why;
    return -1;
}

static int roll_by_hour(struct rollup *r, const struct hour_range *p, size_t n,
                        struct err *e);

static int roll(struct rollup *r, const struct hour_range *p, size_t n, struct err *e)
{
    struct err why = ERR_INIT;
    if (rollup_way(p) == ROLLUP_READINGS)
        return roll_hour(r, p, n, e);
    if (roll_at_once(r, ROLLUP_SUMS, INFLUX_ANSWER_MAX, p, n, &why) == 0)
        return 0;
    if (!is_away(&why))
        return roll_by_hour(r, p, n, e);
    *e = why;
    return -1;
}

/* InfluxDB answers for all hours, devices and quantities or for none: a mean that is no
 * finite number, or a field that was a text once, would hold up everybody's hours. Its
 * readings it gives in any case. */
static int roll_by_hour(struct rollup *r, const struct hour_range *p, size_t n,
                        struct err *e)
{
    struct hour_range *one = xcalloc(n, sizeof *one);
    int rc = 0;
    for (int32_t hour = p->from; hour <= p->to && !rc; hour++) {
        for (size_t i = 0; i < n; i++) {
            one[i] = p[i];
            one[i].from = one[i].to = hour;
        }
        for (size_t i = 0, k; i < n && !rc; i += k) {
            k = chunk(r, one + i, n - i);
            rc = nap_stopped(&r->nap) ? -1 : roll(r, one + i, k, e);
        }
    }
    free(one);
    return rc;
}

int rollup_round(struct rollup *r, int32_t last, struct err *e)
{
    size_t n, n_pieces, done = 0;
    int64_t begin_ms = clock_mono_ms();
    double cells = 0;
    struct hour_range *ranges = hours_take(r->o.hours, last, &n);
    struct hour_range *pieces = rollup_pieces(ranges, n, &n_pieces);
    free(ranges);
    int rc = 0;
    while (done < n_pieces && !rc) {
        size_t k = chunk(r, pieces + done, n_pieces - done);
        rc = nap_stopped(&r->nap) ? -1 : roll(r, pieces + done, k, e);
        if (rc)
            break;
        changes_add(r->changes, pieces + done, k);
        cells += (double)k * (pieces[done].to - pieces[done].from + 1);
        done += k;
    }
    hours_give_back(r->o.hours, pieces + done, n_pieces - done);
    free(pieces);
    rollup_forget_names(r); /* a later round may find more */
    if (n)
        malloc_trim(0); /* answers as trees of JSON are megabytes of small pieces */
    r->round_ms = clock_mono_ms();
    metric_add(r->rolled, cells);
    metric_add(rc ? r->failed : r->rounds, 1);
    if (n)
        metric_observe(r->seconds, (double)(r->round_ms - begin_ms) / 1000);
    return rc || !n ? rc : hours_settle(r->o.hours, e);
}

/* Once is nothing. */
void rollup_failed(struct rollup *r, const struct err *e)
{
    if (nap_stopped(&r->nap))
        return;
    if (++r->failures >= FAILURES) {
        struct err why = *e;
        err_prefix(&why, "hours are not rolled up");
        influx_state_fails(r->o.state, INFLUX_HOURS, false, why.text);
    } else if (influx_state_up(r->o.state))
        log_often(&r->said, LOG_WARN, "could not roll up, trying again: %s", e->text);
    nap_wait(&r->nap, RETRY_MS);
}

void rollup_works(struct rollup *r)
{
    if (r->failures >= FAILURES)
        influx_state_works(r->o.state, INFLUX_HOURS);
    r->failures = 0;
}
