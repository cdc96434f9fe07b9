/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/base64.h"

#include <limits.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"

#define PIECE 3072 /* bytes that are encoded at a time; a multiple of 3 */

int base64_add(struct buf *b, const void *p, size_t n)
{
    unsigned char text[PIECE / 3 * 4 + 1];
    int rc = 0;
    for (const unsigned char *from = p; n && !rc;) {
        size_t k = n < PIECE ? n : PIECE;
        int len = EVP_EncodeBlock(text, from, (int)k);
        rc = buf_add(b, text, (size_t)len);
        from += k;
        n -= k;
    }
    return rc;
}

unsigned char *base64_decode(const char *text, size_t n, size_t *len)
{
    while (n && strchr(" \t\r\n", text[n - 1]))
        n--;
    while (n && strchr(" \t\r\n", *text))
        text++, n--;
    size_t pad = n && text[n - 1] == '=' ? 1 + (n > 1 && text[n - 2] == '=') : 0;
    if (n % 4 || n > INT_MAX ||
        (n > pad && memchr(text, '=', n - pad))) /* OpenSSL takes these for zeros */
        return NULL;
    unsigned char *out = xmalloc(n / 4 * 3 + 1);
    int k = n ? EVP_DecodeBlock(out, (const unsigned char *)text, (int)n) : 0;
    if (k < 0) {
        free(out);
        return NULL;
    }
    *len = (size_t)k - pad;
    out[*len] = '\0';
    return out;
}
