/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "services/ingest/letter_replay.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/json.h"
#include "common/mem.h"
#include "services/ingest/raw.h"

/* ---- what is asked for
 * ---------------------------------------------------------------------- */

static int read_ids(const json_t *ids, struct err *e)
{
    const json_t *one;
    size_t i, n = json_array_size(ids);
    if (!n || n > LETTERS_MAX)
        return err_set(e, ERR_INVALID, "field \"ids\" must be an array of 1 to %d ids",
                       LETTERS_MAX);
    json_array_foreach(ids, i, one)
    {
        if (!json_is_integer(one))
            return err_set(e, ERR_INVALID, "field \"ids\": element %zu is no number", i);
    }
    return 0;
}

static int read_query(const json_t *body, struct letter_query *q, struct err *e)
{
    const json_t *all = json_object_get(body, "all");
    int64_t limit = LETTERS_MAX;
    *q = (struct letter_query){.before = -1, .reason = ""};
    q->ids = json_object_get(body, "ids");
    if (json_opt_string(body, "reason", &q->reason, 60, e) ||
        json_opt_int(body, "limit", &limit, 1, LETTERS_MAX, e) ||
        json_opt_int(body, "before", &q->before, 0, INT64_MAX, e))
        return -1;
    q->limit = (int)limit;
    if ((q->ids != NULL) + (*q->reason != 0) + (all != NULL) != 1 ||
        (all && !json_is_true(all)))
        return err_set(e, ERR_INVALID,
                       "one of \"ids\":[...], \"reason\":\"...\" and \"all\":true is "
                       "expected: which letters are meant");
    if (*q->reason && !reject_find(q->reason))
        return err_set(e, ERR_INVALID, "there is no reason \"%s\"", q->reason);
    return q->ids ? read_ids(q->ids, e) : 0;
}

/* ---- a letter
 * --------------------------------------------------------------------------------- */

static bool is(const json_t *letter, const char *key)
{
    return json_is_true(json_object_get(letter, key));
}

/* 0 with the verdict in *out; -1 when the log takes nothing. */
static int replay_one(struct intake *in, const json_t *letter, struct replayed *out,
                      struct err *e)
{
    const char *topic = json_string_value(json_object_get(letter, "topic"));
    const char *time = json_string_value(json_object_get(letter, "time"));
    struct replay l = {.taken = json_object_get(letter, "taken"),
                       .point = json_object_get(letter, "point"),
                       .logged = is(letter, "logged")};
    size_t len = 0;
    char *payload = raw_get(letter, &len);
    int rc = 0;
    *out = (struct replayed){.why = ERR_INIT};
    if (!topic || !payload || !time || clock_parse(time, "time", &l.rec.receive_ms, NULL))
        out->refused = reject_say(REJECT_BAD_SHAPE, &out->why, "the letter is not whole");
    else if (is(letter, "cut"))
        out->refused = reject_say(REJECT_TOO_LARGE, &out->why,
                                  "only the beginning of the message was kept");
    if (!out->refused && topic) {
        l.rec.topic = topic;
        l.rec.topic_len = strlen(topic);
        l.rec.payload = payload;
        l.rec.len = len;
        l.rec.flags =
            (is(letter, "retain") ? WAL_RETAIN : 0) | (is(letter, "http") ? WAL_HTTP : 0);
        rc = intake_replay(in, &l, out, e);
    }
    free(payload);
    return rc;
}

/* ---- all that are asked for
 * ------------------------------------------------------------------- */

struct sums {
    size_t replayed, stored, duplicate;
    json_t *refused;
};

static void add_refused(struct sums *s, const json_t *letter, const struct replayed *r)
{
    json_array_append_new(s->refused, json_pack("{s:O, s:s, s:s?}", "id",
                                                json_object_get(letter, "id"), "reason",
                                                reject_name(r->refused), "detail",
                                                *r->why.text ? r->why.text : NULL));
}

static int replay_all(struct deadletter *d, struct intake *in, const json_t *letters,
                      const uint64_t *keys, struct sums *s, struct err *e)
{
    size_t n = json_array_size(letters);
    for (size_t i = n; i-- > 0;) { /* the oldest first */
        const json_t *letter = json_array_get(letters, i);
        struct replayed r;
        if (replay_one(in, letter, &r, e) || (r.done && deadletter_mark(d, keys[i], e))) {
            e->code = ERR_UNAVAILABLE;
            return err_prefix(e, "replayed %zu of %zu letters, ask for the others again",
                              s->replayed, n);
        }
        s->replayed += r.done;
        s->stored += r.stored;
        s->duplicate += r.done ? r.known : 0;
        if (r.refused)
            add_refused(s, letter, &r);
    }
    return 0;
}

json_t *letter_replay(struct deadletter *d, struct intake *in, const json_t *body,
                      struct err *e)
{
    struct letter_query q;
    struct sums s = {0};
    int64_t next;
    json_t *answer = NULL;
    if (read_query(body, &q, e))
        return NULL;
    uint64_t *keys = xcalloc((size_t)q.limit, sizeof *keys);
    s.refused = json_array();
    deadletter_hold(d);
    json_t *letters = deadletter_list(d, &q, keys, &next, e);
    if (letters && replay_all(d, in, letters, keys, &s, e) == 0)
        answer = json_pack(
            "{s:I, s:I, s:I, s:O, s:o}", "replayed", (json_int_t)s.replayed, "stored",
            (json_int_t)s.stored, "duplicate", (json_int_t)s.duplicate, "still_refused",
            s.refused, "next", next < 0 ? json_null() : json_integer(next));
    deadletter_release(d);
    json_decref(letters);
    json_decref(s.refused);
    free(keys);
    return answer;
}
