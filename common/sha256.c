/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/sha256.h"

#include <openssl/crypto.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <sys/random.h>

static void hex(const unsigned char *p, size_t n, char *out)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < n; i++) {
        out[2 * i] = digits[p[i] >> 4];
        out[2 * i + 1] = digits[p[i] & 15];
    }
    out[2 * n] = '\0';
}

void sha256_hex(const void *data, size_t len, char out[SHA256_HEX_SIZE])
{
    unsigned char md[SHA256_DIGEST_LENGTH];
    SHA256(data, len, md);
    hex(md, sizeof md, out);
}

bool sha256_equal(const char a[SHA256_HEX_SIZE], const char b[SHA256_HEX_SIZE])
{
    return CRYPTO_memcmp(a, b, SHA256_HEX_SIZE - 1) == 0;
}

int random_hex(char *out, size_t n)
{
    unsigned char b[64];
    if (n > sizeof b || getrandom(b, n, 0) != (ssize_t)n)
        return -1;
    hex(b, n, out);
    return 0;
}
