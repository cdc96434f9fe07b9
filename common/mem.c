/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/mem.h"

#include <search.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *checked(void *p, size_t size)
{
    if (!p && size) {
        fprintf(stderr, "level=fatal msg=\"out of memory: could not get %zu bytes\"\n",
                size);
        abort();
    }
    return p;
}

void *xmalloc(size_t size)
{
    return checked(malloc(size), size);
}

void *xcalloc(size_t n, size_t size)
{
    return checked(calloc(n, size), n && size ? n : 0);
}

void *xrealloc(void *p, size_t size)
{
    return checked(realloc(p, size), size);
}

char *xstrdup(const char *s)
{
    return checked(strdup(s), 1);
}

char *xstrndup(const char *s, size_t n)
{
    return checked(strndup(s, n), 1);
}

void *xtsearch(const void *key, void **root, int (*compare)(const void *, const void *))
{
    return checked(tsearch(key, root, compare), 1);
}

char *xasprintf(const char *fmt, ...)
{
    char *s = NULL;
    va_list ap;
    va_start(ap, fmt);
    int n = vasprintf(&s, fmt, ap);
    va_end(ap);
    return checked(n < 0 ? NULL : s, 1);
}
