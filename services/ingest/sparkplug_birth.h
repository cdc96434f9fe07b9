/* SPDX-License-Identifier: GPL-3.0-or-later */
/* sparkplug_birth: what a Sparkplug birth announces: which number and which name stands
 * for which metric, as what type, in which unit. Pure; any thread. */
#ifndef FC_INGEST_SPARKPLUG_BIRTH_H
#define FC_INGEST_SPARKPLUG_BIRTH_H

#include "common/reading.h"
#include "services/ingest/memory.h"
#include "services/ingest/sparkplug_pb.h"

struct birth;

/* One metric; its texts are the birth's. */
struct birth_metric {
    const char *quantity; /* unique in the birth; "": it is none, and is passed over */
    const char *unit;     /* "": none */
    unsigned type;        /* SPARKPLUG_… */
};

/* NULL when a birth's payload cannot be read. */
struct birth *birth_new(const void *payload, size_t len);
struct birth *birth_of(const struct sparkplug *p);
void birth_free(struct birth *b); /* NULL is fine */

/* The loose name of a metric that has a name, into out: "" when it is no quantity (a
 * text, a command, the number of a session). */
void sparkplug_quantity(const struct sparkplug_metric *s, char out[QUANTITY_MAX + 1]);

/* By the metric's name if it has one, else by its alias. False: it was not announced. */
bool birth_find(const struct birth *b, const struct sparkplug_metric *s,
                struct birth_metric *out);
/* The number of the edge node's session, which its death repeats; -1: none. */
double birth_session(const struct birth *b);
/* The same of any payload. */
double sparkplug_session(const struct sparkplug *p);

/* Births in the memory are kept as these. */
extern const struct memo_kind birth_kind;

#endif
