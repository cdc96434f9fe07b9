/* SPDX-License-Identifier: GPL-3.0-or-later */
/* http_route: what http_server.c and the dispatcher for tests share. Not for services. */
#ifndef FC_COMMON_HTTP_ROUTE_H
#define FC_COMMON_HTTP_ROUTE_H

#include "common/http_server.h"

/* The route of q->method and q->path, with q->params pointing into copy (as long as the
 * path + HTTP_PARAMS_MAX). NULL: none; allow then lists the methods the path would take.
 */
const struct route *route_find(const struct route *routes, struct req *q, char *copy,
                               struct buf *allow);

/* Is it one of the route's query parameters? Else -1, with *e naming those. */
int route_takes(const struct route *r, const char *key, struct err *e);

/* The error of a request without a route: 405 or 404. Returns -1. */
int route_missing(const struct req *q, const struct buf *allow, struct err *e);

#endif
