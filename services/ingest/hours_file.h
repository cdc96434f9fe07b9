/* SPDX-License-Identifier: GPL-3.0-or-later */
/* hours_file: reads the file of marked hours, lines of "kitchen 498432 498434".
 *
 * The file may hold anything: a line that is no mark of a known device between two hours
 * is left out. Then the file is kept as <path>.bad, and the log says how much it was. */
#ifndef FC_INGEST_HOURS_FILE_H
#define FC_INGEST_HOURS_FILE_H

#include "services/ingest/ledger.h"

struct hours_file {
    const char *path;
    struct ledger *ledger;
    int32_t first, last; /* hours of marks that can be */
    /* is called for each, with the first and the last hour */
    void (*mark)(void *arg, struct device *d, int32_t from, int32_t to);
    void *arg;
};

int hours_file_read(const struct hours_file *h, struct err *e) MUST_CHECK;

#endif
