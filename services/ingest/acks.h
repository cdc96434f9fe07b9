/* SPDX-License-Identifier: GPL-3.0-or-later */
/* acks: up to which sequence number a device's readings are in the log without a hole.
 *
 * A device that keeps its outbox until the acknowledgement loses nothing even when the
 * broker dies: so a missing number holds the acknowledgement back, until it comes, or
 * ACK_GAP_MS have passed, or ACK_WINDOW later ones are there (then the device does not
 * have it any more). A boot's numbers begin at 0 or 1. The caller locks. */
#ifndef FC_INGEST_ACKS_H
#define FC_INGEST_ACKS_H

#include <stdint.h>

#define ACK_WINDOW 1024
#define ACK_GAP_MS 120000

struct ack {
    int64_t boot, upto, highest; /* upto: everything up to it is there; -1: nothing yet */
    int64_t gap_ms; /* when the hole behind upto was first seen (monotonic) */
    uint64_t *seen; /* numbers beyond upto, by number modulo ACK_WINDOW; owned */
};

void ack_init(struct ack *a);
void ack_done(struct ack *a);
void ack_note(struct ack *a, int64_t boot, int64_t seq, int64_t mono_ms);

#endif
