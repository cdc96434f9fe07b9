/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ledger: the devices there are, and where each of their messages has gone.
 *
 *   received = stored + duplicate + rejected (by reason) + pending
 *
 * per device and in all, since this process started (what lay in the log then is counted
 * as received when its turn comes). Devices are kept in a file, one JSON line each, so
 * that a raw id keeps its name over restarts. At most max devices; they are never freed
 * before the ledger. Any thread may call; members marked below belong to one module. */
#ifndef FC_INGEST_LEDGER_H
#define FC_INGEST_LEDGER_H

#include <pthread.h>
#include <stdbool.h>

#include "common/metrics.h"
#include "services/ingest/acks.h"
#include "services/ingest/gaps.h"
#include "services/ingest/message.h"
#include "services/ingest/quality.h"
#include "services/ingest/timefix.h"

struct counts {
    uint64_t received, stored, duplicate,
        misread, /* misreads are stored, with quality 0 */
        late;    /* these are stored too: hours_late() */
    uint32_t rejected[REJECT_N];
};
uint64_t counts_rejected(const struct counts *c);
uint64_t counts_pending(const struct counts *c);

struct device {
    char name[DEVICE_MAX + 1];
    char *raw;      /* as messages carry it; name itself when it is the same */
    uint32_t index; /* 0, 1, ... as they came */
    /* behind the ledger's lock */
    struct counts counts;
    int64_t last_seen_ms; /* INT64_MIN: not since the start */
    enum time_source source;
    signed char online;              /* -1: it never said */
    int64_t late_at_ms, late_age_ms; /* the newest late reading: when it came, how old */
    struct metric *seen_metric;
    /* the intake's, behind its lock */
    int64_t arrival_ms; /* the newest time that was made of an arrival */
    int64_t replay_ms;  /* the same of one in a replayed letter */
    struct ack ack;
    struct gaps gaps;
    bool ack_due;
    struct device_clock clock;
    bool is_new; /* made, and not yet counted by the guard */
    uint16_t n_names;
    uint32_t shape;  /* hash of the names it last sent; 0: none */
    uint16_t *names; /* guard.h; owned */
    /* the sink's */
    struct quality *quality;
};

struct ledger;
/* path: the devices' file. m: gets a last-seen gauge for the first few hundred devices.
 */
struct ledger *ledger_open(const char *path, size_t max, struct metrics *m,
                           struct err *e) MUST_CHECK;
void ledger_close(struct ledger *l);

/* The device of that name, made if new and make says so (else *d is NULL). Refuses
 * another raw id for a known name (*d is the known one), and new devices beyond max. */
enum reject ledger_device(struct ledger *l, const char *name, const char *raw, bool make,
                          struct device **d, struct err *e);
/* Writes devices that the disk did not take when they came. 0: the file has all. */
int ledger_save(struct ledger *l, struct err *e) MUST_CHECK;
struct device *ledger_find(struct ledger *l, const char *name); /* NULL if unknown */
struct device *ledger_at(struct ledger *l, uint32_t index);     /* NULL beyond the last */
size_t ledger_size(struct ledger *l);

/* Counting. d NULL: no device is known. */
void ledger_received(struct ledger *l, struct device *d, int64_t seen_ms);
void ledger_source(struct ledger *l, struct device *d, enum time_source s);
void ledger_duplicate(struct ledger *l, struct device *d);
void ledger_rejected(struct ledger *l, struct device *d, enum reject why);
void ledger_stored(struct ledger *l, struct device *d, bool misread);
void ledger_misread_undone(struct ledger *l, struct device *d, unsigned n);
/* One of what is stored came late, age_ms old. */
void ledger_late(struct ledger *l, struct device *d, int64_t received_ms, int64_t age_ms);
void ledger_online(struct ledger *l, struct device *d, bool online);

/* A snapshot: all together; those of no device; one device. */
struct counts ledger_totals(struct ledger *l);
struct counts ledger_of_none(struct ledger *l);
/* The first n devices (or as many as there are: the number is returned), the totals and
 * those of no device, and how many devices there are, all of one moment. The lock is held
 * while n counts are copied. */
size_t ledger_snapshot(struct ledger *l, struct counts *each, size_t n,
                       struct counts *totals, struct counts *none, size_t *devices);
struct device_view {
    struct counts counts;
    int64_t last_seen_ms;
    enum time_source source;
    int online;
    int64_t late_at_ms, late_age_ms; /* of the newest late one, if counts.late */
};
struct device_view ledger_view(struct ledger *l, const struct device *d);

#endif
