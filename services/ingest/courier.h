/* SPDX-License-Identifier: GPL-3.0-or-later */
/* courier: writes a batch to InfluxDB on a thread of its own, so that the next one can be
 * put together meanwhile. One batch at a time: they arrive in the order of the log. */
#ifndef FC_INGEST_COURIER_H
#define FC_INGEST_COURIER_H

#include "services/ingest/delivery.h"

struct courier;

/* d: borrowed; nobody else uses it while a batch is on its way. */
struct courier *courier_new(struct delivery *d, struct err *e) MUST_CHECK;
/* Waits for what is on its way; it ends soon when delivery's nap is stopped. NULL is
 * fine. */
void courier_free(struct courier *c);

/* Borrows the batch until courier_await(), which is to come before the next one. */
void courier_send(struct courier *c, struct batch *b);
/* Waits: as delivery_write(). */
int courier_await(struct courier *c) MUST_CHECK;

#endif
