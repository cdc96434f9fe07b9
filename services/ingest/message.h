/* SPDX-License-Identifier: GPL-3.0-or-later */
/* message: what one message says, in canonical names and units: readings of one or more
 * devices, and whether devices are there.
 *
 * A message is memory that is used again and again: message_init() once, message_begin()
 * for each. Pure; a message belongs to one thread at a time. */
#ifndef FC_INGEST_MESSAGE_H
#define FC_INGEST_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "common/reading.h"

#define MESSAGE_BYTES_MAX (256u * 1024) /* a larger message is refused */
#define MESSAGE_ITEMS_MAX 500

/* Why a message, or a part of it, does not become a point. The names are in metrics, dead
 * letters and the log. */
enum reject {
    REJECT_NONE,
    REJECT_BAD_JSON,
    REJECT_BAD_SHAPE,
    REJECT_UNKNOWN_TOPIC,
    REJECT_NO_DEVICE,
    REJECT_BAD_DEVICE,
    REJECT_DEVICE_CLASH,
    REJECT_TOO_MANY_DEVICES,
    REJECT_NO_VALUES,
    REJECT_BAD_VALUE,
    REJECT_OUT_OF_RANGE,
    REJECT_TOO_MANY_VALUES,
    REJECT_BAD_TIME,
    REJECT_RETAINED_WITHOUT_TIME,
    REJECT_TOO_LARGE,
    REJECT_UNKNOWN_ALIAS,
    REJECT_MEMORY_FULL,
    REJECT_REFUSED_BY_INFLUXDB,
    REJECT_TOO_MANY_NEW_DEVICES,
    REJECT_TOO_MANY_QUANTITIES,
    REJECT_N
};
const char *reject_name(enum reject r);     /* "bad_json" */
enum reject reject_find(const char *name);  /* REJECT_NONE if there is none */
const char *reject_sentence(enum reject r); /* for the documentation and /explain */
/* Fills e with the reason's name as slug and a sentence; returns r. */
enum reject reject_say(enum reject r, struct err *e, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* The time a message carries, as it stood there; timefix.h makes a time of it. */
enum raw_time_kind { RAW_TIME_NONE, RAW_TIME_NUMBER, RAW_TIME_TEXT };
struct raw_time {
    enum raw_time_kind kind;
    double number;
    char text[48];
};

enum time_source {
    TIME_DEVICE,        /* the message's own time */
    TIME_DEVICE_2000,   /* the same, counted from 2000 */
    TIME_DEVICE_ZONE,   /* the same, its zone learnt */
    TIME_DEVICE_OFFSET, /* a clock that was never set, its offset learnt */
    TIME_NONE,          /* arrival: the message has no time */
    TIME_IMPLAUSIBLE,   /* arrival: its time is outside the window */
    TIME_UNREADABLE,    /* arrival: its text is no time */
    TIME_SOURCES
};

enum item_kind { ITEM_READING, ITEM_STATUS };

struct device; /* ledger.h */

struct item {
    /* what the message says */
    enum item_kind kind;
    struct raw_time time; /* of a reading */
    bool online;          /* of a status */
    enum reject left_out; /* why the first of its values was refused, if one was */
    enum reject reject;   /* REJECT_NONE, or why this item is not taken */
    /* what ingest makes of it (understand.h); r.time_ms is the item's time then */
    struct device *device; /* borrowed; NULL if not known */
    enum time_source source;
    int64_t said_ms;  /* the time as the device said it, if it is another; or INT64_MIN */
    uint64_t id;      /* recent.h; 0: none */
    bool known;       /* it came before, and is not taken again */
    struct reading r; /* device names always; values of a reading. Last: it is large */
};

/* Of a convention in which an edge node announces what it sends, once, and numbers its
 * messages: what this one says about that. */
struct edge_note {
    char id[RAW_DEVICE_MAX + 1]; /* "group/edge"; "": no such convention */
    int seq;                     /* 0..255, -1: none */
    bool birth;                  /* all is announced anew */
    bool lost;                   /* it needs an announcement that is not known */
};

struct message {
    const char *decoder; /* static; NULL when none was found */
    bool from_memory;    /* what it says hangs on what others said before */
    struct edge_note edge;
    struct item *item; /* n of cap; owned. Adding one may move them */
    size_t n, cap;
    bool mapped; /* read as the user's mapping says, which may say else tomorrow */
    /* the first thing in it that was refused while others were taken */
    enum reject refused;
    struct err why;
    size_t n_refused;
};

void message_init(struct message *m);
void message_done(struct message *m);
/* Empty again; memory that a large message took is given back. */
void message_begin(struct message *m);

/* A new item: a reading without device, time and values. NULL beyond MESSAGE_ITEMS_MAX:
 * reject with REJECT_TOO_MANY_VALUES. */
struct item *message_add(struct message *m);
/* The newest item. There is one. */
static inline struct item *message_last(const struct message *m)
{
    return &m->item[m->n - 1];
}

/* Notes that a value of the item (or something of the message, with it NULL) is refused
 * for this reason; the rest goes on. e's text is moved into the message, and e is empty
 * again. */
void message_refuse(struct message *m, struct item *it, enum reject why, struct err *e);
/* The whole message is refused: it counts once, for its first device if it names one. */
void message_refuse_all(struct message *m, enum reject why);
/* Of a message whose items are all rejected: why, with the sentence in *e. */
enum reject message_rejected(const struct message *m, struct err *e);

#endif
