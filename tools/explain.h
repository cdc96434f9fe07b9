/* SPDX-License-Identifier: GPL-3.0-or-later */
/* explain: the subcommand that asks a running ingest what would become of a message. */
#ifndef FC_TOOLS_EXPLAIN_H
#define FC_TOOLS_EXPLAIN_H

#include <jansson.h>
#include <stdio.h>

/* Prints an answer of POST /api/v1/explain for people. Returns the exit code: 0 when the
 * message is accepted, 1 when it is refused. */
int explain_print(const json_t *answer, FILE *to);

/* The subcommand. Returns the exit code: 0 (accepted), 1 (refused, or nobody could be
 * asked), 2 (wrong command line). */
int explain_main(int argc, char **argv);

#endif
