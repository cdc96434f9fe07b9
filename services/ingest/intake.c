/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "services/ingest/intake.h"

#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/mem.h"
#include "services/ingest/intake_internal.h"
#include "services/ingest/rebirth.h"

/* While the log takes nothing, each new connection of the broker's may bring more. */
#define STAGED_MOST (1u << 20)
#define CUT_BYTES 4096 /* what is kept of a message that is too large */

static enum way way_of(const struct arrival *a)
{
    return a->from_kafka ? BY_KAFKA : a->flags & WAL_HTTP ? BY_HTTP : BY_MQTT;
}

static const char *const results[N_RESULTS] = {[LOGGED] = "result=\"logged\"",
                                               [DUPLICATE] = "result=\"duplicate\"",
                                               [NOTHING] = "result=\"nothing\""};

void arrival_cut(struct arrival *a, size_t whole)
{
    if (whole <= MESSAGE_BYTES_MAX)
        return;
    a->len = CUT_BYTES;
    a->flags |= WAL_CUT;
}

struct intake *intake_new(struct wal *w, const struct interpreter *how,
                          struct sink_live *live, struct metrics *m)
{
    static const char *const names[] = {[BY_MQTT] = "fieldcast_ingest_messages_total",
                                        [BY_HTTP] = "fieldcast_ingest_posted_total",
                                        [BY_KAFKA] =
                                            "fieldcast_ingest_kafka_consumed_total"};
    static const char *const helps[] = {[BY_MQTT] = "MQTT messages taken.",
                                        [BY_HTTP] = "Readings taken over HTTP.",
                                        [BY_KAFKA] = "Kafka messages taken."};
    struct intake *in = xcalloc(1, sizeof *in);
    in->wal = w;
    in->how = *how;
    in->live = live;
    in->recent = recent_new();
    message_init(&in->m);
    buf_init(&in->account, ACCOUNT_BYTES);
    buf_init(&in->texts, WAL_TOPIC_MAX + 1);
    in->rebirth = rebirth_new(m);
    pthread_mutex_init(&in->lock, NULL);
    for (int i = 0; i < N_WAYS; i++)
        for (int k = 0; k < N_RESULTS; k++)
            in->taken[i][k] = metric_counter(m, names[i], helps[i], results[k]);
    return in;
}

void intake_free(struct intake *in)
{
    if (!in)
        return;
    recent_free(in->recent);
    message_done(&in->m);
    buf_done(&in->account);
    buf_done(&in->texts);
    rebirth_free(in->rebirth);
    pthread_mutex_destroy(&in->lock);
    free(in->due);
    free(in);
}

void intake_announce(struct intake *in, struct announce *a)
{
    in->announce = a;
}

int64_t intake_last_ms(const struct intake *in)
{
    return atomic_load(&((struct intake *)in)->last_ms);
}

static struct tally look_up(struct intake *in, unsigned flags)
{
    struct tally t = {0};
    for (size_t i = 0; i < in->m.n; i++) {
        struct item *it = &in->m.item[i];
        bool weak = false;
        if (it->kind == ITEM_READING && !it->reject) {
            it->id = recent_identity(it, !time_source_is_arrival(it->source), &weak);
            it->known = (!weak || (flags & WAL_DUP)) && recent_has(in->recent, it->id);
        }
        t.refused += it->reject != REJECT_NONE;
        t.known += it->known;
        t.fresh += !it->reject && !it->known;
    }
    return t;
}

/* The first time from t_ms on that is the member's own (understand.h). */
static int64_t next_of(int64_t t_ms, int member)
{
    int64_t every = INTERPRETER_MEMBERS, off = (member - t_ms % every + every) % every;
    return member ? t_ms + off : t_ms;
}

/* Arrivals of one device get strictly increasing times: all of a message go on from the
 * newest that any of its devices has, unless the clock was ahead then. */
static void assign_times(const struct message *m, int member, struct wal_record *rec)
{
    int64_t t_ms = rec->receive_ms;
    for (int pass = 0; pass < 2; pass++)
        for (size_t i = 0; i < m->n; i++) {
            struct item *it = &m->item[i];
            if (it->reject || it->known || it->kind != ITEM_READING ||
                !time_source_is_arrival(it->source))
                continue;
            if (pass) {
                it->r.time_ms = next_of(t_ms, member);
                t_ms = it->r.time_ms + 1;
            } else if (t_ms <= it->device->arrival_ms &&
                       !clock_was_ahead(it->device->arrival_ms, rec->receive_ms)) {
                t_ms = it->device->arrival_ms + 1;
            }
        }
    rec->assigned_ms = m->n ? m->item[0].r.time_ms : rec->receive_ms;
}

/* Makes the record an account of the message; one whose items would be too large is
 * refused whole, with its beginning. */
static void account(struct intake *in, struct wal_record *rec, enum reject why,
                    const char *detail)
{
    bool cut = rec->flags & WAL_CUT;
    buf_reset(&in->account);
    if (account_write(&in->account, &in->m, why, detail, rec->payload, rec->len, cut)) {
        struct err e = ERR_INIT;
        for (size_t i = 0; i < in->m.n; i++)
            in->m.item[i].reject = REJECT_TOO_LARGE;
        reject_say(REJECT_TOO_LARGE, &e, "what the message says takes more than %u bytes",
                   ACCOUNT_ITEMS_BYTES);
        buf_reset(&in->account);
        account_write(&in->account, &in->m, REJECT_TOO_LARGE, e.text, rec->payload,
                      rec->len, cut);
    }
    rec->payload = in->account.data;
    rec->len = in->account.len;
    rec->flags |= WAL_ACCOUNT;
}

/* What later messages need of this one. Where there is no room for it, it is refused: *r
 * and *why then. -1: the disk does not take it. */
static int remember(struct intake *in, const struct wal_record *rec, enum reject *r,
                    struct err *why, struct err *e)
{
    struct memory_change c;
    bool cut = rec->flags & WAL_CUT;
    buf_reset(&in->texts);
    if (!in->how.memory || !(in->m.from_memory || cut) ||
        !decode_remember(rec->topic, rec->payload, rec->len, cut, &c, &in->texts))
        return 0;
    if (memory_change(in->how.memory, &c, e) == 0)
        return 0;
    if (e->code != ERR_TOO_LARGE)
        return -1;
    if (!*r) {
        *r = reject_say(REJECT_MEMORY_FULL, why, "%s", (const char *)e->text);
        message_refuse_all(&in->m, *r);
    }
    *e = (struct err)ERR_INIT;
    return 0;
}

/* With the lock held: what is to become of it, or -1. */
static int make_out(struct intake *in, struct wal_record *rec, struct err *e)
{
    struct err why = ERR_INIT;
    rec->receive_ms = clock_now_ms();
    enum reject r = understand(&in->how, rec, TO_TAKE, &in->m, &why);
    if (remember(in, rec, &r, &why, e))
        return -1;
    if (!r && !in->m.n)
        return NOTHING;
    struct tally t = look_up(in, rec->flags);
    if (!r && !t.fresh && !t.refused)
        return DUPLICATE;
    assign_times(&in->m, in->how.member, rec);
    if (r || in->m.n > 1 || in->m.n_refused || in->m.mapped || in->m.from_memory)
        account(in, rec, r, why.text);
    return LOGGED;
}

/* With the lock held: everything there is to be told of a message that is in the log, or
 * will be before anybody is told that it is safe. */
static void tell(struct intake *in, const struct wal_record *rec, int64_t mono_ms)
{
    struct ledger *l = in->how.ledger;
    if (!in->m.n)
        ledger_received(l, NULL, rec->receive_ms);
    for (size_t i = 0; i < in->m.n; i++) {
        const struct item *it = &in->m.item[i];
        bool fresh = it->kind == ITEM_READING && !it->reject && !it->known;
        intake_keep(in, it, mono_ms);
        ledger_received(l, it->device, rec->receive_ms);
        if (it->device && !it->reject && it->kind == ITEM_READING)
            ledger_source(l, it->device, it->source);
        if (it->known)
            ledger_duplicate(l, it->device);
        if (fresh && in->live)
            sink_live_push(in->live, &it->r, it->r.time_ms, rec->receive_ms);
    }
}

static int take(struct intake *in, const struct arrival *a, bool alone, struct err *e)
{
    struct wal_record rec = {.flags = a->flags,
                             .topic = a->topic,
                             .topic_len = strlen(a->topic),
                             .payload = a->payload,
                             .len = a->len};
    int64_t mono_ms = clock_mono_ms();
    int rc = make_out(in, &rec, e);
    if (rc == LOGGED && !alone)
        wal_stage(in->wal, &rec);
    else if (rc == LOGGED && wal_append(in->wal, &rec, 1, e))
        return -1;
    if (rc == LOGGED || rc == DUPLICATE)
        tell(in, &rec, mono_ms);
    if (rc == LOGGED && in->announce && a->from_broker)
        announce_see(in->announce, a->topic, a->payload, a->len, &in->m);
    if (rc >= 0 && in->m.edge.id[0] && !(a->flags & WAL_RETAIN))
        rebirth_note(in->rebirth, &in->m.edge, a->flags & (WAL_DUP | WAL_HTTP));
    atomic_store(&in->last_ms, mono_ms);
    if (rc >= 0)
        metric_add(in->taken[way_of(a)][rc], 1);
    return rc < 0 ? -1 : 0;
}

int intake_take(struct intake *in, const struct arrival *a, struct err *e)
{
    pthread_mutex_lock(&in->lock);
    /* this one may be known from one that is only staged */
    int rc = wal_flush(in->wal, e) || take(in, a, true, e) ? -1 : 0;
    pthread_mutex_unlock(&in->lock);
    return rc;
}

int intake_stage(struct intake *in, const struct arrival *a, struct err *e)
{
    pthread_mutex_lock(&in->lock);
    bool room = wal_staged(in->wal) < STAGED_MOST || wal_flush(in->wal, e) == 0;
    int rc = room ? take(in, a, false, e) : -1;
    pthread_mutex_unlock(&in->lock);
    return rc;
}

int intake_commit(struct intake *in, struct err *e)
{
    pthread_mutex_lock(&in->lock);
    int rc = wal_flush(in->wal, e);
    pthread_mutex_unlock(&in->lock);
    return rc;
}

int intake_try(struct intake *in, struct err *e)
{
    pthread_mutex_lock(&in->lock);
    int rc = wal_try(in->wal, clock_now_ms(), e);
    pthread_mutex_unlock(&in->lock);
    return rc;
}

enum reject intake_ask(struct intake *in, const struct wal_record *rec, struct message *m,
                       struct err *e)
{
    pthread_mutex_lock(&in->lock);
    enum reject r = understand(&in->how, rec, TO_ASK, m, e);
    pthread_mutex_unlock(&in->lock);
    return r;
}

bool intake_gaps(struct intake *in, const struct device *d, uint64_t *missing,
                 struct gap out[GAPS_MAX], size_t *n)
{
    pthread_mutex_lock(&in->lock);
    *missing = d->gaps.missing;
    *n = d->gaps.n;
    if (*n)
        memcpy(out, d->gaps.gap, *n * sizeof *out);
    bool heard = d->gaps.heard;
    pthread_mutex_unlock(&in->lock);
    return heard;
}

int64_t intake_missing(const struct intake *in)
{
    return atomic_load(&((struct intake *)in)->missing);
}

void intake_clock(struct intake *in, const struct device *d, struct device_clock *out)
{
    pthread_mutex_lock(&in->lock);
    *out = d->clock;
    pthread_mutex_unlock(&in->lock);
}

void intake_rebirths(struct intake *in, int (*ask)(void *arg, const char *edge),
                     void *arg)
{
    rebirth_ask(in->rebirth, clock_mono_ms(), ask, arg);
}
