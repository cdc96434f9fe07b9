/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/http_metrics.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/mem.h"

static const int statuses[] = {200, 202, 204, 400, 401, 403, 404, 405,
                               409, 413, 415, 429, 500, 502, 503, 504};
#define N_STATUSES (sizeof statuses / sizeof *statuses)

struct row {
    const struct route *route; /* NULL: of requests without one; the last */
    _Atomic(struct metric *) by_status[N_STATUSES]; /* made with the first answer */
    struct metric *seconds;
};

struct http_metrics {
    struct metrics *m;
    const struct route *routes, *more;
    size_t n_routes, n_more;
    struct row *row; /* of routes, then of more, then one for "none"; owned */
    struct metric *in_flight;
};

static size_t n_rows(const struct route *r)
{
    size_t n = 0;
    while (r && r[n].path)
        n++;
    return n;
}

struct http_metrics *http_metrics_new(struct metrics *m, const struct route *routes,
                                      const struct route *more)
{
    struct http_metrics *h = xcalloc(1, sizeof *h);
    h->m = m;
    h->routes = routes;
    h->more = more;
    h->n_routes = n_rows(routes);
    h->n_more = n_rows(more);
    h->row = xcalloc(h->n_routes + h->n_more + 1, sizeof *h->row);
    h->in_flight = metric_gauge(m, "fieldcast_http_requests_in_flight",
                                "HTTP requests being answered now.", NULL);
    for (size_t i = 0; i <= h->n_routes + h->n_more; i++) {
        if (i < h->n_routes + h->n_more)
            h->row[i].route = i < h->n_routes ? &routes[i] : &more[i - h->n_routes];
        char labels[200];
        snprintf(labels, sizeof labels, "route=\"%s\"",
                 h->row[i].route ? h->row[i].route->path : "none");
        h->row[i].seconds = metric_histogram(m, "fieldcast_http_request_duration_seconds",
                                             "Time from a request's head to its answer.",
                                             labels, metrics_seconds, metrics_seconds_n);
    }
    return h;
}

void http_metrics_free(struct http_metrics *h)
{
    if (h)
        free(h->row);
    free(h);
}

void http_metrics_in_flight(struct http_metrics *h, int by)
{
    metric_add(h->in_flight, by);
}

/* Within a table of n? */
static bool is_in(const struct route *r, const struct route *table, size_t n)
{
    return (uintptr_t)r >= (uintptr_t)table && (uintptr_t)r < (uintptr_t)(table + n);
}

static struct row *find(struct http_metrics *h, const struct route *r)
{
    if (r && is_in(r, h->routes, h->n_routes))
        return &h->row[r - h->routes];
    if (r && is_in(r, h->more, h->n_more))
        return &h->row[h->n_routes + (size_t)(r - h->more)];
    return &h->row[h->n_routes + h->n_more];
}

void http_metrics_answer(struct http_metrics *h, const struct route *route, int status,
                         int64_t us)
{
    struct row *row = find(h, route);
    size_t i = 0;
    while (i < N_STATUSES - 1 && statuses[i] != status)
        i++;
    struct metric *m = atomic_load(&row->by_status[i]);
    if (!m) {
        char labels[256];
        snprintf(labels, sizeof labels, "route=\"%s\",method=\"%s\",code=\"%d\"",
                 route ? route->path : "none", route ? route->method : "any", status);
        m = metric_counter(h->m, "fieldcast_http_requests_total",
                           "HTTP requests answered.", labels);
        atomic_store(&row->by_status[i], m);
    }
    metric_add(m, 1);
    metric_observe(row->seconds, (double)us / 1e6);
}
