/* SPDX-License-Identifier: GPL-3.0-or-later */
/* crc32c: CRC-32C (Castagnoli), as iSCSI and ext4 use it. Pure; any thread. */
#ifndef FC_INGEST_CRC32C_H
#define FC_INGEST_CRC32C_H

#include <stddef.h>
#include <stdint.h>

/* crc: 0 to begin with, or the result for what came before. */
uint32_t crc32c(uint32_t crc, const void *data, size_t n);

#endif
