/* SPDX-License-Identifier: GPL-3.0-or-later */
/* base64: RFC 4648 with padding, by OpenSSL. Any thread. */
#ifndef FC_COMMON_BASE64_H
#define FC_COMMON_BASE64_H

#include <stddef.h>

#include "common/buf.h"

/* Appends n bytes in base64; -1 when the buffer's ceiling is reached. */
int base64_add(struct buf *b, const void *p, size_t n);

/* Decodes text of n characters (spaces around it are fine, line breaks in it are not).
 * Returns new memory with *len bytes (owned by the caller, NUL-terminated), or NULL when
 * it is no base64. */
unsigned char *base64_decode(const char *text, size_t n, size_t *len);

#endif
