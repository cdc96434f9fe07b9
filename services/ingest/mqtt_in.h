/* SPDX-License-Identifier: GPL-3.0-or-later */
/* mqtt_in: ingest's side of the broker.
 *
 * A message is acknowledged when it is in the log; all that one read from the broker
 * brought go there with one write. While the log can not take them, the broker keeps
 * what follows; that is said once.
 * Devices are told how far their readings are in the log, each at most once a second;
 * not with FC_MQTT_SHARE, where no ingest has all numbers of a device. Home Assistant is
 * told of devices (announce.h) when it is to be, and again whenever it says that it has
 * started; Sparkplug edge nodes are asked for births that are missing
 * (FC_SPARKPLUG_REBIRTH). */
#ifndef FC_INGEST_MQTT_IN_H
#define FC_INGEST_MQTT_IN_H

#include "common/service.h"
#include "services/ingest/intake.h"
#include "services/ingest/mapping.h"
#include "services/ingest/settings.h"

struct mqtt_in;

/* All borrowed. */
struct mqtt_in_opts {
    const struct ingest_settings *set;
    const struct mapping *mapping; /* its topics are subscribed to as well; NULL: none */
    struct intake *intake;
    struct announce *announce; /* NULL: Home Assistant is not told */
    struct dep *broker;        /* down also when it refuses all that we ask for */
    struct dep *subscription;  /* down while it refuses some */
    struct dep *log;           /* down while the log takes nothing */
    struct metrics *metrics;
};

struct mqtt_in *mqtt_in_open(const struct mqtt_in_opts *o, struct err *e) MUST_CHECK;

/* Messages that are not in the log stay with the broker, which sends them again. */
void mqtt_in_close(struct mqtt_in *m);

#endif
