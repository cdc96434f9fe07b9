/* SPDX-License-Identifier: GPL-3.0-or-later */
/* gaps: which of a device's numbers have not come. A number that is passed over is
 * missing at once, and no more when it comes after all. What lies before the first number
 * that was ever heard is nobody's business; after a restart of the device its numbers
 * begin at 0 or 1. The caller locks. */
#ifndef FC_INGEST_GAPS_H
#define FC_INGEST_GAPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define GAPS_MAX 32 /* the newest of a device that are known one by one */

struct gap {
    int64_t boot, from, to; /* numbers, both missing */
};

struct gaps { /* zeroed: nothing was heard */
    bool heard;
    int64_t boot, highest;
    uint64_t missing; /* numbers in all, also of gaps that are not known any more */
    size_t n;
    struct gap *gap; /* n of at most GAPS_MAX, as they came; owned; NULL: none yet */
};

void gaps_done(struct gaps *g);
/* A number has come. Returns by how many more or fewer are missing now. */
int64_t gaps_note(struct gaps *g, int64_t boot, int64_t seq);

#endif
