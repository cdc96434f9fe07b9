/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ledger_internal: what ledger.c (the devices), ledger_file.c (their file) and
 * ledger_counts.c share. Not for others. */
#ifndef FC_INGEST_LEDGER_INTERNAL_H
#define FC_INGEST_LEDGER_INTERNAL_H

#include "services/ingest/ledger.h"

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

/* All below with the lock held, or before others know of l. */

struct device *ledger_find_in(const struct ledger *l, const char *name); /* or NULL */
struct device *ledger_add(struct ledger *l, const char *name, const char *raw);

/* Opens the file, made when it is not there, and adds the devices in it. */
int ledger_load(struct ledger *l, const char *path, struct err *e) MUST_CHECK;
/* Writes all devices that the file does not have yet. */
int ledger_remember(struct ledger *l, struct err *e) MUST_CHECK;

#endif
