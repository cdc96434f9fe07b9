/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/sha256.h"

/* SHA256_Init() and its kin need no context from the heap and no look-up per call, which
 * a token per request would pay for. They are as they were in OpenSSL 1.1. */
#define OPENSSL_API_COMPAT 0x10100000L
#include <openssl/sha.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
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
    SHA256_CTX ctx;
    SHA256_Init(&ctx);
    SHA256_Update(&ctx, data, len);
    SHA256_Final(md, &ctx);
    hex(md, sizeof md, out);
}

bool sha256_equal(const char a[SHA256_HEX_SIZE], const char b[SHA256_HEX_SIZE])
{
    uint64_t x[8], y[8], differ = 0;
    memcpy(x, a, sizeof x);
    memcpy(y, b, sizeof y);
    for (int i = 0; i < 8; i++)
        differ |= x[i] ^ y[i];
    return differ == 0;
}

int random_hex(char *out, size_t n)
{
    unsigned char b[64];
    if (n > sizeof b || getrandom(b, n, 0) != (ssize_t)n)
        return -1;
    hex(b, n, out);
    return 0;
}
