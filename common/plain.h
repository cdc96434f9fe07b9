/* SPDX-License-Identifier: GPL-3.0-or-later */
/* plain: texts from outside (payloads, topics, files, answers) for the eyes of people.
 * What could steer a terminal, or turn the order of what it shows, is printed as an
 * escape: control characters (also DEL, U+0080 to U+009F, line and paragraph separators),
 * marks of direction, and bytes that are no UTF-8. So are U+FFFE and U+FFFF, which are no
 * characters: XML cannot hold them. Pure but for the files written to. */
#ifndef FC_COMMON_PLAIN_H
#define FC_COMMON_PLAIN_H

#include <stddef.h>
#include <stdio.h>

#define PLAIN_CHAR_SIZE 8

/* The character that begins at p, not the end of the text, as it is to be shown: itself,
 * \u001b (as JSON has it), or \x9b for a byte. Returns how many bytes it takes at p. */
size_t plain_char(const char *p, char out[PLAIN_CHAR_SIZE]);

/* A copy, in which bytes that are no UTF-8 are shown as \x9b and all else stays: JSON
 * takes nothing else. Owned. */
char *plain_utf8(const char *text);

/* All of a text; a new line is an escape too. */
void plain_put(FILE *to, const char *text);
/* A document: its new lines stay. */
void plain_put_lines(FILE *to, const char *text);

#endif
