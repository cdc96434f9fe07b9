/* SPDX-License-Identifier: GPL-3.0-or-later */
/* When the log takes nothing more, and which reader is the reason. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "common/clock.h"
#include "services/ingest/wal_internal.h"

#define DAY_MS INT64_C(86400000)

/* The reader that is furthest behind, if there is something that it has not got. */
static bool hindmost(struct wal *w, char name[32], int64_t *pos)
{
    const struct wal_reader *last = NULL;
    pthread_mutex_lock(&w->lock);
    for (const struct wal_reader *r = w->readers; r; r = r->next)
        if (!last || r->committed < last->committed)
            last = r;
    bool behind = last && last->committed < atomic_load(&w->end);
    if (behind) {
        snprintf(name, 32, "%s", last->name);
        *pos = last->committed;
    }
    pthread_mutex_unlock(&w->lock);
    return behind;
}

/* To the next tenth: what is there is never 0.0, and a log that is full is not told to be
 * a third empty. */
static double mb(int64_t bytes)
{
    return ceil((double)bytes * 10 / (1 << 20)) / 10;
}

static int too_large(struct wal *w, struct err *e)
{
    char name[32];
    int64_t pos;
    err_set(e, ERR_BUSY,
            "the log is full: it holds %.1f of %.1f MB (FC_LOG_MAX_MB), too much for one "
            "message more",
            mb(wal_bytes(w)), mb(w->max_bytes));
    if (e && hindmost(w, name, &pos)) {
        struct err was = *e;
        err_set(e, was.code,
                "%s; the sink %s has %.1f MB of it still to get: see in /readyz and the "
                "log what it waits for, or set FC_LOG_MAX_MB higher",
                was.text, name, mb(wal_end(w) - pos));
    }
    return -1;
}

/* When the first sound record at or behind pos came. */
static int64_t time_at(struct wal *w, int64_t pos)
{
    struct err e = ERR_INIT;
    struct wal_record rec;
    int64_t at;
    if (w->time_pos == pos)
        return w->time_ms;
    struct wal_reader *r = wal_reader_open(w, "", pos, &e);
    bool found = r && wal_read(r, &rec, &at, &e) > 0;
    if (found) {
        w->time_pos = pos;
        w->time_ms = wal_sane_ms(rec.receive_ms);
    }
    wal_reader_close(r);
    return found ? w->time_ms : WAL_NO_TIME;
}

/* Since when something has waited for the reader: by its segment's first record, which
 * may be older; by the record itself when that makes the difference. */
static int64_t waits_since(struct wal *w, int64_t pos, int64_t now_ms)
{
    struct wal_segment s;
    wal_segment_find(w, pos, &s);
    if (s.first_ms > now_ms - w->max_age_ms)
        return s.first_ms;
    return time_at(w, pos);
}

/* Has something been too old for so short that the clock may only have jumped? */
static bool just_now(struct wal *w)
{
    int64_t mono_ms = clock_mono_ms();
    if (!w->old_mono_ms)
        w->old_mono_ms = mono_ms;
    return mono_ms - w->old_mono_ms < w->grace_ms;
}

static int too_old(struct wal *w, int64_t now_ms, struct err *e)
{
    char name[32], text[CLOCK_RFC3339_SIZE];
    int64_t pos, since_ms = now_ms;
    if (hindmost(w, name, &pos))
        since_ms = waits_since(w, pos, now_ms);
    if (since_ms > now_ms - w->max_age_ms) {
        w->due_ms = (since_ms < now_ms ? since_ms : now_ms) + w->max_age_ms;
        w->old_mono_ms = 0;
        return 0;
    }
    if (just_now(w))
        return 0;
    return err_set(e, ERR_BUSY,
                   "the log is full: the sink %s has not got what came since %s, %" PRId64
                   " days ago; FC_LOG_MAX_AGE_D is %" PRId64
                   ": see in /readyz and the log what it waits for, or set "
                   "FC_LOG_MAX_AGE_D higher (0: no limit)",
                   name, clock_format(since_ms, text), (now_ms - since_ms) / DAY_MS,
                   w->max_age_ms / DAY_MS);
}

int wal_room(struct wal *w, int64_t size, int64_t now_ms, struct err *e)
{
    if (wal_bytes(w) + size > w->max_bytes)
        return too_large(w, e);
    return w->max_age_ms && now_ms >= w->due_ms ? too_old(w, now_ms, e) : 0;
}
