/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tools/output.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

void output_flush(struct output *o)
{
    int why = errno; /* of a write before, if it is one of these that failed */
    if (fflush(stdout))
        why = errno;
    if (ferror(stdout) && !o->why)
        o->why = why ? why : EIO;
}

int output_check(struct output *o, struct err *e)
{
    int why = o->why;
    return why ? err_set(e, ERR_INTERNAL, "could not write to standard output: %s",
                         strerror(why))
               : 0;
}

int output_end(struct output *o, struct err *e)
{
    output_flush(o);
    return output_check(o, e);
}
