/* SPDX-License-Identifier: GPL-3.0-or-later */
/* letter_marks: which dead letters were replayed: a set of hashes, each a line of a file.
 * The newest MARKS_MAX are kept, more than there can be letters. One thread at a time. */
#ifndef FC_INGEST_LETTER_MARKS_H
#define FC_INGEST_LETTER_MARKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"

#define MARKS_MAX 500000

struct letter_marks {
    char *path; /* owned */
    int fd;
    uint64_t *key; /* n of cap, ascending; owned */
    size_t n, cap;
};

/* Reads the file if it is there; it is made with the first mark. letter_marks_close() in
 * any case. */
int letter_marks_open(struct letter_marks *m, const char *path, struct err *e) MUST_CHECK;
void letter_marks_close(struct letter_marks *m);

bool letter_marks_has(const struct letter_marks *m, uint64_t key);
int letter_marks_add(struct letter_marks *m, uint64_t key, struct err *e) MUST_CHECK;

#endif
