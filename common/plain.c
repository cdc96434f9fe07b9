/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/plain.h"

#include <stdbool.h>
#include <string.h>

#include "common/mem.h"
#include "common/utf8.h"

/* Only as far as the characters that matter here go: up to three bytes. */
static unsigned code_of(const unsigned char *p, size_t n)
{
    if (n == 1)
        return p[0];
    if (n == 2)
        return (p[0] & 0x1fu) << 6 | (p[1] & 0x3fu);
    return (p[0] & 0x0fu) << 12 | (p[1] & 0x3fu) << 6 | (p[2] & 0x3fu);
}

static bool unshown(unsigned code)
{
    return code < 0x20 || (code >= 0x7f && code < 0xa0) || code == 0x61c ||
           code == 0x200e || code == 0x200f || (code >= 0x2028 && code <= 0x202e) ||
           (code >= 0x2066 && code <= 0x2069) || code == 0xfffe || code == 0xffff;
}

size_t plain_char(const char *p, char out[PLAIN_CHAR_SIZE])
{
    const unsigned char *u = (const unsigned char *)p;
    size_t n = utf8_char(p);
    if (!n) {
        snprintf(out, PLAIN_CHAR_SIZE, "\\x%02x", *u);
        return 1;
    }
    unsigned code = n < 4 ? code_of(u, n) : 0x10000;
    if (unshown(code)) {
        snprintf(out, PLAIN_CHAR_SIZE, "\\u%04x", code & 0xffff);
        return n;
    }
    memcpy(out, p, n);
    out[n] = '\0';
    return n;
}

char *plain_utf8(const char *text)
{
    char *copy = xmalloc(4 * strlen(text) + 1), *to = copy;
    while (*text) {
        size_t n = utf8_char(text);
        if (n)
            to = mempcpy(to, text, n);
        else
            to += sprintf(to, "\\x%02x", (unsigned char)*text);
        text += n ? n : 1;
    }
    *to = '\0';
    return copy;
}

static void put(FILE *to, const char *text, bool lines)
{
    char shown[PLAIN_CHAR_SIZE];
    for (;;) {
        size_t n = 0; /* as a rule it is all of this */
        while ((text[n] >= ' ' && text[n] <= '~') || (lines && text[n] == '\n'))
            n++;
        fwrite(text, 1, n, to);
        text += n;
        if (!*text)
            return;
        text += plain_char(text, shown);
        fputs(shown, to);
    }
}

void plain_put(FILE *to, const char *text)
{
    put(to, text, false);
}

void plain_put_lines(FILE *to, const char *text)
{
    put(to, text, true);
}
