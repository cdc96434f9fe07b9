/* SPDX-License-Identifier: GPL-3.0-or-later */
/* fnv: FNV-1a, of 64 and of 32 bits, for tables and for telling things apart; no defence
 * against somebody who wants two to meet. Pure; any thread. By Fowler, Noll and Vo. */
#ifndef FC_COMMON_FNV_H
#define FC_COMMON_FNV_H

#include <stddef.h>
#include <stdint.h>

#define FNV_BASIS UINT64_C(0xcbf29ce484222325)

/* h: FNV_BASIS, or what the bytes before gave. */
static inline uint64_t fnv_add(uint64_t h, const void *p, size_t n)
{
    for (const unsigned char *c = p; n--; c++)
        h = (h ^ *c) * UINT64_C(0x100000001b3);
    return h;
}

/* The same of a text, without its NUL. */
static inline uint64_t fnv_text(uint64_t h, const char *s)
{
    for (; *s; s++)
        h = (h ^ (unsigned char)*s) * UINT64_C(0x100000001b3);
    return h;
}

#define FNV32_BASIS 2166136261u

static inline uint32_t fnv32_text(uint32_t h, const char *s)
{
    for (; *s; s++)
        h = (h ^ (unsigned char)*s) * 16777619u;
    return h;
}

/* What ends a text, so that "a", "b" and "ab" differ. */
static inline uint32_t fnv32_end(uint32_t h)
{
    return h * 16777619u; /* a byte of 0 */
}

#endif
