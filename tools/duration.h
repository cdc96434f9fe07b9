/* SPDX-License-Identifier: GPL-3.0-or-later */
/* duration: lengths of time as people type and read them. Pure. */
#ifndef FC_TOOLS_DURATION_H
#define FC_TOOLS_DURATION_H

#include <stdint.h>

#include "common/err.h"

#define DURATION_MAX_MS INT64_C(3153600000000) /* 100 years of 365 days */
#define DURATION_TEXT_SIZE 32

/* Reads a number and a unit: "250ms", "5s", "5m", "1.5h", "2d", "6w". No sign; at most
 * DURATION_MAX_MS. what names the value in the error text. */
int duration_parse(const char *text, const char *what, int64_t *ms,
                   struct err *e) MUST_CHECK;

/* For people, two units at most: "850 ms", "12 s", "3 min 5 s", "2 h 5 min", "42 d". */
const char *duration_format(int64_t ms, char out[DURATION_TEXT_SIZE]);

#endif
