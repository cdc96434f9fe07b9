/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "services/predictor/answer.h"

#include <stdarg.h>
#include <stdio.h>

#include "common/clock.h"

#define WARNINGS_MAX 8192
/* A literal: its length is known when compiling. */
#define add_literal(out, text) buf_add(out, text, sizeof(text) - 1)

void answer_init(struct answer *a)
{
    *a = (struct answer){.origin_ms = NO_TIME};
    buf_init(&a->warnings, WARNINGS_MAX);
}

void answer_done(struct answer *a)
{
    buf_done(&a->warnings);
}

void answer_warn(struct answer *a, const char *fmt, ...)
{
    char text[512];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    if (a->warnings.len)
        buf_addc(&a->warnings, ',');
    buf_add_json_string(&a->warnings, text);
}

static void add_time(struct buf *out, int64_t t_ms)
{
    char text[CLOCK_RFC3339_SIZE];
    if (t_ms == NO_TIME) {
        add_literal(out, "null");
        return;
    }
    buf_addc(out, '"');
    buf_adds(out, clock_format(t_ms, text));
    buf_addc(out, '"');
}

static void add_int(struct buf *out, int64_t v)
{
    char text[24], *p = text + sizeof text;
    uint64_t u = (uint64_t)v;
    do
        *--p = (char)('0' + u % 10);
    while (u /= 10);
    buf_add(out, p, (size_t)(text + sizeof text - p));
}

static void add_points(const struct answer *a, struct buf *out)
{
    for (size_t i = 0; i < a->n; i++) {
        int lead = a->rows ? 1 : (int)i + 1;
        if (i)
            buf_addc(out, ',');
        add_literal(out, "{\"time\":");
        add_time(out, a->origin_ms == NO_TIME ? NO_TIME : a->origin_ms + lead * HOUR_MS);
        add_literal(out, ",\"lead\":");
        add_int(out, lead);
        add_literal(out, ",\"yhat\":");
        buf_add_real(out, a->f[i].yhat);
        add_literal(out, ",\"yhat_lower\":");
        buf_add_real(out, a->f[i].lower);
        add_literal(out, ",\"yhat_upper\":");
        buf_add_real(out, a->f[i].upper);
        buf_addc(out, '}');
    }
}

static void add_head(const struct answer *a, const char *name_key, const char *unit,
                     struct buf *out)
{
    buf_adds(out, name_key);
    buf_add_json_string(out, a->name);
    if (unit) {
        add_literal(out, ",\"unit\":");
        if (*unit)
            buf_add_json_string(out, unit);
        else
            add_literal(out, "null");
    }
    add_literal(out, ",\"version\":");
    add_int(out, a->by->number);
    add_literal(out, ",\"algorithm\":");
    buf_add_json_string(out, a->by->model->algo->name);
    add_literal(out, ",\"origin\":");
    add_time(out, a->origin_ms);
    add_literal(out, ",\"level\":");
    buf_add_real(out, a->level);
}

static void add_tail(const struct answer *a, struct buf *out)
{
    buf_adds(out, "],\"warnings\":[");
    if (a->warnings.len)
        buf_add(out, a->warnings.data, a->warnings.len);
    buf_adds(out, "]}");
}

void answer_predict(const struct answer *a, struct buf *out)
{
    add_head(a, "{\"model\":", NULL, out);
    add_literal(out, ",\"predictions\":[");
    add_points(a, out);
    add_tail(a, out);
}

void answer_forecasts(const struct answer *a, const char *unit, struct buf *out)
{
    add_head(a, "{\"series\":", unit, out);
    add_literal(out, ",\"points\":[");
    add_points(a, out);
    add_tail(a, out);
}
