/* SPDX-License-Identifier: GPL-3.0-or-later */
/* utf8: is a text UTF-8? Postgres, JSON and InfluxDB take nothing else. Pure. */
#ifndef FC_COMMON_UTF8_H
#define FC_COMMON_UTF8_H

#include <stdbool.h>
#include <stddef.h>

/* Bytes of the character at p, or 0 when there is none (RFC 3629, table in 4). The text
 * is NUL-terminated. */
size_t utf8_char(const char *p);

bool utf8_valid(const char *text);

#endif
