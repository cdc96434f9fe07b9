/* SPDX-License-Identifier: GPL-3.0-or-later */
/* past: hours to forecast from. */
#ifndef FC_TESTS_PAST_H
#define FC_TESTS_PAST_H

#include "common/ml/dataset.h"

/* The first `count` hours of h; values alone. */
#define UNTIL(h, count)                                                                  \
    (&(struct hours){                                                                    \
        .start_s = (h).start_s, .n = (count), .y = (h).y, .beside = (h).beside})
#define PAST(values, count) (&(struct hours){.n = (count), .y = (double *)(values)})

#endif
