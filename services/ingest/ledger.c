/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "services/ingest/ledger.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/fnv.h"
#include "common/json.h"
#include "common/log.h"
#include "common/mem.h"

#define SEEN_METRICS                                                                     \
    400 /* below METRICS_MAX_SAMPLES, where a sample would become "other" */
#define LINE_SIZE 1024

/* The hash beside the device: with many devices each one looked at is a cache miss. */
struct slot {
    uint64_t hash;
    struct device *device; /* NULL: free */
};

struct ledger {
    pthread_mutex_t lock;
    struct device **at; /* by index */
    size_t n, cap, max;
    struct slot *slot; /* by the hash of the name, open, at most half full */
    size_t n_slots;    /* a power of two */
    struct counts total, none;
    int fd;         /* the devices' file, for appending */
    size_t n_saved; /* the first so many are in it */
    bool torn;      /* it may end within a line */
    bool said;      /* that it could not be written */
    struct metrics *metrics;
};

uint64_t counts_rejected(const struct counts *c)
{
    uint64_t n = 0;
    for (int i = 0; i < REJECT_N; i++)
        n += c->rejected[i];
    return n;
}

uint64_t counts_pending(const struct counts *c)
{
    uint64_t done = c->stored + c->duplicate + counts_rejected(c);
    return c->received > done ? c->received - done : 0;
}

/* ---- the table
 * ------------------------------------------------------------------------- */

static uint64_t hash(const char *name)
{
    uint64_t h = fnv_text(FNV_BASIS, name);
    return h ^ h >> 32;
}

/* The slot that has the name, or the one that is free for it. */
static struct slot *slot_of(const struct ledger *l, uint64_t h, const char *name)
{
    for (size_t i = h;; i++) {
        struct slot *s = &l->slot[i & (l->n_slots - 1)];
        if (!s->device || (s->hash == h && !strcmp(s->device->name, name)))
            return s;
    }
}

static struct device *find(const struct ledger *l, const char *name)
{
    return slot_of(l, hash(name), name)->device;
}

static void put(struct ledger *l, struct device *d)
{
    uint64_t h = hash(d->name);
    *slot_of(l, h, d->name) = (struct slot){h, d};
}

static void grow(struct ledger *l)
{
    l->cap = l->cap ? l->cap * 2 : 64;
    l->at = xrealloc(l->at, l->cap * sizeof(struct device *));
    l->n_slots = 2 * l->cap;
    free(l->slot);
    l->slot = xcalloc(l->n_slots, sizeof *l->slot);
    for (size_t i = 0; i < l->n; i++)
        put(l, l->at[i]);
}

static struct device *add(struct ledger *l, const char *name, const char *raw)
{
    if (l->n == l->cap)
        grow(l);
    struct device *d = xcalloc(1, sizeof *d);
    strcpy(d->name, name);
    d->raw = strcmp(name, raw) ? xstrdup(raw) : d->name;
    d->index = (uint32_t)l->n;
    d->last_seen_ms = d->arrival_ms = INT64_MIN;
    d->source = TIME_NONE;
    d->online = -1;
    ack_init(&d->ack);
    put(l, d);
    l->at[l->n++] = d;
    if (l->metrics && l->n <= SEEN_METRICS) {
        char labels[DEVICE_MAX + 16];
        snprintf(labels, sizeof labels, "sensor=\"%s\"",
                 name); /* plain characters only */
        d->seen_metric =
            metric_gauge(l->metrics, "fieldcast_sensor_last_seen_timestamp_seconds",
                         "When a device was last heard.", labels);
    }
    return d;
}

/* ---- the file
 * -------------------------------------------------------------------------- */

static int append(struct ledger *l, const struct device *d)
{
    struct buf b;
    buf_init(&b, LINE_SIZE);
    if (l->torn)
        buf_addc(&b, '\n');
    buf_adds(&b, "{\"device\":");
    buf_add_json_string(&b, d->name);
    buf_adds(&b, ",\"raw\":");
    buf_add_json_string(&b, d->raw);
    buf_adds(&b, "}\n");
    ssize_t n = write(l->fd, b.data, b.len);
    bool ok = n == (ssize_t)b.len;
    l->torn = ok ? false : l->torn || n > 0;
    buf_done(&b);
    if (n >= 0 && !ok)
        errno = ENOSPC;
    return ok ? 0 : -1;
}

/* Under the lock: all devices that the file does not have yet. */
static int remember(struct ledger *l, struct err *e)
{
    while (l->n_saved < l->n) {
        const struct device *d = l->at[l->n_saved];
        if (append(l, d))
            return err_set(e, ERR_UNAVAILABLE, "could not remember the device %s: %s",
                           d->name, strerror(errno));
        l->n_saved++;
    }
    l->said = false;
    return 0;
}

int ledger_save(struct ledger *l, struct err *e)
{
    pthread_mutex_lock(&l->lock);
    int rc = remember(l, e);
    pthread_mutex_unlock(&l->lock);
    return rc;
}

static void load_line(struct ledger *l, const char *line)
{
    struct err e = ERR_INIT;
    json_t *j = json_parse(line, strlen(line), "the devices' file", &e);
    const char *name = json_string_value(json_object_get(j, "device"));
    const char *raw = json_string_value(json_object_get(j, "raw"));
    /* a line that a crash left unfinished is passed over: the device comes again */
    if (name && raw && device_valid(name) && !find(l, name) && l->n < l->max)
        add(l, name, raw);
    json_decref(j);
}

static int load(struct ledger *l, const char *path, struct err *e)
{
    l->fd = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
    FILE *f = l->fd < 0 ? NULL : fdopen(dup(l->fd), "r");
    if (!f)
        return err_set(e, ERR_UNAVAILABLE, "could not open the devices' file %s: %s",
                       path, strerror(errno));
    char line[LINE_SIZE];
    bool whole = true;
    while (fgets(line, sizeof line, f)) {
        whole = strchr(line, '\n') != NULL;
        load_line(l, line);
    }
    fclose(f);
    l->torn = !whole;
    l->n_saved = l->n;
    return 0;
}

struct ledger *ledger_open(const char *path, size_t max, struct metrics *m, struct err *e)
{
    struct ledger *l = xcalloc(1, sizeof *l);
    l->fd = -1;
    pthread_mutex_init(&l->lock, NULL);
    l->max = max;
    l->metrics = m;
    grow(l);
    if (load(l, path, e)) {
        ledger_close(l);
        return NULL;
    }
    return l;
}

void ledger_close(struct ledger *l)
{
    if (!l)
        return;
    for (size_t i = 0; i < l->n; i++) {
        quality_free(l->at[i]->quality);
        ack_done(&l->at[i]->ack);
        gaps_done(&l->at[i]->gaps);
        if (l->at[i]->raw != l->at[i]->name)
            free(l->at[i]->raw);
        free(l->at[i]->names);
        free(l->at[i]);
    }
    if (l->fd >= 0)
        close(l->fd);
    free(l->at);
    free(l->slot);
    pthread_mutex_destroy(&l->lock);
    free(l);
}

/* ---- devices
 * --------------------------------------------------------------------------- */

/* Two spellings of one MAC are one id. */
static bool same_id(const struct device *d, const char *name, const char *raw)
{
    return !strcmp(d->raw, raw) ||
           (strlen(name) == 12 && strlen(raw) == 17 && strlen(d->raw) == 17);
}

enum reject ledger_device(struct ledger *l, const char *name, const char *raw, bool make,
                          struct device **d, struct err *e)
{
    enum reject r = REJECT_NONE;
    pthread_mutex_lock(&l->lock);
    *d = find(l, name);
    if (*d && !same_id(*d, name, raw)) {
        r = REJECT_DEVICE_CLASH;
        err_kind(
            e, ERR_INVALID, reject_name(r),
            "the ids \"%.130s\" and \"%.130s\" both become the device %s: rename one",
            (*d)->raw, raw, name);
    } else if (!*d && l->n >= l->max) {
        r = REJECT_TOO_MANY_DEVICES;
        err_kind(e, ERR_INVALID, reject_name(r),
                 "the device %s would be one more than %zu (FC_DEVICES_MAX)", name,
                 l->max);
    } else if (!*d && make) {
        struct err why = ERR_INIT;
        *d = add(l, name, raw);
        (*d)->is_new = true;
        if (remember(l, &why) && !l->said) {
            log_warn("%s", why.text);
            l->said = true;
        }
    }
    pthread_mutex_unlock(&l->lock);
    return r;
}

struct device *ledger_find(struct ledger *l, const char *name)
{
    pthread_mutex_lock(&l->lock);
    struct device *d = find(l, name);
    pthread_mutex_unlock(&l->lock);
    return d;
}

struct device *ledger_at(struct ledger *l, uint32_t index)
{
    pthread_mutex_lock(&l->lock);
    struct device *d = index < l->n ? l->at[index] : NULL;
    pthread_mutex_unlock(&l->lock);
    return d;
}

size_t ledger_size(struct ledger *l)
{
    pthread_mutex_lock(&l->lock);
    size_t n = l->n;
    pthread_mutex_unlock(&l->lock);
    return n;
}

/* ---- counting
 * -------------------------------------------------------------------------- */

static struct counts *counts_of(struct ledger *l, struct device *d)
{
    return d ? &d->counts : &l->none;
}

void ledger_received(struct ledger *l, struct device *d, int64_t seen_ms)
{
    pthread_mutex_lock(&l->lock);
    l->total.received++;
    counts_of(l, d)->received++;
    if (d && (seen_ms > d->last_seen_ms ||
              (clock_was_ahead(d->last_seen_ms, seen_ms) &&
               clock_was_ahead(d->last_seen_ms, clock_now_ms())))) {
        d->last_seen_ms = seen_ms;
        if (d->seen_metric)
            metric_set(d->seen_metric, (double)seen_ms / 1000);
    }
    pthread_mutex_unlock(&l->lock);
}

void ledger_source(struct ledger *l, struct device *d, enum time_source s)
{
    pthread_mutex_lock(&l->lock);
    d->source = s;
    pthread_mutex_unlock(&l->lock);
}

void ledger_duplicate(struct ledger *l, struct device *d)
{
    pthread_mutex_lock(&l->lock);
    l->total.duplicate++;
    counts_of(l, d)->duplicate++;
    pthread_mutex_unlock(&l->lock);
}

void ledger_rejected(struct ledger *l, struct device *d, enum reject why)
{
    pthread_mutex_lock(&l->lock);
    l->total.rejected[why]++;
    counts_of(l, d)->rejected[why]++;
    pthread_mutex_unlock(&l->lock);
}

void ledger_stored(struct ledger *l, struct device *d, bool misread)
{
    pthread_mutex_lock(&l->lock);
    l->total.stored++;
    l->total.misread += misread;
    counts_of(l, d)->stored++;
    counts_of(l, d)->misread += misread;
    pthread_mutex_unlock(&l->lock);
}

void ledger_misread_undone(struct ledger *l, struct device *d, unsigned n)
{
    pthread_mutex_lock(&l->lock);
    n = n < d->counts.misread ? n : (unsigned)d->counts.misread;
    l->total.misread -= n;
    d->counts.misread -= n;
    pthread_mutex_unlock(&l->lock);
}

void ledger_late(struct ledger *l, struct device *d, int64_t received_ms, int64_t age_ms)
{
    pthread_mutex_lock(&l->lock);
    l->total.late++;
    d->counts.late++;
    d->late_at_ms = received_ms;
    d->late_age_ms = age_ms;
    pthread_mutex_unlock(&l->lock);
}

void ledger_online(struct ledger *l, struct device *d, bool online)
{
    pthread_mutex_lock(&l->lock);
    d->online = online;
    pthread_mutex_unlock(&l->lock);
}

struct counts ledger_totals(struct ledger *l)
{
    pthread_mutex_lock(&l->lock);
    struct counts c = l->total;
    pthread_mutex_unlock(&l->lock);
    return c;
}

struct counts ledger_of_none(struct ledger *l)
{
    pthread_mutex_lock(&l->lock);
    struct counts c = l->none;
    pthread_mutex_unlock(&l->lock);
    return c;
}

size_t ledger_snapshot(struct ledger *l, struct counts *each, size_t n,
                       struct counts *totals, struct counts *none, size_t *devices)
{
    pthread_mutex_lock(&l->lock);
    n = n < l->n ? n : l->n;
    for (size_t i = 0; i < n; i++)
        each[i] = l->at[i]->counts;
    *totals = l->total;
    *none = l->none;
    *devices = l->n;
    pthread_mutex_unlock(&l->lock);
    return n;
}

struct device_view ledger_view(struct ledger *l, const struct device *d)
{
    pthread_mutex_lock(&l->lock);
    struct device_view v = {d->counts, d->last_seen_ms, d->source,
                            d->online, d->late_at_ms,   d->late_age_ms};
    pthread_mutex_unlock(&l->lock);
    return v;
}
