/* SPDX-License-Identifier: GPL-3.0-or-later */
/* http_metrics: requests by route and status, and how long they took. For http_server.c;
 * any thread. */
#ifndef FC_COMMON_HTTP_METRICS_H
#define FC_COMMON_HTTP_METRICS_H

#include "common/http_server.h"

struct http_metrics;

/* Both tables are borrowed; more may be NULL. */
struct http_metrics *http_metrics_new(struct metrics *m, const struct route *routes,
                                      const struct route *more);
void http_metrics_free(struct http_metrics *h);

/* A request begins or ends: +1 or -1. */
void http_metrics_in_flight(struct http_metrics *h, int by);
/* An answer. route: of one of the tables, or NULL when the request had none. */
void http_metrics_answer(struct http_metrics *h, const struct route *route, int status,
                         int64_t us);

#endif
