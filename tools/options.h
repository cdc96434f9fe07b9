/* SPDX-License-Identifier: GPL-3.0-or-later */
/* options: a subcommand's command line, read through one table.
 *
 * A row is an option's name, the word for its argument, where it goes, its range and a
 * sentence; the same table prints the help. Both "--name value" and "--name=value" are
 * understood, and "-j 4" and "-j4" for a name of one letter; options and operands may be
 * mixed, "--" ends the options; a negative number is an operand. Every string is borrowed
 * from argv. */
#ifndef FC_TOOLS_OPTIONS_H
#define FC_TOOLS_OPTIONS_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "common/err.h"

enum option_kind {
    OPT_FLAG,     /* bool, no argument */
    OPT_INT,      /* int64_t in min..max */
    OPT_REAL,     /* double in min..max */
    OPT_TEXT,     /* const char *, not empty */
    OPT_DURATION, /* int64_t, milliseconds in min..max */
    OPT_LIST      /* struct option_list; the option may be repeated */
};

#define OPTION_LIST_MAX 64
struct option_list {
    const char *item[OPTION_LIST_MAX];
    size_t n;
};

struct option {
    const char *name; /* without the dashes; NULL ends the table */
    const char *arg;  /* "N", "FILE", ...; NULL for flags */
    enum option_kind kind;
    size_t offset;   /* in the target struct */
    double min, max; /* of numbers and durations (ms) */
    const char *sentence;
};

/* Reads argv[1..] into target, which holds the defaults. Operands go to operand[], at
 * most max_operands. Fails with a sentence that names the option: unknown (with the
 * nearest known one), without its argument, malformed, out of range. */
int options_parse(const struct option *table, int argc, char **argv, void *target,
                  const char **operand, size_t max_operands, size_t *n_operands,
                  struct err *e) MUST_CHECK;

/* One entry an option: "  --name ARG   sentence", wrapped at 90 columns. */
void options_print(const struct option *table, FILE *to);

/* How every subcommand ends when its command line is wrong: the sentence and where the
 * help is, on stderr. Returns 2. */
int options_refuse(const char *command, const struct err *e);
/* How it ends on any other error: the sentence alone. Returns 1. */
int options_fail(const char *command, const struct err *e);

#endif
