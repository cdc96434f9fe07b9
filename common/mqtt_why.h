/* SPDX-License-Identifier: GPL-3.0-or-later */
/* mqtt_why: why a broker cannot be used, as a sentence for the person who has to act. Any
 * thread. */
#ifndef FC_COMMON_MQTT_WHY_H
#define FC_COMMON_MQTT_WHY_H

#include "common/mqtt.h"

/* The broker answered our CONNECT with this code, 1..255 (MQTT 3.1.1, table 3.1). */
void mqtt_why_refused(const struct mqtt_opts *o, int code, struct err *e);
/* No link came about: *e is what mqtt_link_open() said, and is made clearer. */
void mqtt_why_no_link(struct err *e);
/* The link was there, but not a broker's answer: *e says how it ended, and is made
 * clearer. */
void mqtt_why_silent(const struct mqtt_opts *o, struct err *e);

/* Fails when a file of the settings cannot be read, or does not go with the others. */
int mqtt_check_files(const struct mqtt_opts *o, struct err *e) MUST_CHECK;

#endif
