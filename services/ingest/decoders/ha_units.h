/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ha_units: the units of topics that carry bare numbers, as the discovery messages of
 * Home Assistant name them. They are kept in the memory under the topic that the values
 * come on, of ESPHome's shape alone: all others say their units themselves. Any thread.
 */
#ifndef FC_INGEST_HA_UNITS_H
#define FC_INGEST_HA_UNITS_H

#include "services/ingest/memory.h"

#define HA_UNIT_SIZE 24

/* The unit of what comes on the topic; "" and false when none was announced. */
bool ha_unit(const struct memory *m, const char *topic, char out[HA_UNIT_SIZE]);

#endif
