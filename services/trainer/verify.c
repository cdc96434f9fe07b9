/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "services/trainer/verify.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/influx.h"
#include "common/json.h"
#include "common/ml/train.h"
#include "common/version.h"
#include "services/trainer/grow.h"
#include "services/trainer/window.h"

struct model *verify_model(const struct model_row *row, struct err *e)
{
    struct model *m = model_parse(row->document, row->document_len, e);
    if (m)
        return m;
    e->code = ERR_CONFLICT;
    err_prefix(e, "version %d of %s", row->version, row->name);
    return NULL;
}

struct comparison {
    const struct model_row *row;
    struct verify_rows then;
    bool damaged;           /* the rows are not those that were hashed */
    struct err not_rebuilt; /* why nothing was made of them; ERR_NONE: it was */
    char rebuilt_sha256[SHA256_HEX_SIZE];
    size_t changed;   /* hours that have another value in `hourly` by now */
    size_t aged_out;  /* hours that have none there any more */
    struct err apart; /* why `hourly` was not compared; ERR_NONE: it was */
    char code[64];    /* of the build that trained it */
};

/* Damage, and rows that make no series, are for the answer to tell; -1: a fault of now.
 */
static int stored_rows(struct comparison *c, struct pg *pg, const struct model *was,
                       struct err *e)
{
    struct err why = ERR_INIT;
    int rc = verify_rows(pg, c->row, was, &c->then, &why);
    if (rc && !*c->then.sha256 && strcmp(why.slug, "rows_damaged") != 0) {
        *e = why;
        return -1;
    }
    c->damaged = strcmp(c->then.sha256, was->training.sha256) != 0;
    if (c->damaged && !rc)
        err_set(&why, ERR_CONFLICT, "the stored rows are not those that were hashed");
    c->not_rebuilt = c->apart = why;
    return 0;
}

static void compare_value(struct comparison *c, double then, double now)
{
    bool is = !isnan(now), was = !isnan(then);
    c->aged_out += was && !is;
    c->changed += is && (!was || now != then);
}

/* Hour by hour with what InfluxDB has now: the series and those that stood beside. */
static void compare_hourly(struct comparison *c, const struct trainer_settings *s)
{
    const struct hours *h = &c->then.h;
    const struct others *o = &c->then.others;
    struct hours now[1 + OTHERS_MAX];
    const char *names[1 + OTHERS_MAX] = {c->row->name};
    int64_t to_s = h->start_s + (int64_t)(h->n - 1) * 3600;
    struct influx *in = influx_new(&s->influx);
    for (size_t k = 0; k < o->n; k++)
        names[k + 1] = o->of[k].series;
    if (!window_read(in, names, (int)o->n + 1, h->start_s, to_s, now, &c->apart)) {
        for (size_t k = 0; k <= o->n; k++) {
            for (size_t i = 0; i < h->n; i++)
                compare_value(c, k ? o->of[k - 1].y[i] : h->y[i], now[k].y[i]);
            hours_done(&now[k]);
        }
    }
    influx_free(in);
}

/* The champion that the version was compared with when it was made; NULL: none, or *why
 * says why this build cannot read it. */
static int champion_then(struct pg *pg, const struct model_row *row, struct model **m,
                         struct err *why, struct err *e)
{
    int version;
    struct model_row champion;
    *m = NULL;
    if (registry_judged_against(pg, row->name, row->version, &version, e))
        return -1;
    if (!version)
        return 0;
    if (registry_model_get(pg, row->name, version, NULL, &champion, e))
        return -1;
    *m = model_parse(champion.document, champion.document_len, why);
    if (!*m)
        err_prefix(why, "version %d, the champion then, cannot be read", version);
    model_row_done(&champion);
    return 0;
}

/* Trains on the stored rows as it was done then. What this build does not take is an
 * answer; -1 is a fault of now. */
static int rebuild(struct comparison *c, const struct model *was,
                   const struct model *champion, struct err *e)
{
    struct train_result r;
    struct growing growing;
    growing_init(&growing, GROW_LIMIT_S);
    struct train_opts o = {
        .series = was->series,
        .preset = *was->training.preset ? was->training.preset : NULL,
        .grower = &growing.grower,
        .code = was->training.code, /* what is compared is what the code does */
        .horizon = HORIZON_MAX,
        .level = was->level,
        .seed = was->training.seed,
    };
    struct err why = ERR_INIT;
    int rc = train_series(&c->then.h, champion, &o, &r, &why);
    if (growing_check(&growing, e)) {
        if (!rc)
            train_result_done(&r);
        return -1;
    }
    if (rc) {
        bool refused = why.code == ERR_CONFLICT || why.code == ERR_INVALID;
        *(refused ? &c->not_rebuilt : e) = why;
        return refused ? 0 : -1;
    }
    size_t len;
    char *document = model_document(r.model, &len);
    sha256_hex(document, len, c->rebuilt_sha256);
    free(document);
    train_result_done(&r);
    return 0;
}

static bool same_bytes(const struct comparison *c)
{
    return !strcmp(c->rebuilt_sha256, c->row->content_sha256);
}

/* A champion that cannot be read is left out, as a training leaves it out, and may have
 * done then. Only if that makes another document nothing can be said about it. */
static int rebuild_beside_champion(struct comparison *c, struct pg *pg,
                                   const struct model *was, struct err *e)
{
    struct model *champion;
    struct err unread = ERR_INIT;
    if (champion_then(pg, c->row, &champion, &unread, e))
        return -1;
    int rc = rebuild(c, was, champion, e);
    if (!rc && unread.code != ERR_NONE && c->not_rebuilt.code == ERR_NONE &&
        !same_bytes(c)) {
        c->not_rebuilt = unread;
        *c->rebuilt_sha256 = '\0';
    }
    model_free(champion);
    return rc;
}

static const char *or_null(const char *text)
{
    return *text ? text : NULL;
}

static json_t *answer(const struct comparison *c)
{
    char now[64];
    snprintf(now, sizeof now, "%s %s", fc_version, fc_revision);
    const char *result = c->damaged       ? "data_changed"
                         : !same_bytes(c) ? "code_changed"
                         : c->changed     ? "data_changed"
                                          : "same";
    json_t *hourly = c->apart.code == ERR_NONE
                         ? json_pack("{s:I, s:I}", "changed", (json_int_t)c->changed,
                                     "aged_out", (json_int_t)c->aged_out)
                         : json_pack("{s:s}", "not_compared", c->apart.text);
    return json_pack("{s:s, s:s, s:i, s:s, s:s?, s:s*, s:s?, s:b, s:o, s:s, s:s}",
                     "result", result, "name", c->row->name, "version", c->row->version,
                     "content_sha256", c->row->content_sha256, "rebuilt_sha256",
                     or_null(c->rebuilt_sha256), "not_rebuilt",
                     or_null(c->not_rebuilt.text), "rows_sha256", or_null(c->then.sha256),
                     "rows_intact", !c->damaged, "hourly", hourly, "code_then", c->code,
                     "code_now", now);
}

json_t *verify_version(struct pg *pg, const struct trainer_settings *set,
                       const struct model_row *row, struct err *e)
{
    struct comparison c = {.row = row};
    json_t *j = NULL;
    struct model *was = verify_model(row, e);
    if (!was)
        return NULL;
    snprintf(c.code, sizeof c.code, "%s", was->training.code);
    if (stored_rows(&c, pg, was, e))
        goto out;
    if (c.not_rebuilt.code == ERR_NONE) {
        if (rebuild_beside_champion(&c, pg, was, e))
            goto out;
        compare_hourly(&c, set);
    }
    j = answer(&c);
out:
    model_free(was);
    verify_rows_done(&c.then);
    return j;
}
