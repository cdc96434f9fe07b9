/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ha_config: the message by which Home Assistant learns of one quantity of a device that
 * sends as Fieldcast's own do (MQTT discovery, one retained message per component).
 *
 * A quantity that is 0 or 1 is a binary_sensor, any other a sensor. Home Assistant reads
 * the device's own messages, so it shows what Fieldcast takes, also while Fieldcast is
 * down. Pure. */
#ifndef FC_INGEST_HA_CONFIG_H
#define FC_INGEST_HA_CONFIG_H

#include <jansson.h>

#include "common/reading.h"

struct ha_config {
    const char *prefix;   /* "homeassistant" */
    const char *device;   /* Fieldcast's name */
    const char *level;    /* the device's level in its topics; mostly the same */
    const char *quantity; /* canonical; also the key in its messages */
    bool has_status;      /* it tells fieldcast/<level>/status */
    int64_t expire_s;     /* a value is unavailable after this long; 0: never */
};

#define HA_TOPIC_MAX (128 + DEVICE_MAX + QUANTITY_MAX)

/* Where the message goes. */
void ha_config_topic(const struct ha_config *c, char out[HA_TOPIC_MAX + 1]);
/* What it says; new. */
json_t *ha_config_json(const struct ha_config *c);

#endif
