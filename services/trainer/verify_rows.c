/* SPDX-License-Identifier: GPL-3.0-or-later */
/* verify_rows: the part of verify.h that reads what a version was trained on. */
#include "services/trainer/verify.h"

#include <endian.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"

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
