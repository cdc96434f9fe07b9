/* SPDX-License-Identifier: GPL-3.0-or-later */
/* mem: allocation that never returns NULL.
 *
 * When memory runs out the process says so and ends; its supervisor restarts it and the
 * log on disk loses nothing. Therefore every size that comes from outside is limited
 * BEFORE it reaches these. Any thread may call. Free with free(). */
#ifndef FC_COMMON_MEM_H
#define FC_COMMON_MEM_H

#include <stddef.h>

void *xmalloc(size_t size);
void *xcalloc(size_t n, size_t size); /* zeroed; ends the process if n × size overflows */
void *xrealloc(void *p, size_t size);
char *xstrdup(const char *s);
char *xstrndup(const char *s, size_t n);
/* tsearch(3); the node. */
void *xtsearch(const void *key, void **root, int (*compare)(const void *, const void *));
char *xasprintf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
