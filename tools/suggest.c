/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tools/suggest.h"

#include <string.h>

enum { LONGEST = 40 };

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Levenshtein distance, one row at a time. */
size_t suggest_distance(const char *a, const char *b)
{
    size_t n = strnlen(a, LONGEST), m = strnlen(b, LONGEST), row[LONGEST + 1];
    for (size_t j = 0; j <= m; j++)
        row[j] = j;
    for (size_t i = 1; i <= n; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= m; j++) {
            size_t above = row[j];
            row[j] =
                least(least(above, row[j - 1]) + 1, diagonal + (a[i - 1] != b[j - 1]));
            diagonal = above;
        }
    }
    return row[m];
}

int suggest_near(const char *typed, const char *known)
{
    size_t n = strlen(typed);
    return (n >= 3 && strncmp(typed, known, n) == 0) ||
           suggest_distance(typed, known) <= (n > 5 ? 2u : 1u);
}
