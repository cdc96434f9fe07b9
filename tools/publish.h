/* SPDX-License-Identifier: GPL-3.0-or-later */
/* publish: where the tools' messages go: a broker, or standard output.
 *
 * Above common/mqtt it adds what a sender of many messages needs: it waits for the broker
 * (a while, or for ever), says on stderr when it goes and comes, and sends again what was
 * under way when a connection broke, so that at the end everything was acknowledged at
 * least once. One thread at a time. */
#ifndef FC_TOOLS_PUBLISH_H
#define FC_TOOLS_PUBLISH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"

struct publish_opts {
    const char *command;       /* who speaks on stderr: "simulate" */
    const char *url;           /* tcp://HOST:PORT or ssl://HOST:PORT */
    const char *user;          /* NULL = none */
    const char *password_file; /* its first line; NULL = none */
    const char *ca_file;       /* for ssl://; NULL = the system's */
    int64_t qos;               /* 0 or 1 */
    bool dry_run;              /* prints "topic payload" lines instead */
    bool patient; /* waits for the broker for ever (until a stop is asked for) */
};

struct publisher;

/* The boot counter of native messages: said if it is not negative, else one that was not
 * used before, because readers take a known device, boot and seq for a repetition; 1 on a
 * dry run, whose output is the same each time. */
uint32_t publisher_boot(const struct publish_opts *o, int64_t said);

/* opts is borrowed and must outlive the publisher. Fails when the broker cannot be
 * reached within 10 s, unless patient. */
struct publisher *publisher_open(const struct publish_opts *o, struct err *e) MUST_CHECK;
void publisher_close(struct publisher *p); /* NULL is fine; does not wait */

/* Takes a message over (copied). Blocks while 1000 are not acknowledged yet, and while
 * the broker is away: for 60 s at most, or for ever if patient. Fails after that, and
 * with ERR_NONE as code when a stop was asked for. */
int publisher_send(struct publisher *p, const char *topic, const char *payload,
                   size_t len, struct err *e) MUST_CHECK;

/* Messages that are done: acknowledged (QoS 1), sent (QoS 0) or printed. */
uint64_t publisher_done(const struct publisher *p);

/* Waits until all are done. Fails as publisher_send() does. */
int publisher_finish(struct publisher *p, struct err *e) MUST_CHECK;

#endif
