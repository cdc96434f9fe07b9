/* SPDX-License-Identifier: GPL-3.0-or-later */
/* intake: the way into the log, the same for MQTT and HTTP.
 *
 * A message is understood (which devices, which times, seen before?) and appended: as it
 * came when it is one reading that is taken whole and hangs on no other message, else as
 * an account of what is taken and what is refused. What later messages need of it goes
 * into the memory before. When intake_take() returns 0 it is safe on disk, or known to be
 * there already. Any thread. */
#ifndef FC_INGEST_INTAKE_H
#define FC_INGEST_INTAKE_H

#include <stdatomic.h>

#include "common/metrics.h"
#include "services/ingest/announce.h"
#include "services/ingest/sink_live.h"
#include "services/ingest/understand.h"
#include "services/ingest/wal.h"

struct intake;

struct arrival {
    const char *topic; /* NUL-terminated; borrowed, like payload */
    const void *payload;
    size_t len;
    unsigned flags;   /* WAL_QOS, WAL_DUP, ... */
    bool from_broker; /* where Home Assistant can read it too */
    bool from_kafka;
};

/* Of a message of more than MESSAGE_BYTES_MAX, `whole`, the beginning alone is taken. */
void arrival_cut(struct arrival *a, size_t whole);

/* All borrowed, how copied. live NULL: nobody wants live readings. */
struct intake *intake_new(struct wal *w, const struct interpreter *how,
                          struct sink_live *live, struct metrics *m);
void intake_free(struct intake *in);
/* Who looks at each message from the broker that is taken; borrowed. Before the first
 * intake_take(). NULL: nobody. */
void intake_announce(struct intake *in, struct announce *a);

/* Reads the newest records of the log again, so that the window of duplicates, the times
 * made of arrivals and the acknowledgements go on where they were. Those before
 * `judged_to` also teach the misread detector. Once, before the first intake_take(). */
int intake_remember(struct intake *in, int64_t judged_to, struct err *e) MUST_CHECK;

/* ERR_BUSY: the log is full. ERR_UNAVAILABLE: the disk does not take it. */
int intake_take(struct intake *in, const struct arrival *a, struct err *e) MUST_CHECK;

/* The same for many messages at the price of one write: intake_stage() for each, then
 * intake_commit(). None of them is safe before that has returned 0; until then it is to
 * be tried again, for what is staged can not be taken back. intake_stage() fails when the
 * disk does not take what is to be remembered of a message, or when much is staged that
 * the log does not take; then it is not staged. */
int intake_stage(struct intake *in, const struct arrival *a, struct err *e) MUST_CHECK;
int intake_commit(struct intake *in, struct err *e) MUST_CHECK;

/* Would a message be taken now? Fails as intake_take() does. */
int intake_try(struct intake *in, struct err *e) MUST_CHECK;

/* What would become of a message, without taking it (understand.h). */
enum reject intake_ask(struct intake *in, const struct wal_record *rec, struct message *m,
                       struct err *e);

/* What is known of a device's clock. */
void intake_clock(struct intake *in, const struct device *d, struct device_clock *out);
/* How many of a device's numbers are missing, and the newest gaps, *n of them. False: it
 * sends no numbers. */
bool intake_gaps(struct intake *in, const struct device *d, uint64_t *missing,
                 struct gap out[GAPS_MAX], size_t *n);
/* Of all devices. */
int64_t intake_missing(const struct intake *in);

/* A message that is a dead letter, once more: see deadletter.h for what taken, point and
 * logged are. */
struct replay {
    struct wal_record rec; /* as it came: receive_ms, flags, topic, payload; borrowed */
    const json_t *taken, *point; /* NULL: none */
    bool logged;
};
struct replayed {
    bool done;            /* the letter has had its turn */
    size_t stored, known; /* readings: to be stored now; there already */
    enum reject refused;  /* the first that is refused still; REJECT_NONE: nothing */
    struct err why;
};

/* Understands it as a message that came then, and takes what was not taken before.
 * Readings without a time get that of the arrival. Fails as intake_take() does. */
int intake_replay(struct intake *in, const struct replay *l, struct replayed *out,
                  struct err *e) MUST_CHECK;

/* When the last message came (monotonic, real). */
int64_t intake_last_ms(const struct intake *in);

/* Calls publish(arg, device, boot, upto) for each device that sent something since the
 * last call; those for which it fails stay due. At most once a second has to be seen to
 * by the caller. */
void intake_acks(struct intake *in,
                 int (*publish)(void *arg, const char *device, int64_t boot,
                                int64_t upto),
                 void *arg);

/* Calls ask(arg, edge) for each Sparkplug edge node that has to announce itself anew, as
 * rebirth_ask() does. */
void intake_rebirths(struct intake *in, int (*ask)(void *arg, const char *edge),
                     void *arg);

#endif
