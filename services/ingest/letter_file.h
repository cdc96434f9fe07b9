/* SPDX-License-Identifier: GPL-3.0-or-later */
/* letter_file: the two files that dead letters lie in, a line each. What a line says is
 * nothing to it (letter_line.h).
 *
 * deadletters.jsonl is written to. When it holds half of what both may, it becomes
 * deadletters.1.jsonl, and the one that had that name is dropped. One thread at a time.
 */
#ifndef FC_INGEST_LETTER_FILE_H
#define FC_INGEST_LETTER_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/err.h"

struct letter_file {
    char *path, *older; /* owned */
    int fd;
    int64_t size, max_bytes;
    bool unfinished; /* the file ends within a line */
};

/* max_bytes: of both together. letter_file_close() in any case. */
int letter_file_open(struct letter_file *f, const char *dir, int64_t max_bytes,
                     struct err *e) MUST_CHECK;
void letter_file_close(struct letter_file *f);

/* Appends a line, which ends in \n. What a failure left of one is ended by the next. */
int letter_file_put(struct letter_file *f, const struct buf *line,
                    struct err *e) MUST_CHECK;

/* The lines of path or older, without their \n, from the end to the beginning, until fn
 * returns false. The line is borrowed for the call. A file that cannot be read has none.
 */
typedef bool letter_file_fn(void *arg, const char *line, size_t len);
void letter_file_each(const char *path, letter_file_fn *fn, void *arg);

#endif
