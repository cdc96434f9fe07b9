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
#include "services/trainer/window.h"

/* ---- rows ------------------------------------------------------------------------ */

static int64_t row_time(const unsigned char *row)
{
    uint64_t bits;
    memcpy(&bits, row, 8);
    return (int64_t)le64toh(bits);
}

static double row_value(const unsigned char *row)
{
    uint64_t bits;
    double y;
    memcpy(&bits, row + 8, 8);
    bits = le64toh(bits);
    memcpy(&y, &bits, 8);
    return y;
}

int verify_rows(struct pg *pg, const char *name, int version, struct hours *h,
                char sha256[SHA256_HEX_SIZE], struct err *e)
{
    unsigned char *rows;
    size_t len;
    if (registry_model_rows(pg, name, version, &rows, &len, e))
        return -1;
    size_t n = len / MODEL_ROW_SIZE;
    if (sha256)
        sha256_hex(rows, len, sha256);
    int rc = n ? hours_init(h, row_time(rows), n, e)
               : err_set(e, ERR_NOT_FOUND, "version %d of model \"%s\" has no rows",
                         version, name);
    for (size_t i = 0; i < n && !rc; i++)
        hours_set(h, row_time(rows + i * MODEL_ROW_SIZE),
                  row_value(rows + i * MODEL_ROW_SIZE));
    free(rows);
    return rc;
}

int verify_csv(struct buf *b, const char *name, const struct hours *h)
{
    char t[CLOCK_RFC3339_SIZE];
    buf_adds(b, "series,time,value\n");
    for (size_t i = 0; i < h->n; i++) {
        buf_addf(b, "%s,%s,", name,
                 clock_format((h->start_s + (int64_t)i * 3600) * 1000, t));
        if (!isnan(h->y[i]))
            buf_add_real(b, h->y[i]);
        buf_addc(b, '\n');
    }
    return b->full ? -1 : 0;
}

/* ---- comparing ------------------------------------------------------------------- */

struct comparison {
    const struct model_row *row;
    struct hours then; /* the rows */
    char rows_sha256[SHA256_HEX_SIZE], rebuilt_sha256[SHA256_HEX_SIZE];
    bool damaged;     /* the rows are not those that were hashed */
    size_t changed;   /* hours that have another value in `hourly` by now */
    size_t aged_out;  /* hours that have none there any more */
    struct err apart; /* why `hourly` could not be asked; ERR_NONE: it was */
    char code[64];    /* of the build that trained it */
};

/* Hour by hour with what InfluxDB has now. */
static void compare_hourly(struct comparison *c, const struct trainer_settings *s)
{
    struct hours now;
    const char *name = c->row->name;
    int64_t to_s = c->then.start_s + (int64_t)(c->then.n - 1) * 3600;
    struct influx *in = influx_new(&s->influx);
    if (!window_read(in, &name, 1, c->then.start_s, to_s, &now, &c->apart)) {
        for (size_t i = 0; i < now.n; i++) {
            bool is = !isnan(now.y[i]), was = !isnan(c->then.y[i]);
            c->aged_out += was && !is;
            c->changed += is && (!was || now.y[i] != c->then.y[i]);
        }
        hours_done(&now);
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
    struct train_opts o = {
        .series = was->series,
        .preset = *was->training.preset ? was->training.preset : NULL,
        .code = was->training.code, /* what is compared is what the code does */
        .horizon = HORIZON_MAX,
        .level = was->level,
        .seed = was->training.seed,
    };
    if (train_series(&c->then, champion, &o, &r, e))
        return -1;
    size_t len;
    char *document = model_document(r.model, &len);
    sha256_hex(document, len, c->rebuilt_sha256);
    free(document);
    train_result_done(&r);
    return 0;
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
                     c->rebuilt_sha256, "rows_sha256", c->rows_sha256, "rows_intact",
                     !c->damaged, "hourly", hourly, "code_then", c->code, "code_now",
                     now);
}

json_t *verify_version(struct pg *pg, const struct trainer_settings *set,
                       const struct model_row *row, struct err *e)
{
    struct comparison c = {.row = row};
    struct model *champion = NULL;
    json_t *j = NULL;
    struct model *was = model_parse(row->document, row->document_len, e);
    if (!was) { /* the fault is in the registry, not in the request */
        e->code = ERR_CONFLICT;
        err_prefix(e, "version %d of %s", row->version, row->name);
        return NULL;
    }
    if (verify_rows(pg, row->name, row->version, &c.then, c.rows_sha256, e) ||
        champion_then(pg, row, &champion, e))
        goto out;
    snprintf(c.code, sizeof c.code, "%s", was->training.code);
    c.damaged = strcmp(c.rows_sha256, was->training.sha256) != 0;
    if (rebuild(&c, was, champion, e))
        goto out;
    compare_hourly(&c, set);
    j = answer(&c);
out:
    model_free(champion);
    model_free(was);
    hours_done(&c.then);
    return j;
}
