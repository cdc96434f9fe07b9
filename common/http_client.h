/* SPDX-License-Identifier: GPL-3.0-or-later */
/* http_client: one keep-alive HTTP client (libcurl inside). One thread at a time. */
#ifndef FC_COMMON_HTTP_CLIENT_H
#define FC_COMMON_HTTP_CLIENT_H

#include <stdbool.h>
#include <stddef.h>

#include "common/buf.h"
#include "common/err.h"

struct http_client;

struct http_answer {
    int status;
    struct buf body;   /* NUL-terminated; at most the max_body of the request */
    int retry_after_s; /* at most 3600; -1: none given, or a date */
    char version[64];  /* X-Influxdb-Version, "" if none */
    char build[32];    /* X-Influxdb-Build, "" if none */
};

/* Once per process, before threads. */
void http_client_global_init(void);

/* bearer: token for the Authorization header, "" = none. user/password: Basic, "" = none.
 * All copied. */
struct http_client *http_client_new(const char *bearer, const char *user,
                                    const char *password);
void http_client_free(struct http_client *c);
/* From now on "Authorization: <scheme> <token>" instead of what http_client_new() was
 * given. Copied. */
void http_client_authorize(struct http_client *c, const char *scheme, const char *token);

/* Sends one request and reads the whole answer into *a (http_answer_done() frees it).
 * type: Content-Type of body, NULL without one. Any HTTP status is success; -1 means
 * there was no answer: ERR_UNAVAILABLE (not reached, or stop_overdue()), ERR_TIMEOUT,
 * ERR_TOO_LARGE (its body, or a header of it). */
int http_request(struct http_client *c, const char *method, const char *url,
                 const char *type, const void *body, size_t len, long timeout_ms,
                 size_t max_body, struct http_answer *a, struct err *e) MUST_CHECK;
void http_answer_done(struct http_answer *a);

/* Appends s percent-encoded for a query string. */
void http_escape(struct buf *b, const char *s);

#endif
