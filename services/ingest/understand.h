/* SPDX-License-Identifier: GPL-3.0-or-later */
/* understand: what a message means here, with the settings and the devices known; and
 * what a record of the log says.
 *
 * A message is understood once, when it comes (intake; explain asks the same without
 * taking it). What it was understood to be is written to the log, and whoever reads the
 * log recalls it from there. Any thread. */
#ifndef FC_INGEST_UNDERSTAND_H
#define FC_INGEST_UNDERSTAND_H

#include "services/ingest/account.h"
#include "services/ingest/decode.h"
#include "services/ingest/guard.h"
#include "services/ingest/ledger.h"
#include "services/ingest/mapping.h"
#include "services/ingest/timefix.h"
#include "services/ingest/wal_record.h"

/* What it takes to understand: all borrowed. */
#define INTERPRETER_MEMBERS 16

struct interpreter {
    struct timefix fix;
    /* Several ingests that share messages make times of arrivals that never meet: each
     * takes every INTERPRETER_MEMBERS-th millisecond. 0: there is only this one. */
    int member;
    struct ledger *ledger;
    struct guard *guard;           /* of what is taken; NULL: no limits */
    const struct mapping *mapping; /* the user's; NULL: none */
    struct memory *memory;         /* NULL: none */
};

/* TO_TAKE: devices that are new are made, their clocks learn; behind the intake's lock.
 * TO_REPLAY: the same long after it came: clocks teach, but learn nothing. TO_ASK:
 * nothing changes. Both behind the same lock. TO_RECALL: clocks are left out, and so is
 * the user's mapping: what it read lies in the log as an account. */
enum purpose { TO_TAKE, TO_REPLAY, TO_ASK, TO_RECALL };

/* Understands a message that has just come (rec->receive_ms, flags, topic, payload; the
 * topic NUL-terminated). Items get their device, their time and where it is from, and a
 * reject if they are not taken. Returns REJECT_NONE, or why nothing of it is taken, with
 * the sentence in *e. */
enum reject understand(const struct interpreter *in, const struct wal_record *rec,
                       enum purpose what_for, struct message *m, struct err *e);

/* What a record of the log says: m's items with device and time. An account's refusals
 * are in a, which account_done() ends in any case; a->reason is REJECT_NONE without one.
 * Returns REJECT_NONE, or why this record, which was taken once, is not understood any
 * more (a setting has changed, or the disk has). */
enum reject recall(const struct interpreter *in, const struct wal_record *rec,
                   struct message *m, struct account *a, struct err *e);

#endif
