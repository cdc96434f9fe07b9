/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Messages that are dead letters, once more. */
#include <string.h>

#include "common/clock.h"
#include "services/ingest/intake_internal.h"

#define REPLAY_NEAR_MS 1000 /* arrivals in letters so near each other keep apart */

/* Is all of an item that was taken in this reading? The same device, and its values. */
static bool has_all(const struct reading *r, const json_t *item)
{
    const char *device = json_string_value(json_object_get(item, "device")), *key;
    json_t *v;
    if (!device || strcmp(device, r->device) != 0)
        return false;
    json_object_foreach(json_object_get(item, "values"), key, v)
    {
        size_t i = 0;
        while (i < r->n && strcmp(r->values[i].quantity, key) != 0)
            i++;
        if (i == r->n || r->values[i].value != json_number_value(v))
            return false;
    }
    return true;
}

/* What was taken then is known now, or is written again at its time when there is more of
 * it. False: it is none of these. */
static bool was_taken(struct item *it, const json_t *taken, bool *used)
{
    const json_t *one;
    size_t i;
    json_array_foreach(taken, i, one)
    {
        if (i >= MESSAGE_ITEMS_MAX || used[i] || !has_all(&it->r, one))
            continue;
        used[i] = true;
        it->r.time_ms = json_integer_value(json_object_get(one, "ts_ms"));
        it->source =
            json_is_true(json_object_get(one, "arrival")) ? TIME_NONE : TIME_DEVICE;
        it->known = it->r.n == json_object_size(json_object_get(one, "values"));
        return true;
    }
    return false;
}

/* As look_up() and assign_times(), for a message of long ago. */
static struct tally look_back(struct intake *in, const struct replay *l)
{
    bool used[MESSAGE_ITEMS_MAX] = {false};
    struct tally t = {0};
    for (size_t i = 0; i < in->m.n; i++) {
        struct item *it = &in->m.item[i];
        bool weak = false;
        if (it->kind == ITEM_READING && !it->reject && !l->point) {
            bool arrival = time_source_is_arrival(it->source);
            it->id = recent_identity(it, !arrival, &weak);
            if (!was_taken(it, l->taken, used)) {
                it->known = !weak && !l->logged && recent_has(in->recent, it->id);
                int64_t last_ms = it->device->replay_ms;
                if (arrival && !it->known && it->r.time_ms <= last_ms &&
                    last_ms - it->r.time_ms < REPLAY_NEAR_MS)
                    it->r.time_ms = last_ms + 1;
                if (arrival && !it->known)
                    it->device->replay_ms = it->r.time_ms;
            }
        }
        t.refused += it->reject != REJECT_NONE;
        t.known += it->known;
        t.fresh += !it->reject && !it->known;
    }
    return t;
}

static enum reject understand_again(struct intake *in, const struct replay *l,
                                    struct err *why)
{
    if (!l->point)
        return understand(&in->how, &l->rec, TO_REPLAY, &in->m, why);
    message_begin(&in->m);
    if (account_read_item(&in->m, l->point, why))
        return reject_say(REJECT_BAD_SHAPE, why, "the letter's point is malformed");
    struct item *it = message_last(&in->m);
    return ledger_device(in->how.ledger, it->r.device, it->r.raw_device, true,
                         &it->device, why);
}

/* With the lock held: as append(). */
static int append_again(struct intake *in, const struct replay *l, struct replayed *out,
                        struct err *e)
{
    struct wal_record rec = l->rec;
    out->refused = understand_again(in, l, &out->why);
    if (out->refused)
        return NOTHING;
    struct tally t = look_back(in, l);
    out->refused = in->m.refused;
    out->why = in->m.n_refused ? in->m.why : (struct err)ERR_INIT;
    out->known = t.known;
    out->done = t.fresh || !in->m.n_refused;
    if (!t.fresh)
        return out->done && in->m.n ? DUPLICATE : NOTHING;
    buf_reset(&in->account);
    if (account_write_again(&in->account, &in->m, REJECT_NONE, NULL, rec.payload, rec.len,
                            false, rec.receive_ms, in->m.n_refused ? l->taken : NULL)) {
        out->done = false;
        out->refused = reject_say(REJECT_TOO_LARGE, &out->why,
                                  "what the message says takes more than %u bytes",
                                  ACCOUNT_ITEMS_BYTES);
        return NOTHING;
    }
    rec.payload = in->account.data;
    rec.len = in->account.len;
    rec.flags |= WAL_ACCOUNT;
    rec.receive_ms = rec.assigned_ms = clock_now_ms(); /* the log's ages go by it */
    out->done = wal_append(in->wal, &rec, 1, e) == 0;
    out->stored = out->done ? t.fresh : 0;
    return out->done ? LOGGED : -1;
}

int intake_replay(struct intake *in, const struct replay *l, struct replayed *out,
                  struct err *e)
{
    *out = (struct replayed){.why = ERR_INIT};
    pthread_mutex_lock(&in->lock);
    /* a reading may be known from one that is only staged */
    int rc = wal_flush(in->wal, e) ? -1 : append_again(in, l, out, e);
    for (size_t i = 0; i < in->m.n && (rc == LOGGED || rc == DUPLICATE); i++) {
        const struct item *it = &in->m.item[i];
        ledger_received(in->how.ledger, it->device, clock_now_ms());
        if (it->known)
            ledger_duplicate(in->how.ledger, it->device);
        else if (!it->reject && it->kind == ITEM_READING)
            recent_add(in->recent, it->id);
    }
    pthread_mutex_unlock(&in->lock);
    return rc < 0 ? -1 : 0;
}
