/* SPDX-License-Identifier: GPL-3.0-or-later */
/* announce: tells Home Assistant of the devices that ingest has heard (FC_HA_DISCOVERY).
 *
 * Remembered is which quantities each device has, in two bytes each and at most
 * READING_VALUES_MAX of them, and the names of quantities once, ANNOUNCE_NAMES_MAX at
 * most: a few megabytes for 100,000 devices. With the setting off nothing of this is
 * there. Only devices that send as Fieldcast's own do, on fieldcast/<device>/readings,
 * are announced: those of other conventions announce themselves, and Home Assistant could
 * not read Fieldcast's names and units in their messages. For the same reason a quantity
 * is announced only when the message has it by that name, and the number in it is the one
 * that is stored.
 *
 * Nothing is taken back: a device that is silent may come again. Any thread, but
 * announce_some() in one at a time. */
#ifndef FC_INGEST_ANNOUNCE_H
#define FC_INGEST_ANNOUNCE_H

#include "services/ingest/ledger.h"

#define ANNOUNCE_NAMES_MAX 4096

struct announce;

/* All borrowed but prefix, which is copied. expire_s: as in ha_config.h. */
struct announce *announce_new(const char *prefix, int64_t expire_s, struct ledger *l);
void announce_free(struct announce *a); /* NULL is fine */

/* Looks at a message that was taken. Short, and without I/O. */
void announce_see(struct announce *a, const char *topic, const void *payload, size_t len,
                  const struct message *m);

/* Everything is to be announced again: Home Assistant has started, or the broker may have
 * lost what it was sent. */
void announce_again(struct announce *a);

/* Publishes up to most messages that are due, retained; returns how many. Stops when
 * publish, which returns 0 or -1, fails; these stay due. */
size_t announce_some(struct announce *a, size_t most,
                     int (*publish)(void *arg, const char *topic, const char *payload,
                                    size_t len),
                     void *arg);

#endif
