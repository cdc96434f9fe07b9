/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "services/ingest/letter_line.h"

#include <inttypes.h>
#include <string.h>

#include "common/clock.h"
#include "common/json.h"
#include "services/ingest/account.h"
#include "services/ingest/raw.h"

static void add_text(struct buf *b, const char *key, const char *text)
{
    buf_addf(b, ",\"%s\":", key);
    if (text && raw_is_text(text, strlen(text)))
        buf_add_json_string(b, text);
    else
        buf_adds(b, "null");
}

static void add_items(struct buf *b, const json_t *items, const char **comma)
{
    const json_t *j;
    size_t i;
    json_array_foreach(items, i, j)
    {
        buf_adds(b, *comma);
        json_write(b, j);
        *comma = ",";
    }
}

static void add_extra(struct buf *b, const struct wal_record *rec,
                      const struct letter_extra *extra)
{
    const char *comma = "";
    if (rec->flags & WAL_RETAIN)
        buf_adds(b, ",\"retain\":true");
    if (rec->flags & WAL_HTTP)
        buf_adds(b, ",\"http\":true");
    if (extra && extra->logged)
        buf_adds(b, ",\"logged\":true");
    if (extra && (json_array_size(extra->taken) || json_array_size(extra->before))) {
        buf_adds(b, ",\"taken\":[");
        add_items(b, extra->before, &comma);
        add_items(b, extra->taken, &comma);
        buf_addc(b, ']');
    }
    if (extra && extra->point) {
        buf_adds(b, ",\"point\":");
        account_write_item(b, extra->point);
    }
}

void letter_line_write(struct buf *b, int64_t id, const struct wal_record *rec,
                       enum reject why, const char *detail, const char *device,
                       const struct letter_extra *extra)
{
    char time[CLOCK_RFC3339_SIZE];
    buf_addf(b, "{\"id\":%" PRId64 ",\"time\":\"%s\",\"reason\":\"%s\"", id,
             clock_format(rec->receive_ms, time), reject_name(why));
    add_text(b, "detail", detail);
    add_text(b, "device", device && *device ? device : NULL);
    add_text(b, "topic", rec->topic);
    buf_addc(b, ',');
    raw_add(b, rec->payload, rec->len);
    buf_adds(b, rec->flags & WAL_CUT ? ",\"cut\":true" : "");
    add_extra(b, rec, extra);
    buf_adds(b, "}\n");
}

json_t *letter_line_parse(const char *line, size_t len, int64_t *id)
{
    json_t *j = json_loadb(line, len, 0, NULL);
    json_t *v = json_object_get(j, "id");
    if (json_is_integer(v)) {
        *id = json_integer_value(v);
        return j;
    }
    json_decref(j);
    return NULL;
}
