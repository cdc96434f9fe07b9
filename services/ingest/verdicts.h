/* SPDX-License-Identifier: GPL-3.0-or-later */
/* verdicts: which points of a write InfluxDB refused, read from its answer.
 *
 * 3 Core lists the lines by number, 1.x and 2.x repeat those that they cannot read, and
 * of a type conflict they tell the field and how many points were dropped. Nobody's
 * answer has to be complete. A point is refused here only when the answer leaves no
 * doubt; for all else there are suspects, or writing the halves. Pure. */
#ifndef FC_INGEST_VERDICTS_H
#define FC_INGEST_VERDICTS_H

#include "services/ingest/batch.h"

enum verdicts {
    VERDICTS_NONE,    /* the answer names nobody */
    VERDICTS_REFUSED, /* some points are refused now; the others are to be written again
                       */
    VERDICTS_SUSPECTS /* the bad ones are among the points that are `suspect` now */
};

/* body: the answer to a write of the points lo..hi that are not refused, in their order,
 * which was one of INFLUX_REJECT. A point that was written alone is refused. */
enum verdicts verdicts_read(struct batch *b, size_t lo, size_t hi, const char *body,
                            size_t len);

#endif
