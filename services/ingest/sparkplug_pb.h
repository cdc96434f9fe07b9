/* SPDX-License-Identifier: GPL-3.0-or-later */
/* sparkplug_pb: Sparkplug B payloads (protobuf) as plain data. Pure; any thread. */
#ifndef FC_INGEST_SPARKPLUG_PB_H
#define FC_INGEST_SPARKPLUG_PB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/err.h"

/* Datatypes by their numbers; from SPARKPLUG_STRING on they are no quantities. */
enum {
    SPARKPLUG_UNKNOWN,
    SPARKPLUG_INT8,
    SPARKPLUG_INT16,
    SPARKPLUG_INT32,
    SPARKPLUG_INT64,
    SPARKPLUG_UINT8,
    SPARKPLUG_UINT16,
    SPARKPLUG_UINT32,
    SPARKPLUG_UINT64,
    SPARKPLUG_FLOAT,
    SPARKPLUG_DOUBLE,
    SPARKPLUG_BOOLEAN,
    SPARKPLUG_STRING
};

struct sparkplug_metric {
    const char *name; /* NULL: only the alias */
    const char *unit; /* its property engUnit, or NULL */
    uint64_t alias;
    bool has_alias;
    unsigned type;  /* as above, or beyond */
    double time_ms; /* its own, else the payload's; 0: none */
    bool null;
    enum { SPARKPLUG_NOTHING, SPARKPLUG_BITS, SPARKPLUG_REAL } kind;
    uint64_t bits; /* an integer as it was sent: without its sign; true is 1 */
    double real;
};

struct sparkplug {
    int seq; /* -1: none */
    size_t n;
    struct sparkplug_metric *metric; /* owned; texts are in it */
    void *payload;                   /* owned */
};

/* Reads a payload, which takes at most 16 MB of memory. End with sparkplug_done(), also
 * after a failure. */
int sparkplug_read(struct sparkplug *p, const void *payload, size_t len,
                   struct err *e) MUST_CHECK;
void sparkplug_done(struct sparkplug *p);

/* The value of a metric whose datatype is known: integers get their sign. */
double sparkplug_value(const struct sparkplug_metric *s, unsigned type);

/* Appends the payload of a command that asks an edge node for its birth. */
void sparkplug_rebirth(struct buf *b, int64_t now_ms);

#endif
