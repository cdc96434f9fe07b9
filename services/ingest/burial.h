/* SPDX-License-Identifier: GPL-3.0-or-later */
/* burial: how what became no point of InfluxDB gets into the dead letters, and is
 * counted. For sink_influx.c, on its thread. */
#ifndef FC_INGEST_BURIAL_H
#define FC_INGEST_BURIAL_H

#include "common/log.h"
#include "services/ingest/batch.h"
#include "services/ingest/deadletter.h"
#include "services/ingest/nap.h"
#include "services/ingest/understand.h"
#include "services/ingest/wal.h"

/* A disk that does not take what is written holds everything up: nothing is lost. */
struct held_up {
    struct nap *nap; /* borrowed; a stop ends the waiting */
    bool said;
};

/* Says so once, forgets the error and waits a moment. False: there was a stop. */
bool held_up_wait(struct held_up *h, struct err *e);
void held_up_over(struct held_up *h);

struct burial_opts { /* all borrowed */
    struct deadletter *letters;
    struct interpreter how;
    struct wal_reader *reader;
    struct held_up *disk;
    /* What lay before that in the log when we began was received by another process:
     * the ledger is told again. */
    int64_t started_end;
    struct metrics *metrics;
};

struct burial {
    struct burial_opts o;
    struct log_often refused;
    struct metric *rejects[REJECT_N], *partly[REJECT_N];
};

void burial_init(struct burial *b, const struct burial_opts *o);

/* Each waits until the disk takes it; -1: there was a stop. */

/* A record that was taken and is not understood any more; m: what there is of it. */
int burial_record(struct burial *b, const struct wal_record *rec, int64_t pos,
                  const struct message *m, enum reject why, const char *detail);
/* What an account says was refused, once for the message. */
int burial_account(struct burial *b, const struct wal_record *rec, int64_t pos,
                   const struct account *a, const struct message *m);
/* A point that InfluxDB refused. m: to read its record with; what was in it is gone. */
int burial_point(struct burial *b, const struct point *p, const char *why,
                 struct message *m);

#endif
