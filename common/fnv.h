/* SPDX-License-Identifier: GPL-3.0-or-later */
/* fnv: FNV-1a, 64 bits, for tables and for telling things apart; no defence against
 * somebody who wants two to meet. Pure; any thread. By Fowler, Noll and Vo. */
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

#endif
