/* SPDX-License-Identifier: GPL-3.0-or-later */
/* mqtt_why: why a broker cannot be used, as a sentence for the person who has to act.
 *
 * The MQTT library only says that it could not connect. Where the reason is not in its
 * code, one more connection is made (at most MQTT_WHY_MS) to see how far it gets: name,
 * port, the broker's certificate, ours. Any thread. */
#ifndef FC_COMMON_MQTT_WHY_H
#define FC_COMMON_MQTT_WHY_H

#include <stddef.h>

#include "common/mqtt.h"

#define MQTT_WHY_MS 2000

/* code: of a CONNACK if it is 1..5, else the library's; said: its words, may be NULL. */
void mqtt_why(const struct mqtt_opts *o, int code, const char *said, char *out,
              size_t size);

/* Fails when a file of the settings cannot be read, or does not go with the others. */
int mqtt_check_files(const struct mqtt_opts *o, struct err *e) MUST_CHECK;

/* Is the address one with TLS? */
bool mqtt_is_tls(const char *url);

#endif
