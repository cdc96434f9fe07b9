/* SPDX-License-Identifier: GPL-3.0-or-later */
/* output: does standard output take what a subcommand writes to it? To be asked as rows
 * go out, so that a full disk or a pipe that nobody reads ends the work and not only its
 * answer, and the reason is that of the write that failed. Zeroed: nothing is known.
 * Any thread may ask while one writes. */
#ifndef FC_TOOLS_OUTPUT_H
#define FC_TOOLS_OUTPUT_H

#include <stdatomic.h>

#include "common/err.h"

struct output {
    atomic_int why; /* errno of the first write that failed; 0: none has */
};

/* Right after something was written: sends it. */
void output_flush(struct output *o);

/* Fails once a write has: "could not write to standard output: No space left on device".
 */
int output_check(struct output *o, struct err *e) MUST_CHECK;

/* Both, at the end. */
int output_end(struct output *o, struct err *e) MUST_CHECK;

#endif
