/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "services/trainer/verify.h"

#include <endian.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/influx.h"
#include "common/json.h"
#include "common/ml/train.h"
#include "common/version.h"
#include "services/trainer/grow.h"
#include "services/trainer/window.h"

/* ---- rows ------------------------------------------------------------------------ */

static int64_t row_time(const unsigned char *row)
{
    uint64_t bits;
    memcpy(&bits, row, 8);
    return (int64_t)le64toh(bits);
}

/* Number i behind the time. */
static double row_value(const unsigned char *row, size_t i)
{
    uint64_t bits;
    double y;
    memcpy(&bits, row + 8 * (1 + i), 8);
    bits = le64toh(bits);
    memcpy(&y, &bits, 8);
    return y;
}

/* Column i of n rows of that size, on a grid like h. */
static void take_column(const unsigned char *rows, size_t n, size_t size, size_t i,
                        struct hours *h)
{
    for (size_t k = 0; k < n; k++)
        hours_set(h, row_time(rows + k * size), row_value(rows + k * size, i));
}

static int take_others(const struct model *m, const unsigned char *rows, size_t n,
                       size_t size, struct verify_rows *out, struct err *e)
{
    struct hours one;
    others_init(&out->others, &out->h);
    for (size_t i = 0; i < m->training.n_beside; i++) {
        if (hours_init(&one, out->h.start_s, out->h.n, e))
            return -1;
        take_column(rows, n, size, 1 + i, &one);
        others_add(&out->others, m->training.beside[i], &one);
        hours_done(&one);
    }
    out->h.beside = m->training.n_beside ? &out->others : NULL;
    out->h.zone = m->training.zone;
    return 0;
}

struct model *verify_model(const struct model_row *row, struct err *e)
{
    struct model *m = model_parse(row->document, row->document_len, e);
    if (m)
        return m;
    e->code = ERR_CONFLICT;
    err_prefix(e, "version %d of %s", row->version, row->name);
    return NULL;
}

int verify_rows(struct pg *pg, const struct model_row *row, const struct model *m,
                struct verify_rows *out, struct err *e)
{
    unsigned char *rows;
    size_t n, len;
    *out = (struct verify_rows){0};
    if (registry_model_rows(pg, row->name, row->version, &rows, &n, &len, e))
        return -1;
    size_t size = hours_row_size(m->training.n_beside);
    sha256_hex(rows, len, out->sha256);
    int rc = len == n * size
                 ? hours_init(&out->h, row_time(rows), n, e)
                 : err_set(e, ERR_CONFLICT,
                           "the rows of version %d of model \"%s\" have %zu bytes each, "
                           "not the %zu of a series and %zu beside it",
                           row->version, row->name, len / n, size, m->training.n_beside);
    if (!rc) {
        take_column(rows, n, size, 0, &out->h);
        rc = take_others(m, rows, n, size, out, e);
    }
    free(rows);
    return rc;
}

void verify_rows_done(struct verify_rows *r)
{
    hours_done(&r->h);
    others_done(&r->others);
}

static void add_value(struct buf *b, double y)
{
    buf_addc(b, ',');
    if (!isnan(y))
        buf_add_real(b, y);
}

int verify_csv(struct buf *b, const char *name, const struct hours *h)
{
    char text[CLOCK_RFC3339_SIZE];
    size_t others = h->beside ? h->beside->n : 0;
    buf_adds(b, "series,time,value");
    for (size_t k = 0; k < others; k++)
        buf_addf(b, ",%s", h->beside->of[k].series);
    buf_addc(b, '\n');
    for (size_t i = 0; i < h->n; i++) {
        int64_t t_s = h->start_s + (int64_t)i * 3600;
        buf_addf(b, "%s,%s", name, clock_format(t_s * 1000, text));
        add_value(b, h->y[i]);
        for (size_t k = 0; k < others; k++)
            add_value(b, others_measured(h->beside, k, t_s));
        buf_addc(b, '\n');
    }
    return b->full ? -1 : 0;
}

/* ---- comparing ------------------------------------------------------------------- */

struct comparison {
    const struct model_row *row;
    struct verify_rows then;
    char rebuilt_sha256[SHA256_HEX_SIZE];
    bool damaged;     /* the rows are not those that were hashed */
    size_t changed;   /* hours that have another value in `hourly` by now */
    size_t aged_out;  /* hours that have none there any more */
    struct err apart; /* why `hourly` could not be asked; ERR_NONE: it was */
    char code[64];    /* of the build that trained it */
};

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

/* The champion that the version was compared with when it was made; NULL: none. */
static int champion_then(struct pg *pg, const struct model_row *row, struct model **m,
                         struct err *e)
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
    *m = model_parse(champion.document, champion.document_len, e);
    model_row_done(&champion);
    return *m ? 0 : -1;
}

/* Trains on the stored rows as it was done then. */
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
    if (train_series(&c->then.h, champion, &o, &r, e))
        return -1;
    size_t len;
    char *document = model_document(r.model, &len);
    sha256_hex(document, len, c->rebuilt_sha256);
    free(document);
    train_result_done(&r);
    return growing_check(&growing, e);
}

static json_t *answer(const struct comparison *c)
{
    char now[64];
    snprintf(now, sizeof now, "%s %s", fc_version, fc_revision);
    bool same_bytes = !strcmp(c->rebuilt_sha256, c->row->content_sha256);
    const char *result = c->damaged    ? "data_changed"
                         : !same_bytes ? "code_changed"
                         : c->changed  ? "data_changed"
                                       : "same";
    json_t *hourly = c->apart.code == ERR_NONE
                         ? json_pack("{s:I, s:I}", "changed", (json_int_t)c->changed,
                                     "aged_out", (json_int_t)c->aged_out)
                         : json_pack("{s:s}", "not_compared", c->apart.text);
    return json_pack("{s:s, s:s, s:i, s:s, s:s, s:s, s:b, s:o, s:s, s:s}", "result",
                     result, "name", c->row->name, "version", c->row->version,
                     "content_sha256", c->row->content_sha256, "rebuilt_sha256",
                     c->rebuilt_sha256, "rows_sha256", c->then.sha256, "rows_intact",
                     !c->damaged, "hourly", hourly, "code_then", c->code, "code_now",
                     now);
}

json_t *verify_version(struct pg *pg, const struct trainer_settings *set,
                       const struct model_row *row, struct err *e)
{
    struct comparison c = {.row = row};
    struct model *champion = NULL;
    json_t *j = NULL;
    struct model *was = verify_model(row, e);
    if (!was)
        return NULL;
    if (verify_rows(pg, row, was, &c.then, e) || champion_then(pg, row, &champion, e))
        goto out;
    snprintf(c.code, sizeof c.code, "%s", was->training.code);
    c.damaged = strcmp(c.then.sha256, was->training.sha256) != 0;
    if (rebuild(&c, was, champion, e))
        goto out;
    compare_hourly(&c, set);
    j = answer(&c);
out:
    model_free(champion);
    model_free(was);
    verify_rows_done(&c.then);
    return j;
}
