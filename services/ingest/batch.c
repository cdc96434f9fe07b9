/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "services/ingest/batch.h"

#include <stdlib.h>

#include "common/influx.h"
#include "common/mem.h"
#include "services/ingest/hours.h"

void batch_init(struct batch *b, size_t max_points)
{
    *b = (struct batch){.full = max_points, .max = max_points + QUALITY_SUSTAIN};
    b->p = xcalloc(b->max, sizeof *b->p);
    buf_init(&b->lines, BATCH_BYTES + BATCH_OVER);
}

void batch_done(struct batch *b)
{
    buf_done(&b->lines);
    free(b->p);
    b->p = NULL;
}

void batch_reset(struct batch *b)
{
    buf_reset(&b->lines);
    b->n = 0;
}

bool batch_full(const struct batch *b)
{
    return b->n >= b->full || b->lines.len >= BATCH_BYTES;
}

void batch_reserve(struct batch *b, size_t n)
{
    if (b->n + n <= b->max)
        return;
    b->max = b->n + n;
    b->p = xrealloc(b->p, b->max * sizeof *b->p);
}

int batch_reading_line(struct buf *b, const struct reading *r, int64_t receive_ms,
                       int64_t t_ms, bool good)
{
    struct influx_line l;
    influx_line(&l, b, "readings");
    influx_tag(&l, "device", r->device);
    for (size_t i = 0; i < r->n; i++)
        influx_field(&l, r->values[i].quantity, r->values[i].value);
    influx_field(&l, "received_ms", (double)receive_ms);
    influx_field(&l, "seq", (double)r->seq);
    influx_field(&l, "quality", good);
    return influx_end(&l, t_ms);
}

static int add(struct batch *b, const struct point *p, size_t line, int rc)
{
    if (rc)
        return -1;
    b->p[b->n] = *p;
    b->p[b->n].line = line;
    b->p[b->n++].len = b->lines.len - line;
    return 0;
}

int batch_reading(struct batch *b, const struct point *p, const struct reading *r,
                  int64_t receive_ms, int64_t t_ms)
{
    size_t line = b->lines.len;
    return add(b, p, line, batch_reading_line(&b->lines, r, receive_ms, t_ms, p->good));
}

static int one_field(struct batch *b, const struct point *p, const char *measurement,
                     const char *field, double v, int64_t t_ms)
{
    struct influx_line l;
    size_t line = b->lines.len;
    influx_line(&l, &b->lines, measurement);
    influx_tag(&l, "device", p->device->name);
    influx_field(&l, field, v);
    return add(b, p, line, influx_end(&l, t_ms));
}

int batch_status(struct batch *b, const struct point *p, bool online, int64_t t_ms)
{
    return one_field(b, p, "device_status", "online", online, t_ms);
}

int batch_restore(struct batch *b, const struct point *p, int64_t t_ms)
{
    return one_field(b, p, "readings", "quality", 1, t_ms);
}
