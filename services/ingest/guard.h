/* SPDX-License-Identifier: GPL-3.0-or-later */
/* guard: how many names the time series may get. Each device is a tag value and each
 * quantity a field of InfluxDB for as long as the data is kept; a device that makes up
 * names, or somebody who makes up devices, would fill it for good. What is beyond a limit
 * is refused and kept as dead letters, and said in the log once a minute.
 *
 * One thread at a time (the intake's lock). */
#ifndef FC_INGEST_GUARD_H
#define FC_INGEST_GUARD_H

#include "services/ingest/ledger.h"

struct guard_limits {
    int64_t devices_per_min; /* new ones, by real time */
    int64_t quantities;      /* names of one device */
    int64_t names;           /* names of all devices together; at most 65,000 */
};

struct guard;
struct guard *guard_new(const struct guard_limits *limits);
void guard_free(struct guard *g);

/* May another device be new now? */
bool guard_has_room(struct guard *g);
void guard_spend(struct guard *g); /* it was */

/* Leaves out the values of a reading whose names are too many: of its device, or in all.
 * The item is rejected when none is left. */
void guard_names(struct guard *g, struct message *m, struct item *it);

/* Says, at most once a minute, that something was refused. */
void guard_say(struct guard *g, const char *what);

#endif
