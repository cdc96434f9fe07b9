/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "services/ingest/understand.h"

static void reject(struct understood *u, enum reject why, const char *text)
{
    u->reject = why;
    err_kind(&u->why, ERR_INVALID, reject_name(why), "%s", text);
}

void understand(struct understood *u, const struct wal_record *rec,
                const struct timefix *fix, struct ledger *l, bool make)
{
    u->why = (struct err)ERR_INIT;
    u->device = NULL;
    u->source = TIME_NONE;
    u->time_ms = rec->receive_ms;
    if (rec->flags & WAL_CUT) {
        u->m.r.device[0] = '\0';
        u->m.decoder = NULL;
        reject(u, REJECT_TOO_LARGE, "the message is larger than 256 KiB");
        return;
    }
    u->reject = decode_message(rec->topic, rec->payload, rec->len, &u->m, &u->why);
    if (u->reject)
        u->device = u->m.r.device[0] ? ledger_find(l, u->m.r.device) : NULL;
    else
        u->reject =
            ledger_device(l, u->m.r.device, u->m.r.raw_device, make, &u->device, &u->why);
    if (u->reject || u->m.kind != MESSAGE_READING)
        return;
    u->source = timefix(fix, &u->m.time, rec->receive_ms, &u->time_ms);
    if ((rec->flags & WAL_RETAIN) && time_source_is_arrival(u->source))
        reject(u, REJECT_RETAINED_WITHOUT_TIME,
               "the broker had kept this message and it has no time of its own: it may "
               "be old");
}
