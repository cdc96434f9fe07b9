/* SPDX-License-Identifier: GPL-3.0-or-later */
/* sha256: hashes of data, documents and tokens, as lower-case hex (libcrypto). */
#ifndef FC_COMMON_SHA256_H
#define FC_COMMON_SHA256_H

#include <stdbool.h>
#include <stddef.h>

#define SHA256_HEX_SIZE 65

void sha256_hex(const void *data, size_t len, char out[SHA256_HEX_SIZE]);

/* Compares two hex digests in constant time. */
bool sha256_equal(const char a[SHA256_HEX_SIZE], const char b[SHA256_HEX_SIZE]);

/* n random bytes from the system as 2n hex digits plus NUL in out; -1 if there are none.
 */
int random_hex(char *out, size_t n);

#endif
