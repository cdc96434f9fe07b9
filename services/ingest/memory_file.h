/* SPDX-License-Identifier: GPL-3.0-or-later */
/* memory_file: memory.h's file: records as in the log, one behind the other. The flags
 * say what a record does; without one it keeps its payload under its topic. One thread at
 * a time. */
#ifndef FC_INGEST_MEMORY_FILE_H
#define FC_INGEST_MEMORY_FILE_H

#include "common/err.h"
#include "services/ingest/wal_record.h"

#define MEMORY_FILE_FORGET 0x1u       /* the topic */
#define MEMORY_FILE_FORGET_UNDER 0x2u /* all topics that begin with this one */

struct memory_file;

/* Calls take() for each record there is; topics are NUL-terminated. A record that is not
 * whole at the end is dropped; damage before that is stepped over, the file is kept as
 * memory.bad, and it is said. */
struct memory_file *memory_file_open(const char *dir, bool power,
                                     void (*take)(void *arg, const struct wal_record *r),
                                     void *arg, struct err *e) MUST_CHECK;
void memory_file_close(struct memory_file *f); /* NULL is fine */

/* All of them or, with -1, none. */
int memory_file_append(struct memory_file *f, const struct wal_record *r, size_t n,
                       struct err *e) MUST_CHECK;

/* Is it more than twice as large as what is needed, or damaged? */
bool memory_file_grown(const struct memory_file *f, size_t needed);
/* Puts a new file in its place with the records that next(arg, 0), next(arg, 1), … give
 * until there is none. When the disk does not want it, that is said, and the old one
 * stays until it has doubled once more. */
void memory_file_rewrite(struct memory_file *f,
                         bool (*next)(void *arg, size_t i, struct wal_record *r),
                         void *arg);

#endif
