/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "services/ingest/raw.h"

#include <stdlib.h>
#include <string.h>

#include "common/base64.h"
#include "common/mem.h"
#include "common/utf8.h"

#define SHORT_TEXT 4096 /* always kept as text, for whoever reads it */

bool raw_is_text(const void *p, size_t n)
{
    const unsigned char *c = p;
    for (size_t i = 0; i < n; i++)
        if (c[i] < 0x20 && c[i] != '\t' && c[i] != '\r' && c[i] != '\n')
            return false;
    char *text = xstrndup(p, n);
    bool ok = utf8_valid(text);
    free(text);
    return ok;
}

/* A long text that is mostly quotes would be much longer escaped than in base64. */
static bool escapes_little(const char *p, size_t n)
{
    size_t more = 0;
    for (size_t i = 0; i < n; i++)
        more += (unsigned char)p[i] < 0x20 ? 5 : p[i] == '"' || p[i] == '\\';
    return n < SHORT_TEXT || more <= n / 3;
}

void raw_add(struct buf *b, const void *p, size_t n)
{
    if (raw_is_text(p, n) && escapes_little(p, n)) {
        char *text = xstrndup(p, n);
        buf_adds(b, "\"payload\":");
        buf_add_json_string(b, text);
        free(text);
        return;
    }
    buf_adds(b, "\"payload_base64\":\"");
    base64_add(b, p, n);
    buf_addc(b, '"');
}

char *raw_get(const json_t *o, size_t *n)
{
    const json_t *text = json_object_get(o, "payload");
    const json_t *coded = json_object_get(o, "payload_base64");
    if (json_is_string(text)) {
        *n = json_string_length(text);
        return xstrndup(json_string_value(text), *n);
    }
    if (!json_is_string(coded))
        return NULL;
    return (char *)base64_decode(json_string_value(coded), json_string_length(coded), n);
}
