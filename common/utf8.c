/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/utf8.h"

size_t utf8_char(const char *text)
{
    const unsigned char *p = (const unsigned char *)text;
    unsigned char c = *p, low = 0x80, high = 0xbf;
    size_t n = c < 0x80   ? 1
               : c < 0xc2 ? 0
               : c < 0xe0 ? 2
               : c < 0xf0 ? 3
               : c < 0xf5 ? 4
                          : 0;
    low = c == 0xe0 ? 0xa0 : c == 0xf0 ? 0x90 : low;
    high = c == 0xed ? 0x9f : c == 0xf4 ? 0x8f : high;
    for (size_t i = 1; i < n; i++, low = 0x80, high = 0xbf)
        if (p[i] < low || p[i] > high)
            return 0;
    return n;
}

bool utf8_valid(const char *text)
{
    for (size_t n; *text; text += n)
        if (!(n = utf8_char(text)))
            return false;
    return true;
}
