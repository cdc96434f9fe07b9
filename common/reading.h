/* SPDX-License-Identifier: GPL-3.0-or-later */
/* reading: what a sensor said, in canonical names and units; and the names themselves.
 *
 * device: [A-Za-z0-9_-]{1,64}. quantity: a stem of the table below, or another name, with
 * an optional _N. series: "device.quantity". Pure; any thread. */
#ifndef FC_COMMON_READING_H
#define FC_COMMON_READING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"

#define DEVICE_MAX 64
#define RAW_DEVICE_MAX (2 * DEVICE_MAX)
#define QUANTITY_MAX 64
#define SERIES_MAX (DEVICE_MAX + 1 + QUANTITY_MAX)
#define READING_VALUES_MAX 64
#define READING_VALUE_MAX 1e100 /* in size: sums and squares stay finite */

struct reading_value {
    char quantity[QUANTITY_MAX + 1];
    double value; /* canonical unit; at most READING_VALUE_MAX in size */
};

struct reading {
    char device[DEVICE_MAX + 1];
    char raw_device[RAW_DEVICE_MAX + 1]; /* as the message had it, cut */
    char location[65];                   /* "" if none */
    int64_t time_ms; /* the device's time, corrected to 1970; INT64_MIN = it gave none */
    int64_t boot, seq; /* -1 = none */
    bool poor;         /* marked bad by the sender */
    size_t n;
    struct reading_value values[READING_VALUES_MAX];
};

/* Adds a value; -1 when the reading is full, the name bad, or the value not finite. What
 * comes from outside is checked against the ranges after that. */
int reading_add(struct reading *r, const char *quantity, double value, struct err *e);

/* What is known about a stem. */
struct quantity {
    const char *stem;
    const char *unit;   /* "celsius"; "" for pure numbers */
    const char *symbol; /* "°C", for people */
    double min, max;    /* physically possible; beyond it a value is refused */
    double
        max_step;  /* a jump from the recent median that is called a misread; 0 = none */
    bool forecast; /* forecast unless the series' settings say otherwise */
};
/* The row of a quantity's stem ("temperature_3" finds temperature), or NULL. */
const struct quantity *quantity_find(const char *quantity);
/* Walks the table: NULL at the end. */
const struct quantity *quantity_row(size_t i);

/* Valid as quantity: [a-z][a-z0-9_]*, at most QUANTITY_MAX. */
bool quantity_valid(const char *s);
bool device_valid(const char *s);

/* Makes a device name of a raw id: a MAC (with : or -) becomes lower-case hex without
 * separators, other characters outside [A-Za-z0-9_-] become '_', the rest is cut at 64.
 * -1 when nothing is left ("" or only separators). */
int device_from_raw(const char *raw, char out[DEVICE_MAX + 1]);

/* Splits "device.quantity"; accepts the dot escaped ("device\.quantity") as Grafana sends
 * it. name, when not NULL, gets the canonical spelling. */
int series_split(const char *series, char name[SERIES_MAX + 1],
                 char device[DEVICE_MAX + 1], char quantity[QUANTITY_MAX + 1],
                 struct err *e) MUST_CHECK;

#endif
