/* SPDX-License-Identifier: GPL-3.0-or-later */
/* crc32c: CRC-32C (Castagnoli), as iSCSI and ext4 use it. Pure; any thread.
 *
 * By the processor's own instruction where there is one (SSE 4.2, looked for at run time;
 * ARMv8's, when the compiler may assume it), by tables elsewhere. */
#ifndef FC_INGEST_CRC32C_H
#define FC_INGEST_CRC32C_H

#include <stddef.h>
#include <stdint.h>

/* crc: 0 to begin with, or the result for what came before. */
uint32_t crc32c(uint32_t crc, const void *data, size_t n);

/* One way of computing it; crc32c() takes the first. Beyond the last: NULL. For tests. */
struct crc32c_way {
    const char *name;
    uint32_t (*compute)(uint32_t crc, const void *data, size_t n);
};
const struct crc32c_way *crc32c_way(size_t i);

#endif
