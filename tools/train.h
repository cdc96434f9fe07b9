/* SPDX-License-Identifier: GPL-3.0-or-later */
/* train: the subcommand that asks a running trainer for trainings and follows them. */
#ifndef FC_TOOLS_TRAIN_H
#define FC_TOOLS_TRAIN_H

/* The subcommand. Returns the exit code: 0 (all were trained), 1 (one was not, nobody
 * could be asked, or it was interrupted), 2 (wrong command line). */
int train_main(int argc, char **argv);

#endif
