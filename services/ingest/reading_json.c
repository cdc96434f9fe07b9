/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "services/ingest/reading_json.h"

#include <inttypes.h>

void reading_write_values(struct buf *b, const struct reading_value *v, size_t n)
{
    buf_addc(b, '{');
    for (size_t i = 0; i < n; i++) {
        buf_addf(b, "%s\"%s\":", i ? "," : "", v[i].quantity);
        buf_add_real(b, v[i].value);
    }
    buf_addc(b, '}');
}

void reading_write_members(struct buf *b, const struct reading *r, int64_t receive_ms)
{
    buf_addf(b, "\"device\":\"%s\"", r->device);
    if (r->boot >= 0)
        buf_addf(b, ",\"boot\":%" PRId64, r->boot);
    if (r->seq >= 0)
        buf_addf(b, ",\"seq\":%" PRId64, r->seq);
    if (r->time_ms != INT64_MIN)
        buf_addf(b, ",\"ts_ms\":%" PRId64, r->time_ms);
    if (receive_ms != INT64_MIN)
        buf_addf(b, ",\"received_ms\":%" PRId64, receive_ms);
    buf_adds(b, ",\"values\":");
    reading_write_values(b, r->values, r->n);
}

void reading_write(struct buf *b, const struct reading *r, int64_t receive_ms)
{
    buf_addc(b, '{');
    reading_write_members(b, r, receive_ms);
    buf_addc(b, '}');
}
