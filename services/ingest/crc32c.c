/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "services/ingest/crc32c.h"

#include <pthread.h>
#include <string.h>

#if defined(__ARM_FEATURE_CRC32)
#include <arm_acle.h>
#endif

#define POLYNOMIAL 0x82f63b78u /* 0x1edc6f41 with its bits reversed (RFC 3720, B.4) */

static uint32_t table[8][256];
static struct crc32c_way ways[2]; /* what this machine can do, the fastest first */
static size_t n_ways;
static pthread_once_t once = PTHREAD_ONCE_INIT;

/* ---- by tables
 * ------------------------------------------------------------------------------ */

/* table[k][b]: what byte b does to the CRC when k more bytes follow, so that eight bytes
 * are taken in one step ("slicing by 8", Kounavis and Berry, 2008). */
static void make_tables(void)
{
    for (uint32_t i = 0; i < 256; i++) {
        uint32_t c = i;
        for (int bit = 0; bit < 8; bit++)
            c = c & 1 ? c >> 1 ^ POLYNOMIAL : c >> 1;
        table[0][i] = c;
    }
    for (uint32_t i = 0; i < 256; i++)
        for (int k = 1; k < 8; k++)
            table[k][i] = table[k - 1][i] >> 8 ^ table[0][table[k - 1][i] & 255];
}

static uint32_t by_tables(uint32_t crc, const void *data, size_t n)
{
    const unsigned char *p = data;
    crc = ~crc;
    for (; n >= 8; n -= 8, p += 8) {
        uint32_t lo = crc ^ ((uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 |
                             (uint32_t)p[3] << 24);
        crc = table[7][lo & 255] ^ table[6][lo >> 8 & 255] ^ table[5][lo >> 16 & 255] ^
              table[4][lo >> 24] ^ table[3][p[4]] ^ table[2][p[5]] ^ table[1][p[6]] ^
              table[0][p[7]];
    }
    while (n--)
        crc = crc >> 8 ^ table[0][(crc ^ *p++) & 255];
    return ~crc;
}

/* ---- by the processor
 * ----------------------------------------------------------------------- */

#if defined(__x86_64__)
#define BY_PROCESSOR "SSE 4.2"

__attribute__((target("sse4.2"))) static uint32_t by_processor(uint32_t crc,
                                                               const void *data, size_t n)
{
    const unsigned char *p = data;
    uint64_t c = ~crc;
    for (; n >= 8; n -= 8, p += 8) {
        uint64_t v;
        memcpy(&v, p, 8);
        c = __builtin_ia32_crc32di(c, v);
    }
    uint32_t c32 = (uint32_t)c;
    while (n--)
        c32 = __builtin_ia32_crc32qi(c32, *p++);
    return ~c32;
}

static int processor_can(void)
{
    __builtin_cpu_init();
    return __builtin_cpu_supports("sse4.2");
}
#elif defined(__aarch64__) && defined(__ARM_FEATURE_CRC32)
#define BY_PROCESSOR "ARMv8 CRC"

static uint32_t by_processor(uint32_t crc, const void *data, size_t n)
{
    const unsigned char *p = data;
    crc = ~crc;
    for (; n >= 8; n -= 8, p += 8) {
        uint64_t v;
        memcpy(&v, p, 8);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
        v = __builtin_bswap64(v);
#endif
        crc = __crc32cd(crc, v);
    }
    while (n--)
        crc = __crc32cb(crc, *p++);
    return ~crc;
}

static int processor_can(void)
{
    return 1;
}
#endif

/* ---- the choice
 * ----------------------------------------------------------------------------- */

static void find_ways(void)
{
    make_tables();
#ifdef BY_PROCESSOR
    if (processor_can())
        ways[n_ways++] = (struct crc32c_way){BY_PROCESSOR, by_processor};
#endif
    ways[n_ways++] = (struct crc32c_way){"tables", by_tables};
}

const struct crc32c_way *crc32c_way(size_t i)
{
    pthread_once(&once, find_ways);
    return i < n_ways ? &ways[i] : NULL;
}

uint32_t crc32c(uint32_t crc, const void *data, size_t n)
{
    pthread_once(&once, find_ways);
    return ways[0].compute(crc, data, n);
}
