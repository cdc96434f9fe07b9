/* SPDX-License-Identifier: GPL-3.0-or-later */
/* suggest: which known word somebody may have meant. Pure. */
#ifndef FC_TOOLS_SUGGEST_H
#define FC_TOOLS_SUGGEST_H

#include <stddef.h>

/* Number of single-letter changes between two words; words are looked at up to 40
 * letters. */
size_t suggest_distance(const char *a, const char *b);

/* True when known is near enough to typed to be worth naming. */
int suggest_near(const char *typed, const char *known);

#endif
