/* SPDX-License-Identifier: GPL-3.0-or-later */
/* parallel: the same work on each of many, several at a time, with the answers in order.
 */
#ifndef FC_TOOLS_PARALLEL_H
#define FC_TOOLS_PARALLEL_H

#include <stddef.h>

#include "common/buf.h"
#include "common/err.h"

/* Does work(arg, i, out, e) for i from 0 to n - 1 in `threads` threads and hands each
 * answer to tell(arg, i, out, e), in the order of i and one at a time; e has a code where
 * the work failed. At most PARALLEL_AHEAD answers per thread, of `bytes` each at the
 * most, wait for one before them. Fails when no thread can be started. */
#define PARALLEL_AHEAD 8
int parallel(size_t threads, size_t n, size_t bytes,
             int (*work)(void *arg, size_t i, struct buf *out, struct err *e),
             void (*tell)(void *arg, size_t i, const struct buf *out,
                          const struct err *e),
             void *arg, struct err *e) MUST_CHECK;

/* The same for items that are taken one by one from somewhere, how many is not known
 * beforehand, so that only those being worked on are in memory. */
struct parallel_items {
    /* The next item: 1, 0 at the end, -1 with e. One call at a time, in any thread. */
    int (*take)(void *arg, void **item, struct err *e);
    int (*work)(void *arg, void *item, struct buf *out, struct err *e);
    /* In the order in which they were taken, one at a time. */
    void (*tell)(void *arg, size_t i, void *item, const struct buf *out,
                 const struct err *e);
    void (*drop)(void *item); /* frees it, after it was told */
};

/* Fails as well when take() does, after all before that is told. */
int parallel_items(size_t threads, size_t bytes, const struct parallel_items *how,
                   void *arg, struct err *e) MUST_CHECK;

#endif
