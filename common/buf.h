/* SPDX-License-Identifier: GPL-3.0-or-later */
/* buf: a growing byte buffer with a ceiling given when it is made.
 *
 * Appending past the ceiling appends nothing and sets `full`; so a writer may add piece
 * after piece and look once at the end. data is always NUL-terminated (the NUL is not
 * counted in len), or NULL while nothing was added. One thread at a time. */
#ifndef FC_COMMON_BUF_H
#define FC_COMMON_BUF_H

#include <stdbool.h>
#include <stddef.h>

struct buf {
    char *data; /* owned */
    size_t len, cap, max;
    bool full; /* something did not fit; stays set until buf_reset() */
};

void buf_init(struct buf *b, size_t max); /* max: the most bytes it will ever hold */
void buf_done(struct buf *b);             /* frees; the struct may be initialised again */
void buf_reset(struct buf *b);            /* empties, keeps the memory */

/* Each returns 0, or -1 when the ceiling is reached. */
int buf_add(struct buf *b, const void *p, size_t n);
int buf_adds(struct buf *b, const char *s);
int buf_addc(struct buf *b, char c);
int buf_addf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* A real with the fewest of at most 17 significant digits that read back the same number,
 * independent of the locale; `null` for NaN and infinities (JSON's spelling). */
int buf_add_real(struct buf *b, double x);

/* A JSON string with its quotes; control characters, quote and backslash escaped. */
int buf_add_json_string(struct buf *b, const char *s);

/* Hands the bytes over (owned, NUL-terminated, free()); the buffer is empty afterwards.
 */
char *buf_take(struct buf *b, size_t *len);

#endif
