/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tasmota: what a Tasmota device says of itself (tasmota.c) and of the sensors that it
 * hears by Zigbee or Bluetooth (tasmota_bridge.c). Pure. */
#ifndef FC_INGEST_DECODERS_TASMOTA_H
#define FC_INGEST_DECODERS_TASMOTA_H

#include "services/ingest/decoders/home.h"

/* What the readers of one message hand on. */
struct tasmota_work {
    struct message *m;
    struct home_names names; /* of the newest item */
    const char *temp_unit, *pressure_unit;
    char bridge[RAW_DEVICE_MAX + 1]; /* the device that the topic names */
    struct raw_time time;            /* the message's */
};

/* One member of a sensor's object. index: the sensor's number, 0 = none. prefix: goes
 * before its name. */
enum reject tasmota_member(struct tasmota_work *w, const char *key, unsigned index,
                           const json_t *v, const char *prefix, struct err *e);
/* All members of the sensor of this name. */
enum reject tasmota_sensor(struct tasmota_work *w, const char *name, const json_t *o,
                           struct err *e);

/* Is a member of the message of sensors that its device hears? */
bool tasmota_is_bridged(const char *key, const json_t *v);
/* What the message says of sensors that its device hears, an item each. The newest item
 * is taken for the first when nothing is in it. */
enum reject tasmota_bridged(struct tasmota_work *w, const json_t *root, struct err *e);

#endif
