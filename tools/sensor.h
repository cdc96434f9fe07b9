/* SPDX-License-Identifier: GPL-3.0-or-later */
/* sensor: a house of simulated sensors.
 *
 * Each room's climate is a sum of things that real rooms have: the weather outside
 * (yearly and daily cycle, fronts as an AR(1) process), people who come and go by hour
 * and weekday, the room's own slow swings, a sensor that drifts a little and rounds. What
 * a sensor says at a moment depends on seed, device number and that moment alone: not on
 * when, how often or in which order it is asked; so a backfill and a live run join
 * without a seam. One thread at a time (caches inside). Reads no clock. */
#ifndef FC_TOOLS_SENSOR_H
#define FC_TOOLS_SENSOR_H

#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "tools/fault.h"

#define SENSOR_VALUES_MAX 3
#define SENSOR_FAULTS_MAX 64

struct sensor_value {
    const char *quantity; /* static; canonical unit */
    double value;
};

struct house;

/* devices: kitchen, office, cellar, bedroom, bathroom, attic, then device-0007 and so on.
 */
struct house *house_new(uint64_t seed, size_t devices);
void house_free(struct house *h); /* NULL is fine */

/* Adds a fault (copied); fails when there is no such series, or too many faults. */
int house_add_fault(struct house *h, const struct fault *f, struct err *e) MUST_CHECK;

size_t house_devices(const struct house *h);
const char *house_device(const struct house *h,
                         size_t device); /* borrowed from the house */

/* The names of what a device measures; returns how many. */
size_t house_quantities(const struct house *h, size_t device,
                        const char *out[SENSOR_VALUES_MAX]);

/* What the device sends for this moment; returns the number of values, 0 when it is
 * silent. */
size_t house_read(struct house *h, size_t device, int64_t t_ms,
                  struct sensor_value out[SENSOR_VALUES_MAX]);

#endif
