/* SPDX-License-Identifier: GPL-3.0-or-later */
/* http_workers: threads that run jobs, with a bounded queue in front of them. For
 * http_server.c: its slow requests. Any thread may put. */
#ifndef FC_COMMON_HTTP_WORKERS_H
#define FC_COMMON_HTTP_WORKERS_H

#include "common/err.h"

#define HTTP_QUEUE_MAX 256 /* jobs that wait for a worker */

struct http_workers;

/* The beginning of what is put. */
struct http_job {
    struct http_job *next;
};

struct http_workers_opts {
    int threads; /* 1..64 */
    /* The job is in the queue. Before any thread can begin it; must not block. */
    void (*on_taken)(struct http_job *j);
    void (*run)(struct http_job *j); /* on one of the threads; the job may go with it */
};

/* With as many threads as can be had; NULL when there is none. */
struct http_workers *http_workers_new(const struct http_workers_opts *o,
                                      struct err *e) MUST_CHECK;
/* Runs what is in the queue and ends the threads; nothing is taken from here on. */
void http_workers_stop(struct http_workers *w); /* NULL is fine */
/* After http_workers_stop(). */
void http_workers_free(struct http_workers *w); /* NULL is fine */

/* ERR_UNAVAILABLE: the queue is full, or it was stopped. */
int http_workers_put(struct http_workers *w, struct http_job *j,
                     struct err *e) MUST_CHECK;

#endif
