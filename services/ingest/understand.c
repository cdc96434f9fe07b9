/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "services/ingest/understand.h"

#include "services/ingest/recent.h"

static enum reject find_device(const struct interpreter *in, enum purpose what_for,
                               struct item *it, struct err *e)
{
    struct guard *g = what_for <= TO_REPLAY ? in->guard : NULL;
    bool make = what_for != TO_ASK && (!g || guard_has_room(g));
    enum reject r =
        ledger_device(in->ledger, it->r.device, it->r.raw_device, make, &it->device, e);
    if (g && !r && !it->device) {
        r = reject_say(REJECT_TOO_MANY_NEW_DEVICES, e,
                       "the device %s is new, and so many others were within a minute "
                       "(FC_DEVICES_PER_MIN)",
                       it->r.device);
        guard_say(g, e->text);
    } else if (g && !r && it->device->is_new) {
        it->device->is_new = false;
        guard_spend(g);
    }
    return r;
}

/* Device, time and verdict of one item. */
static void meet(const struct interpreter *in, const struct wal_record *rec,
                 enum purpose what_for, bool take_kept, struct message *m,
                 struct item *it)
{
    struct err e = ERR_INIT;
    if (!it->reject)
        it->reject = find_device(in, what_for, it, &e);
    else if (it->r.device[0])
        it->device = ledger_find(in->ledger, it->r.device);
    it->r.time_ms = rec->receive_ms;
    if (it->kind == ITEM_READING && !it->reject && what_for <= TO_REPLAY && in->guard)
        guard_names(in->guard, m, it);
    if (it->kind == ITEM_READING && !it->reject) {
        struct device_clock copy, *clock = NULL;
        if (what_for == TO_TAKE)
            clock = &it->device->clock;
        else if (what_for != TO_RECALL && it->device) {
            copy = it->device->clock; /* what is asked or old teaches nothing */
            clock = &copy;
        }
        it->source = timefix(&in->fix, &it->time, clock, rec->receive_ms, &it->r.time_ms,
                             &it->said_ms);
        if ((rec->flags & WAL_RETAIN) && !take_kept && time_source_is_arrival(it->source))
            it->reject = reject_say(REJECT_RETAINED_WITHOUT_TIME, &e,
                                    "the broker had kept this message and it has no "
                                    "time of its own: it may be old");
    }
    if (e.code)
        message_refuse(m, it, it->reject, &e);
}

/* What is posted is native, whatever the mapping says about such topics. */
static const struct mapping_row *mapped_row(const struct interpreter *in,
                                            const struct wal_record *rec,
                                            enum purpose what_for)
{
    return rec->flags & WAL_HTTP || what_for == TO_RECALL
               ? NULL
               : mapping_find(in->mapping, rec->topic);
}

enum reject understand(const struct interpreter *in, const struct wal_record *rec,
                       enum purpose what_for, struct message *m, struct err *e)
{
    if (rec->flags & WAL_CUT) {
        message_begin(m);
        if (what_for != TO_RECALL && !mapped_row(in, rec, what_for) &&
            decode_ignores(rec->topic))
            return REJECT_NONE;
        return reject_say(REJECT_TOO_LARGE, e, "the message is larger than 256 KiB");
    }
    const struct mapping_row *row = mapped_row(in, rec, what_for);
    /* what hung on it lies in the log as an account; the rest meant something without */
    const struct memory *memory = what_for == TO_RECALL ? NULL : in->memory;
    if (row && (rec->flags & WAL_RETAIN) && mapping_row_retained(row) == MAPPING_IGNORE) {
        message_begin(m);
        return REJECT_NONE;
    }
    enum reject r =
        row ? decode_mapped(row, rec->topic, rec->payload, rec->len, m, e)
            : decode_message(memory, rec->topic, rec->payload, rec->len, m, e);
    bool take_kept = row && mapping_row_retained(row) == MAPPING_TAKE;
    size_t taken = 0;
    if (r && m->n && !m->item[0].reject)
        message_refuse_all(m, r);
    for (size_t i = 0; i < m->n; i++) {
        meet(in, rec, what_for, take_kept, m, &m->item[i]);
        taken += !m->item[i].reject;
    }
    return r || taken || !m->n ? r : message_rejected(m, e);
}

static enum reject recall_account(const struct interpreter *in,
                                  const struct wal_record *rec, struct message *m,
                                  struct account *a, struct err *e)
{
    if (account_read(rec->payload, rec->len, m, a, e))
        return REJECT_BAD_JSON;
    for (size_t i = 0; i < m->n; i++) {
        struct item *it = &m->item[i];
        enum reject r = ledger_device(in->ledger, it->r.device, it->r.raw_device, true,
                                      &it->device, e);
        if (r)
            return r;
        if (it->kind == ITEM_READING && !it->id)
            it->id = recent_identity(it, true, &(bool){false});
    }
    return REJECT_NONE;
}

enum reject recall(const struct interpreter *in, const struct wal_record *rec,
                   struct message *m, struct account *a, struct err *e)
{
    *a = (struct account){0};
    if (rec->flags & WAL_ACCOUNT)
        return recall_account(in, rec, m, a, e);
    enum reject r = understand(in, rec, TO_RECALL, m, e);
    if (r || !m->n)
        return r;
    struct item *it = &m->item[0];
    if (it->r.time_ms != rec->assigned_ms && !time_source_is_arrival(it->source) &&
        it->said_ms == INT64_MIN)
        it->said_ms = it->r.time_ms; /* its clock was known better then */
    it->r.time_ms = rec->assigned_ms;
    if (it->kind == ITEM_READING)
        it->id = recent_identity(it, !time_source_is_arrival(it->source), &(bool){false});
    return REJECT_NONE;
}
