/* SPDX-License-Identifier: GPL-3.0-or-later */
/* recent: the window in which a reading that comes again is known as a duplicate.
 *
 * It remembers the last RECENT_MAX identities of all devices (2 MB once full): many times
 * what a broker may have on the way when it or ingest is killed, and what a device sends
 * again from its outbox. One thread at a time. */
#ifndef FC_INGEST_RECENT_H
#define FC_INGEST_RECENT_H

#include <stdbool.h>
#include <stdint.h>

#include "services/ingest/message.h"

#define RECENT_MAX 131072

struct recent;
struct recent *recent_new(void);
void recent_free(struct recent *r);

/* What makes a reading itself and no other: (device, boot, seq) where there is one, else
 * (device, time, values). Without a time of its own that is believed (own_time false),
 * equal ones are ordinary: *weak says that only a message the broker marks as sent again
 * may be called a duplicate. Never 0. */
uint64_t recent_identity(const struct item *it, bool own_time, bool *weak);

bool recent_has(const struct recent *r, uint64_t id);
void recent_add(struct recent *r, uint64_t id); /* forgets the oldest when full */

#endif
