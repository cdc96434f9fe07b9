/* SPDX-License-Identifier: GPL-3.0-or-later */
/* fault: how a simulated sensor misbehaves, and when. Pure. */
#ifndef FC_TOOLS_FAULT_H
#define FC_TOOLS_FAULT_H

#include <stdbool.h>
#include <stdint.h>

#include "common/err.h"

#define FAULT_NAME_SIZE 65

enum fault_kind {
    FAULT_STUCK,  /* keeps the value it had at the start */
    FAULT_GAP,    /* sends nothing */
    FAULT_SPIKE,  /* one reading in 20 jumps up or down by size */
    FAULT_OFFSET, /* reads size too high */
    FAULT_NOISE,  /* normal noise with standard deviation size on top */
    FAULT_DRIFT   /* creeps away by size a day */
};

struct fault {
    enum fault_kind kind;
    char device[FAULT_NAME_SIZE], quantity[FAULT_NAME_SIZE];
    bool has_size;          /* else the quantity's usual size is taken */
    double size;            /* in the quantity's unit */
    int64_t from_ms, to_ms; /* [from, to) */
};

/* Reads KIND[=SIZE]@DEVICE.QUANTITY:FROM..TO. FROM and TO are times, or durations from
 * now with a sign ("-2d", "+1h"); an empty TO means for good. */
int fault_parse(const char *text, int64_t now_ms, struct fault *f,
                struct err *e) MUST_CHECK;

#endif
