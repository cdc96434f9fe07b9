/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "services/ingest/rollup.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/json.h"
#include "common/log.h"
#include "common/mem.h"
#include "services/ingest/changes.h"
#include "services/ingest/nap.h"
#include "services/ingest/retention.h"
#include "services/ingest/rollup_query.h"

#define QUIET_MS 20        /* no message for so long: nothing is on its way any more */
#define QUIET_WAIT_MS 2000 /* an hour waits for quiet at most so long */
#define LATE_MS 500        /* rounds for late readings are at least so far apart */
#define LATE_BUSY_MS 3000  /* while messages keep coming: so far */
#define DRAIN_MS 200       /* one look at the sink's progress */
#define QUERY_BYTES 60000
#define LINES_BYTES (16u << 20) /* ROLLUP_CELLS with the longest names */
#define RETRY_MS 1000
#define FAILURES 3 /* rounds in a row until InfluxDB counts as away */

struct rollup {
    struct rollup_opts o;
    struct nap nap;
    pthread_t thread;
    struct changes *changes;
    struct retention retention;
    struct buf query, lines;
    char **names; /* all quantities in InfluxDB, when they had to be asked for; owned */
    size_t n_names;
    size_t devices;     /* in the next query for readings */
    int64_t due_hour;   /* start of the newest complete hour that was seen */
    int64_t noticed_ms; /* when it was seen (monotonic) */
    int64_t drain_to;   /* where the log ended then, once it was quiet; -1: not yet */
    struct log_often said;
    unsigned failures; /* of rounds, in a row */
    int64_t round_ms;  /* when the last round ended (monotonic) */
    struct metric *rolled, *rounds, *failed, *marked, *seconds, *newest;
};

/* ---- which quantities
 * ---------------------------------------------------------------------- */

static void forget_names(struct rollup *r)
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
    forget_names(r);
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
    if (rollup_asks_readings(p))
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

/* Pieces of equal hours: ask, and write the answer. */
static int roll_at_once(struct rollup *r, const struct hour_range *p, size_t n,
                        struct err *e)
{
    const char *bits[HOURS_NAMES];
    const char *const *names;
    size_t n_names, rows;
    if (names_for(r, p, n, bits, &names, &n_names, e))
        return -1;
    for (size_t i = 0; i < n_names; i += ROLLUP_NAMES) {
        json_t *series;
        buf_reset(&r->query);
        rollup_query(&r->query, p, n, names + i,
                     n_names - i < ROLLUP_NAMES ? n_names - i : ROLLUP_NAMES);
        if (influx_query(r->o.in, r->query.data, &series, e))
            return -1;
        json_t *kept = NULL;
        if (readings_may_be_gone(r, p) &&
            ask_kept(r, p, n, names + i,
                     ROLLUP_NAMES < n_names - i ? ROLLUP_NAMES : n_names - i, &kept, e)) {
            json_decref(series);
            return -1;
        }
        rollup_lines(&r->lines, p, series, kept, &rows);
        json_decref(kept);
        json_decref(series);
        if (rollup_asks_readings(p))
            adapt(r, n, rows);
        if (write_lines(r, e))
            return -1;
    }
    return 0;
}

static int roll_by_hour(struct rollup *r, const struct hour_range *p, size_t n,
                        struct err *e);

static int roll(struct rollup *r, const struct hour_range *p, size_t n, struct err *e)
{
    struct err why = ERR_INIT;
    if (roll_at_once(r, p, n, &why) == 0)
        return 0;
    bool away = why.code == ERR_UNAVAILABLE || why.code == ERR_TIMEOUT;
    if (!away && !rollup_asks_readings(p))
        return roll_by_hour(r, p, n, e);
    if (why.code == ERR_TOO_LARGE && r->devices > 1)
        r->devices /= 2; /* for the next try */
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

/* Everything that is marked up to hour `last`. What fails is marked again. */
static int round_up_to(struct rollup *r, int32_t last, struct err *e)
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
    forget_names(r); /* a later round may find more */
    r->round_ms = clock_mono_ms();
    metric_add(r->rolled, cells);
    metric_add(rc ? r->failed : r->rounds, 1);
    if (n)
        metric_observe(r->seconds, (double)(r->round_ms - begin_ms) / 1000);
    return rc || !n ? rc : hours_settle(r->o.hours, e);
}

/* Once is nothing: a query may be too large, and the next one is smaller. */
static void failed(struct rollup *r, const struct err *e)
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

static void works(struct rollup *r)
{
    if (r->failures >= FAILURES)
        influx_state_works(r->o.state, INFLUX_HOURS);
    r->failures = 0;
}

/* ---- when
 * ---------------------------------------------------------------------------------- */

static bool drained(struct rollup *r, int64_t to)
{
    return sink_influx_written(r->o.sink) >= to;
}

/* Waits a little until the sink has come so far, and makes it write what it holds. */
static bool drain(struct rollup *r, int64_t to)
{
    int64_t until_ms = clock_mono_ms() + DRAIN_MS;
    for (int64_t pause = 1; !drained(r, to); pause = pause < 8 ? pause * 2 : 8) {
        sink_influx_flush(r->o.sink);
        if (clock_mono_ms() >= until_ms || !nap_wait(&r->nap, pause))
            return false;
    }
    return true;
}

static bool quiet(struct rollup *r, int64_t since_ms)
{
    int64_t last_ms = intake_last_ms(r->o.intake);
    return clock_mono_ms() - (last_ms > since_ms ? last_ms : since_ms) >= QUIET_MS;
}

static void close_hour(struct rollup *r)
{
    struct err e = ERR_INIT;
    int64_t waited_ms = clock_mono_ms() - r->noticed_ms;
    if (r->drain_to < 0) {
        if (!quiet(r, r->noticed_ms) && waited_ms < QUIET_WAIT_MS)
            return;
        r->drain_to = wal_end(r->o.wal);
    }
    if (!drain(r, r->drain_to))
        return;
    if (round_up_to(r, hour_of(r->due_hour), &e)) {
        failed(r, &e);
        return;
    }
    works(r);
    changes_rolled_up(r->changes, r->due_hour);
    metric_set(r->newest, (double)r->due_hour / 1000);
    retention_run(&r->retention, r->o.in, clock_now_ms());
}

static void late_hours(struct rollup *r)
{
    struct err e = ERR_INIT;
    int64_t since_ms = clock_mono_ms() - r->round_ms;
    if (since_ms < LATE_MS || !hours_any(r->o.hours, hour_of(r->due_hour)))
        return;
    if (since_ms < LATE_BUSY_MS && !(quiet(r, 0) && drained(r, wal_end(r->o.wal))))
        return;
    if (round_up_to(r, hour_of(r->due_hour), &e))
        failed(r, &e);
    else
        works(r);
}

/* What was rolled up under times to come stays; marks of hours to come wait for them. */
static void go_back(struct rollup *r, int64_t hour)
{
    char ahead[CLOCK_RFC3339_SIZE], now[CLOCK_RFC3339_SIZE];
    log_warn("the clock was ahead: hours up to %s were closed, now %s is the newest that "
             "is complete; hours are closed from there on",
             clock_format(r->due_hour, ahead), clock_format(hour, now));
    r->due_hour = INT64_MIN;
    changes_rolled_up(r->changes, INT64_MIN);
}

static void tick(struct rollup *r)
{
    int64_t hour = clock_last_complete_hour(clock_now_ms(), r->o.grace_ms);
    if (clock_was_ahead(r->due_hour, hour))
        go_back(r, hour);
    if (hour > r->due_hour) {
        r->due_hour = hour;
        r->noticed_ms = clock_mono_ms();
        r->drain_to = -1;
    }
    if (changes_hour(r->changes) < r->due_hour)
        close_hour(r);
    else
        late_hours(r);
    metric_set(r->marked, (double)hours_count(r->o.hours));
}

static void *run(void *arg)
{
    struct rollup *r = arg;
    int64_t pause;
    do {
        tick(r);
        /* a complete hour is not left waiting for a whole tick */
        pause = changes_hour(r->changes) < r->due_hour && influx_state_up(r->o.state)
                    ? 2
                    : r->o.tick_ms;
    } while (nap_wait(&r->nap, pause < r->o.tick_ms ? pause : r->o.tick_ms));
    return NULL;
}

/* ---- life
 * ---------------------------------------------------------------------------------- */

static void make_metrics(struct rollup *r, struct metrics *m)
{
    r->rolled = metric_counter(m, "fieldcast_ingest_hourly_points_total",
                               "Device-hours written to hourly.", NULL);
    r->rounds = metric_counter(m, "fieldcast_ingest_rollups_total",
                               "Rounds of the roll-up.", "result=\"done\"");
    r->failed = metric_counter(m, "fieldcast_ingest_rollups_total",
                               "Rounds of the roll-up.", "result=\"failed\"");
    r->marked =
        metric_gauge(m, "fieldcast_ingest_rollups_waiting",
                     "Device-hours with readings that are not rolled up yet.", NULL);
    r->seconds = metric_histogram(m, "fieldcast_ingest_rollup_duration_seconds",
                                  "How long a round of the roll-up took.", NULL,
                                  metrics_seconds, metrics_seconds_n);
    r->newest = metric_gauge(m, "fieldcast_ingest_rolled_up_timestamp_seconds",
                             "Start of the newest hour that is rolled up.", NULL);
}

static uint64_t random_epoch(void)
{
    uint64_t x = 0;
    if (getrandom(&x, sizeof x, 0) != sizeof x)
        x = (uint64_t)clock_mono_us() ^ (uint64_t)getpid() << 32;
    return x;
}

struct rollup *rollup_open(const struct rollup_opts *o, struct err *e)
{
    struct rollup *r = xcalloc(1, sizeof *r);
    r->o = *o;
    r->changes = changes_new(random_epoch());
    r->due_hour = INT64_MIN;
    r->devices = 20;
    retention_init(&r->retention, o->retain_readings_d, o->retain_leads_d,
                   wal_last_ms(o->wal));
    nap_init(&r->nap);
    buf_init(&r->query, QUERY_BYTES);
    buf_init(&r->lines, LINES_BYTES);
    make_metrics(r, o->metrics);
    if (pthread_create(&r->thread, NULL, run, r) == 0)
        return r;
    err_set(e, ERR_INTERNAL, "could not start the thread that rolls up");
    r->o.tick_ms = 0; /* no thread */
    rollup_close(r);
    return NULL;
}

void rollup_close(struct rollup *r)
{
    if (!r)
        return;
    nap_stop(&r->nap);
    if (r->o.tick_ms)
        pthread_join(r->thread, NULL);
    influx_free(r->o.in);
    changes_free(r->changes);
    forget_names(r);
    buf_done(&r->query);
    buf_done(&r->lines);
    nap_done(&r->nap);
    free(r);
}

json_t *rollup_changes(struct rollup *r, const char *after, struct err *e)
{
    return changes_since(r->changes, after, e);
}

int64_t rollup_hour(struct rollup *r)
{
    return changes_hour(r->changes);
}
