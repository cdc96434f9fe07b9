/* SPDX-License-Identifier: GPL-3.0-or-later */
/* understand: everything that can be said about one record of the log, from the record,
 * the settings and the devices known alone. Intake, sinks and /explain all ask here, so
 * that a message is judged alike wherever and how often it is looked at. Any thread. */
#ifndef FC_INGEST_UNDERSTAND_H
#define FC_INGEST_UNDERSTAND_H

#include "services/ingest/ledger.h"
#include "services/ingest/timefix.h"
#include "services/ingest/wal_record.h"

struct understood {
    enum reject reject;
    struct err why;        /* of the rejection */
    struct message m;      /* as far as it was decoded */
    struct device *device; /* NULL if not known */
    enum time_source source;
    int64_t time_ms; /* device's time, or receive time; not yet strictly increasing */
};

/* rec->topic must be NUL-terminated. make: a device that is new is made; else device is
 * NULL for it. */
void understand(struct understood *u, const struct wal_record *rec,
                const struct timefix *fix, struct ledger *l, bool make);

#endif
