/* SPDX-License-Identifier: GPL-3.0-or-later */
/* account: a message that is more than one reading taken whole, as it lies in the log
 * (WAL_ACCOUNT): what was taken of it, with names, units and times as they are stored,
 * and what was refused, with the reason and the message's bytes. So whoever reads the log
 * finds the same, whatever devices, settings and other messages there were between.
 *
 *   {"decoder":"…",
 *    "items":[{"device","raw","ts_ms","arrival","said_ms","boot","seq","id","poor","values":{…}},
 *             {"device","raw","ts_ms","online"}],
 *    "received_ms","before":[…],
 *    "refused":[{"reason","device"}],
 *    "reason","detail","payload" | "payload_base64","cut"}
 *
 * Members that say nothing are left out; the last line is there when something was
 * refused. received_ms and before are of a dead letter that was replayed: when the
 * message had come, and what had been taken of it (as items). Pure; any thread. */
#ifndef FC_INGEST_ACCOUNT_H
#define FC_INGEST_ACCOUNT_H

#include <jansson.h>

#include "common/buf.h"
#include "services/ingest/message.h"

#define ACCOUNT_ITEMS_BYTES (160u * 1024) /* beyond it a message is refused */
#define ACCOUNT_BYTES (512u * 1024)       /* an account is never larger */

/* Writes m: its items that are neither refused nor known already. why: the reason when
 * the whole message is refused, else REJECT_NONE; detail: its sentence. payload: the
 * message, or its beginning (cut). -1: the items take more than ACCOUNT_ITEMS_BYTES. */
int account_write(struct buf *b, const struct message *m, enum reject why,
                  const char *detail, const void *payload, size_t len, bool cut);

/* The same of a message that came at received_ms, and of which the items in before (an
 * array as below, or NULL) were taken then. */
int account_write_again(struct buf *b, const struct message *m, enum reject why,
                        const char *detail, const void *payload, size_t len, bool cut,
                        int64_t received_ms, const json_t *before);

/* One item, as it stands in an account, as text; and read into a new item of m, whose
 * device member stays NULL. */
void account_write_item(struct buf *b, const struct item *it);
int account_read_item(struct message *m, const json_t *item, struct err *e) MUST_CHECK;

/* What an account says was refused. */
struct account {
    json_t *root;       /* owned */
    enum reject reason; /* of the first thing refused; REJECT_NONE: nothing was */
    const char *detail; /* in root */
    size_t n;           /* items refused: account_refused() */
    bool cut;
    int64_t received_ms;          /* of a replayed letter; else 0 */
    const json_t *items, *before; /* in root, or NULL */
};

/* Reads an account into m (its items' device members stay NULL) and a, which is to be
 * ended with account_done() in any case. -1: it is none. */
int account_read(const void *payload, size_t len, struct message *m, struct account *a,
                 struct err *e) MUST_CHECK;
void account_done(struct account *a);

/* The ith refused item: its reason, and its device's name ("" if not known). */
enum reject account_refused(const struct account *a, size_t i, const char **device);

#endif
