/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "services/ingest/batch.h"

#include <stdlib.h>
#include <string.h>

#include "common/influx.h"
#include "common/mem.h"
#include "services/ingest/hours.h"

#define WHY_MOST 400 /* bytes of a reason */
#define NO_WHY UINT32_MAX

void batch_init(struct batch *b, size_t max_points)
{
    *b = (struct batch){.full = max_points, .max = max_points + QUALITY_SUSTAIN};
    b->p = xcalloc(b->max, sizeof *b->p);
    buf_init(&b->lines, BATCH_BYTES + BATCH_OVER);
    buf_init(&b->whys, BATCH_WHYS);
}

void batch_done(struct batch *b)
{
    buf_done(&b->lines);
    buf_done(&b->whys);
    free(b->p);
    b->p = NULL;
}

void batch_reset(struct batch *b)
{
    buf_reset(&b->lines);
    buf_done(&b->whys); /* rare: not kept */
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

int batch_reading_line(struct buf *b, const struct item *it, int64_t receive_ms,
                       bool good, bool late)
{
    struct influx_line l;
    influx_line(&l, b, "readings");
    influx_tag(&l, "device", it->r.device);
    for (size_t i = 0; i < it->r.n; i++)
        influx_field(&l, it->r.values[i].quantity, it->r.values[i].value);
    influx_field(&l, "received_ms", (double)receive_ms);
    if (it->said_ms != INT64_MIN)
        influx_field(&l, "device_ms", (double)it->said_ms);
    influx_field(&l, "seq", (double)it->r.seq);
    influx_field(&l, "quality", good);
    if (late)
        influx_field(&l, "late", 1);
    return influx_end(&l, it->r.time_ms);
}

static int add(struct batch *b, const struct point *p, size_t line, int rc)
{
    if (rc)
        return -1;
    b->p[b->n] = *p;
    b->p[b->n].line = (uint32_t)line;
    b->p[b->n++].len = (uint32_t)(b->lines.len - line);
    return 0;
}

int batch_reading(struct batch *b, const struct point *p, const struct item *it)
{
    size_t line = b->lines.len;
    return add(
        b, p, line,
        batch_reading_line(&b->lines, it, p->received_ms, p->good, p->late_ms > 0));
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

/* ---- what InfluxDB refused
 * ----------------------------------------------------------------- */

/* Neighbours are often refused for the same reason: it is kept once. */
static bool as_before(const struct batch *b, const char *why, size_t len)
{
    const char *last = b->whys.data + b->last_why;
    return b->whys.len && strlen(last) == len && !memcmp(last, why, len);
}

void batch_refuse(struct batch *b, size_t i, const char *why, size_t len)
{
    struct point *p = &b->p[i];
    p->state = POINT_REFUSED;
    p->why = NO_WHY;
    if (len > WHY_MOST)
        for (len = WHY_MOST; len && ((unsigned char)why[len] & 0xC0) == 0x80;)
            len--; /* between characters */
    if (!as_before(b, why, len)) {
        if (b->whys.max - b->whys.len <= len)
            return;
        b->last_why = b->whys.len;
        buf_add(&b->whys, why, len);
        buf_addc(&b->whys, '\0');
    }
    p->why = (uint32_t)b->last_why;
}

const char *batch_why(const struct batch *b, size_t i)
{
    if (b->p[i].why == NO_WHY)
        return "one of too many to keep the reason of each";
    return b->whys.data + b->p[i].why;
}

void batch_squeeze(struct batch *b, size_t lo, size_t hi)
{
    size_t to = lo < hi ? b->p[lo].line : 0;
    for (struct point *p = b->p + lo; p < b->p + hi; p++) {
        if (p->state == POINT_REFUSED)
            p->len = 0;
        memmove(b->lines.data + to, b->lines.data + p->line, p->len);
        p->line = to;
        to += p->len;
    }
}

const char *batch_lines(const struct batch *b, size_t lo, size_t hi, size_t *len)
{
    const struct point *first = &b->p[lo], *last = &b->p[hi - 1];
    *len = last->line + last->len - first->line;
    return b->lines.data + first->line;
}
