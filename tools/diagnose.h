/* SPDX-License-Identifier: GPL-3.0-or-later */
/* diagnose: the subcommand that says of the series of a file, without any server, what
 * they are made of, how far a regression on their past can be trusted, and which of them
 * help to predict each other. */
#ifndef FC_TOOLS_DIAGNOSE_H
#define FC_TOOLS_DIAGNOSE_H

/* Returns the exit code: 0, 1 (failed), 2 (wrong command line). */
int diagnose_main(int argc, char **argv);

#endif
