/* SPDX-License-Identifier: GPL-3.0-or-later */
/* sink_archive: from the log to files of JSON lines (archive_file.h), with a thread and a
 * cursor of its own. Every reading is in the archive once.
 *
 * When its disk refuses, the cursor stands still and the log holds what the archive has
 * not got, up to backlog_bytes; then the oldest is given up, for the archive alone, and
 * counted, because a full log would stop everything. */
#ifndef FC_INGEST_SINK_ARCHIVE_H
#define FC_INGEST_SINK_ARCHIVE_H

#include "common/service.h"
#include "services/ingest/understand.h"
#include "services/ingest/wal.h"

struct sink_archive;

struct sink_archive_opts { /* all borrowed */
    struct wal *wal;
    struct wal_reader *reader; /* at its cursor */
    struct interpreter how;
    const char *dir;
    int64_t file_bytes;
    int64_t keep_d; /* days; 0: for ever */
    int64_t backlog_bytes;
    bool power;      /* synced before the cursor moves on */
    struct dep *dep; /* the archive's disk */
    struct metrics *metrics;
};

struct sink_archive *sink_archive_open(const struct sink_archive_opts *o,
                                       struct err *e) MUST_CHECK;
void sink_archive_close(struct sink_archive *s); /* NULL is fine */

#endif
