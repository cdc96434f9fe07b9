/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "services/ingest/intake.h"

#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/mem.h"
#include "services/ingest/rebirth.h"
#include "services/ingest/recent.h"
#include "services/ingest/understand.h"

#define REMEMBER_RECORDS 20000 /* decoded again after a restart: some 20 ms */
#define REPLAY_NEAR_MS 1000    /* arrivals in letters so near each other keep apart */
#define REMEMBER_BYTES                                                                   \
    (16 << 20) /* they are looked for this far back, to a segment's start */

/* What became of a message: in the log; all of it known; in order, and nothing to keep.
 */
enum result { LOGGED, DUPLICATE, NOTHING, N_RESULTS };

/* How it came: each way has counters of its own. */
enum way { BY_MQTT, BY_HTTP, BY_KAFKA, N_WAYS };

static enum way way_of(const struct arrival *a)
{
    return a->from_kafka ? BY_KAFKA : a->flags & WAL_HTTP ? BY_HTTP : BY_MQTT;
}

struct intake {
    struct wal *wal;
    struct interpreter how;
    struct sink_live *live;
    struct announce *announce;
    pthread_mutex_t
        lock;         /* everything below, the members of devices marked so, appending */
    struct message m; /* what has just come */
    struct buf account; /* and its account, if it needs one */
    struct buf texts;   /* of what is to be remembered of it */
    struct rebirth *rebirth;
    struct recent *recent;
    struct device **due; /* acknowledgements to send; owned */
    size_t n_due, cap_due;
    atomic_llong last_ms, missing;
    struct metric *taken[N_WAYS][N_RESULTS];
};

static const char *const results[N_RESULTS] = {[LOGGED] = "result=\"logged\"",
                                               [DUPLICATE] = "result=\"duplicate\"",
                                               [NOTHING] = "result=\"nothing\""};

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

/* ---- what is kept of a message that lies in the log
 * --------------------------------------- */

static void ack_is_due(struct intake *in, struct device *d)
{
    if (d->ack_due)
        return;
    if (in->n_due == in->cap_due) {
        in->cap_due = in->cap_due ? in->cap_due * 2 : 64;
        in->due = xrealloc(in->due, in->cap_due * sizeof(struct device *));
    }
    in->due[in->n_due++] = d;
    d->ack_due = true;
}

static void note_sequence(struct intake *in, const struct item *it, int64_t mono_ms)
{
    if (!it->device || it->r.boot < 0 || it->r.seq < 0)
        return;
    ack_note(&it->device->ack, it->r.boot, it->r.seq, mono_ms);
    atomic_fetch_add(&in->missing, gaps_note(&it->device->gaps, it->r.boot, it->r.seq));
    ack_is_due(in, it->device);
}

/* Refused readings are in the log too, and a device need not send them again. */
static void keep(struct intake *in, const struct item *it, int64_t mono_ms)
{
    note_sequence(in, it, mono_ms);
    if (it->reject || it->known || it->kind != ITEM_READING)
        return;
    recent_add(in->recent, it->id);
    struct device *d = it->device;
    if (time_source_is_arrival(it->source) &&
        (it->r.time_ms > d->arrival_ms || clock_was_ahead(d->arrival_ms, it->r.time_ms)))
        d->arrival_ms = it->r.time_ms;
}

/* ---- taking
 * --------------------------------------------------------------------------------- */

struct tally {
    size_t fresh, known, refused; /* items */
};

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

/* Arrivals of one device get strictly increasing times: all of a message go on from the
 * newest that any of its devices has, unless the clock was ahead then. */
static void assign_times(const struct message *m, struct wal_record *rec)
{
    int64_t t_ms = rec->receive_ms;
    for (int pass = 0; pass < 2; pass++)
        for (size_t i = 0; i < m->n; i++) {
            struct item *it = &m->item[i];
            if (it->reject || it->known || it->kind != ITEM_READING ||
                !time_source_is_arrival(it->source))
                continue;
            if (pass)
                it->r.time_ms = t_ms++;
            else if (t_ms <= it->device->arrival_ms &&
                     !clock_was_ahead(it->device->arrival_ms, rec->receive_ms))
                t_ms = it->device->arrival_ms + 1;
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
    assign_times(&in->m, rec);
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
        keep(in, it, mono_ms);
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
    int rc = take(in, a, false, e);
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

/* ---- once more
 * ------------------------------------------------------------------------- */

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
    int rc = append_again(in, l, out, e);
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

/* ---- after a restart
 * ------------------------------------------------------------------------ */

/* A device's clock learns again what it had learnt. */
static void teach(struct intake *in, const struct wal_record *rec, const struct item *it)
{
    int64_t t_ms, said_ms;
    if (it->kind == ITEM_READING && !(rec->flags & WAL_ACCOUNT))
        timefix(&in->how.fix, &it->time, &it->device->clock, rec->receive_ms, &t_ms,
                &said_ms);
}

int intake_remember(struct intake *in, int64_t judged_to, struct err *e)
{
    int64_t pos, restore[QUALITY_SUSTAIN];
    int64_t from = wal_newest(in->wal, REMEMBER_RECORDS, REMEMBER_BYTES);
    struct wal_reader *r = wal_reader_open(in->wal, "", from, e);
    if (!r)
        return -1;
    struct wal_record rec;
    int rc, n;
    pthread_mutex_lock(&in->lock);
    while ((rc = wal_read(r, &rec, &pos, e)) > 0) {
        struct account a;
        struct err why = ERR_INIT;
        if (recall(&in->how, &rec, &in->m, &a, &why) == REJECT_NONE)
            for (size_t i = 0; i < in->m.n; i++) {
                struct item *it = &in->m.item[i];
                keep(in, it, clock_mono_ms());
                teach(in, &rec, it);
                if (it->kind == ITEM_READING && pos < judged_to)
                    quality_judge(&it->device->quality, &it->r, it->r.time_ms, restore,
                                  &n);
            }
        account_done(&a);
    }
    pthread_mutex_unlock(&in->lock);
    wal_reader_close(r);
    return rc;
}

/* ---- acknowledgements
 * ----------------------------------------------------------------------- */

void intake_acks(struct intake *in,
                 int (*publish)(void *arg, const char *device, int64_t boot,
                                int64_t upto),
                 void *arg)
{
    struct due {
        struct device *d;
        int64_t boot, upto;
    } * list;
    struct err e = ERR_INIT;
    pthread_mutex_lock(&in->lock);
    /* a device may forget what is acknowledged to it */
    size_t n = wal_flush(in->wal, &e) ? 0 : in->n_due;
    list = n ? xmalloc(n * sizeof *list) : NULL;
    for (size_t i = 0; i < n; i++) {
        list[i] = (struct due){in->due[i], in->due[i]->ack.boot, in->due[i]->ack.upto};
        in->due[i]->ack_due = false;
    }
    in->n_due -= n;
    pthread_mutex_unlock(&in->lock);
    for (size_t i = 0; i < n; i++)
        if (publish(arg, list[i].d->name, list[i].boot, list[i].upto)) {
            pthread_mutex_lock(&in->lock);
            ack_is_due(in, list[i].d);
            pthread_mutex_unlock(&in->lock);
        }
    free(list);
}

void intake_rebirths(struct intake *in, int (*ask)(void *arg, const char *edge),
                     void *arg)
{
    rebirth_ask(in->rebirth, clock_mono_ms(), ask, arg);
}
