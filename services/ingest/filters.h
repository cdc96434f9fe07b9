/* SPDX-License-Identifier: GPL-3.0-or-later */
/* filters: FC_MQTT_FILTERS as the list that the broker is asked for.
 *
 * In a group (FC_MQTT_SHARE) each filter becomes $share/GROUP/FILTER, so that every
 * message goes to one member. Not those for a device's status: brokers do not send
 * retained messages to a group, and a status is one, so each member subscribes for
 * itself. */
#ifndef FC_INGEST_FILTERS_H
#define FC_INGEST_FILTERS_H

#include "common/err.h"
#include "common/mqtt.h"
#include "services/ingest/mapping.h"

#define FILTERS_MAX 32 /* in FC_MQTT_FILTERS */

struct filters {
    char *list[MQTT_FILTERS_MAX + 1]; /* owned, ended by NULL */
    int n;
    bool shared; /* one of them, or more */
};

/* f is zeroed. share "": no group. A filter that begins with $share/ stays as it is.
 * After a failure too filters_done() frees. */
int filters_parse(struct filters *f, const char *text, const char *share,
                  struct err *e) MUST_CHECK;
/* Adds a mapping's topics (NULL: none), and takes out what another filter has: where
 * filters overlap, a broker may send a message once for each of them. */
int filters_add_mapped(struct filters *f, const struct mapping *m, const char *share,
                       struct err *e) MUST_CHECK;
/* Adds a topic of our own, that goes to every member, unless one of the filters has it.
 */
int filters_add(struct filters *f, const char *topic, struct err *e) MUST_CHECK;
void filters_done(struct filters *f);

/* Is the broker asked for this topic, by FC_MQTT_FILTERS (text, as it was parsed before)
 * or for a row of m (NULL: none)? Any thread. */
bool filters_ask_for(const char *text, const struct mapping *m, const char *topic);

#endif
