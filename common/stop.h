/* SPDX-License-Identifier: GPL-3.0-or-later */
/* stop: SIGTERM and SIGINT, awaited instead of handled. */
#ifndef FC_COMMON_STOP_H
#define FC_COMMON_STOP_H

#include <stdbool.h>
#include <stdint.h>

/* Blocks SIGTERM and SIGINT and ignores SIGPIPE. Call before any thread starts. */
void stop_init(void);

/* Waits up to ms (real time). Returns false once a stop was asked for, and ever after. */
bool stop_wait(int64_t ms);

/* True when a stop was asked for some seconds ago (it need not have been awaited yet): a
 * call to a neighbour gives up, so that one that hangs does not hold up the end. Any
 * thread. */
bool stop_overdue(void);

/* Asks for a stop from inside: the next stop_wait() returns false. Any thread. */
void stop_request(void);

#endif
