/* SPDX-License-Identifier: GPL-3.0-or-later */
/* past: hours to forecast from. */
#ifndef FC_TESTS_PAST_H
#define FC_TESTS_PAST_H

#include "common/ml/dataset.h"

/* The first `count` hours of h; values alone. */
#define UNTIL(h, count) (&(struct hours){(h).start_s, (count), (h).y})
#define PAST(values, count) (&(struct hours){0, (count), (double *)(values)})

#endif
