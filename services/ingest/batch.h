/* SPDX-License-Identifier: GPL-3.0-or-later */
/* batch: lines that go to InfluxDB together, each with what is to be done about it after.
 * Pure; one thread. */
#ifndef FC_INGEST_BATCH_H
#define FC_INGEST_BATCH_H

#include "common/buf.h"
#include "services/ingest/ledger.h"

#define BATCH_BYTES (4u << 20) /* a batch is full at this size; InfluxDB takes 25 MB */
#define BATCH_OVER                                                                       \
    (1u << 20) /* lines of one record: an account is smaller in the log                  \
                */
#define BATCH_WHYS                                                                       \
    (256u << 10) /* reasons of refusals that a batch keeps; beyond that one for all */

enum point_kind { POINT_READING, POINT_STATUS, POINT_RESTORE };

enum point_state {
    POINT_WAITING,
    POINT_STORED,
    POINT_REFUSED /* batch_why() */
};

struct point {
    uint32_t line, len;    /* in lines.data */
    struct device *device; /* borrowed */
    int64_t pos;           /* of its record in the log */
    uint64_t quantities;   /* bits of hours.h */
    int32_t hour;
    int32_t item;        /* which of the record's items it is */
    int64_t received_ms; /* of a reading */
    int64_t late_ms;     /* its age then, if it was late (hours.h); else 0 */
    uint32_t why;        /* in whys.data */
    uint8_t kind;        /* enum point_kind */
    uint8_t state;       /* enum point_state */
    bool good;
    bool suspect; /* for a look at who may be meant by an answer */
};

struct batch {
    struct buf lines, whys;
    size_t last_why; /* where the last reason in whys begins */
    struct point *p; /* n of max; owned */
    size_t n, max;
    size_t full; /* points that are enough for a write */
};

void batch_init(struct batch *b, size_t max_points);
void batch_done(struct batch *b);
void batch_reset(struct batch *b);
/* Makes room for n more points beyond what batch_full() keeps free. */
void batch_reserve(struct batch *b, size_t n);
/* No room for one more record of the log: it is time to write. */
bool batch_full(const struct batch *b);

/* Each appends a line and its point; -1 when it is no line (nothing is added then). */
int batch_reading(struct batch *b, const struct point *p, const struct item *it);
int batch_status(struct batch *b, const struct point *p, bool online, int64_t t_ms);
/* Says that the device's earlier reading at t_ms was good after all. */
int batch_restore(struct batch *b, const struct point *p, int64_t t_ms);

/* Refused by InfluxDB for this reason (len bytes; cut to a few hundred). Its line goes
 * with the next batch_squeeze(). */
void batch_refuse(struct batch *b, size_t i, const char *why, size_t len);
const char *batch_why(const struct batch *b, size_t i); /* borrowed until the reset */

/* Closes the gaps that refused points left between the lines of the points lo..hi. */
void batch_squeeze(struct batch *b, size_t lo, size_t hi);
/* Where the lines of the points lo..hi lie, without gaps after a squeeze. */
const char *batch_lines(const struct batch *b, size_t lo, size_t hi, size_t *len);

/* A reading's line: its values, and received_ms, seq (-1: none) and quality (1, or 0 for
 * misreads and what the sender calls poor) with each; device_ms where the device said
 * another time than it is stored at; late (1) where it came late. */
int batch_reading_line(struct buf *b, const struct item *it, int64_t receive_ms,
                       bool good, bool late);

#endif
