/* SPDX-License-Identifier: GPL-3.0-or-later */
/* http_head: what is checked of a request's head before a byte of its body is kept, as
 * far as that needs no server. For http_server.c. Pure; any thread. */
#ifndef FC_COMMON_HTTP_HEAD_H
#define FC_COMMON_HTTP_HEAD_H

#include "common/http_server.h"

#define HTTP_PATH_MAX 500 /* bytes, decoded */
#define HTTP_QUERY_MAX 64 /* parameters of a query */

/* %41 is A, in place. A NUL would end the text before its end: it stays as it was
 * written. Returns the new length. */
size_t head_unescape(char *s);

/* ERR_INVALID: the path is too long or no UTF-8. */
int head_path(const char *path, struct err *e) MUST_CHECK;

/* Moves what q->params point into from copy (route_find()) to new memory, which is
 * returned; NULL when there are none. */
char *head_keep_params(struct req *q, const char *copy);

/* Shortens the query of an address that is not yet decoded, in place: without the
 * parameters that are nothing, and without those behind the first that is one too many.
 * head_query_add() says the same of what is left. */
void head_trim_query(char *url);

/* The names a query had until now. Begin with route set and all else 0. */
struct head_query {
    const struct route *route;
    const char *keys[HTTP_QUERY_MAX]; /* borrowed */
    size_t n;
};
/* The next one; value NULL: none is there. As with the keys of a body: none that is not
 * known, because a misspelt one would be passed over, and none twice, because one of them
 * would be. */
int head_query_add(struct head_query *p, const char *key, const char *value,
                   struct err *e) MUST_CHECK;

/* The body's headers, NULL when they are not there. */
struct head_body {
    const char *encoding, *transfer, *length; /* Content-, Transfer-Encoding, ... */
};
/* max: the body's ceiling in bytes. */
int head_body(const struct head_body *b, size_t max, struct err *e) MUST_CHECK;

#endif
