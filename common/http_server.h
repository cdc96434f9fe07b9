/* SPDX-License-Identifier: GPL-3.0-or-later */
/* http_server: a table of routes, answered by plain functions (libmicrohttpd inside).
 *
 * A handler gets the whole request and fills a response, or returns -1 with *e; the error
 * becomes application/problem+json with the code's status. Handlers of ordinary routes
 * run in the server's few event threads and must not block. Routes marked `slow` (they
 * ask Postgres or InfluxDB) run on worker threads of their own, with a bounded queue in
 * front; when it is full the answer is 503. An ordinary handler that finds that it would
 * have to block returns HTTP_LATER and is called again, from the start, on such a thread.
 * Route, method, token and size are checked before a byte of the body is kept. */
#ifndef FC_COMMON_HTTP_SERVER_H
#define FC_COMMON_HTTP_SERVER_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/auth.h"
#include "common/buf.h"
#include "common/err.h"
#include "common/metrics.h"

#define HTTP_PARAMS_MAX 4
#define HTTP_BODY_DEFAULT 65536

struct req {
    const char *method, *path; /* borrowed, percent-decoded, without the query */
    const char *params[HTTP_PARAMS_MAX]; /* what stood at {…} in the route, in order */
    const char *body;                    /* NUL-terminated; "" when there is none */
    size_t body_len;
    enum role who;
    bool worker;      /* on a worker thread: the handler may block */
    const void *conn; /* opaque; NULL in unit tests that dispatch without a server */
    const char *const *test_query; /* NULL, or key, value, ..., NULL (unit tests) */
};

struct res {
    int status;       /* 200 unless set */
    const char *type; /* borrowed, static; "application/json" unless set */
    struct buf body;
    char location[128]; /* "" or the Location header */
    char filename[96];  /* "" or an attachment's file name */
};

/* Returns 0, -1 with *e, or HTTP_LATER with *s as it was (only while !q->worker). */
#define HTTP_LATER 1
typedef int (*http_handler)(void *app, const struct req *q, struct res *s, struct err *e);

struct route {
    const char *method; /* GET (answers HEAD too), POST, PATCH, PUT, DELETE */
    const char *path;   /* "/api/v1/jobs/{id}"; {x} takes one segment */
    enum role role;     /* least role; ROLE_VIEWER ones may be public (FC_PUBLIC_READ) */
    bool slow;
    size_t max_body; /* 0 = HTTP_BODY_DEFAULT */
    http_handler fn;
    const char *sentence; /* for --routes */
    const char *query;    /* names of its parameters, with a space between; NULL: none */
};

struct http_server;

struct http_server_opts {
    const char *addr;
    int port;    /* 0 takes a free one; see http_server_port() */
    int threads; /* event threads, 1..64 */
    int workers; /* for slow routes, 1..64 */
    const struct route
        *routes;              /* two tables, each ended by path NULL; the second may be */
    const struct route *more; /* NULL. borrowed */
    void *app, *more_app;     /* passed to the handlers of either table */
    const struct auth *auth;
    struct metrics *metrics;
};

struct http_server *http_server_open(const struct http_server_opts *o,
                                     struct err *e) MUST_CHECK;
/* Finishes requests under way, then closes. NULL is fine. */
void http_server_close(struct http_server *h);
int http_server_port(const struct http_server *h);

/* A query parameter, or NULL; borrowed. (None is there twice or without a value: such a
 * request is refused before its handler is called.) A header, likewise. */
const char *req_query(const struct req *q, const char *key);
const char *req_header(const struct req *q, const char *name);

/* Query parameters, checked; *out stays when absent. A horizon is "24" or "24h". */
int req_query_int(const struct req *q, const char *key, int64_t *out, int64_t min,
                  int64_t max, struct err *e) MUST_CHECK;
int req_query_real(const struct req *q, const char *key, double *out, double min,
                   double max, struct err *e) MUST_CHECK;
int req_query_time(const struct req *q, const char *key, int64_t *t_ms,
                   struct err *e) MUST_CHECK;

/* The body as a JSON object (new reference), or NULL with *e. */
json_t *req_json_object(const struct req *q, struct err *e) MUST_CHECK;

/* Fills the body with j (stolen) and returns 0; -1 with *e when it would be too large. */
int res_json(struct res *s, json_t *j, struct err *e) MUST_CHECK;
/* {"items":[...],"next":...}: items stolen; next NULL becomes null. */
int res_items(struct res *s, json_t *items, const char *next, struct err *e) MUST_CHECK;

/* Finds the route and calls its handler, as the server would but for auth and size: what
 * unit tests use. *s initialised by res_init(), freed by res_done(). */
int http_dispatch(const struct route *routes, void *app, struct req *q, struct res *s,
                  struct err *e) MUST_CHECK;
void res_init(struct res *s);
void res_done(struct res *s);
/* Turns *e into the problem+json that goes out. */
void res_problem(struct res *s, const struct err *e);

/* One line a route: method, path, role, sentence, [its parameters]. */
void http_routes_print(const struct route *routes, void *file);

#endif
