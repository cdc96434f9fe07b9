/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/http_server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <microhttpd.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/http_head.h"
#include "common/http_metrics.h"
#include "common/http_route.h"
#include "common/http_workers.h"
#include "common/log.h"
#include "common/mem.h"

#define CONNECTIONS_MAX 1024
#define CONNECTION_MEMORY                                                                \
    16384 /* a request's head and what is read at once; cleared each time */
#define IDLE_TIMEOUT_S 60  /* longer than the proxy keeps its idle connections */
#define CLOSE_WAIT_MS 2000 /* for answers on their way when the server is closed */

/* One request on its way through. Made at the first callback, freed at completion. */
struct call {
    struct http_job job; /* the first: http_workers.h */
    struct http_server *h;
    struct MHD_Connection *conn;
    const struct route *route; /* NULL: none was found */
    void *app;
    struct req q;
    struct res s;
    struct buf body;
    int64_t start_us;
    atomic_bool done; /* a worker has filled s */
    bool queued;
    char *params; /* what q.params point into; NULL without any. owned */
};

struct http_server {
    struct http_server_opts o;
    struct MHD_Daemon *daemon;
    struct http_metrics *metrics;
    struct http_workers *workers;
    struct log_often failures;
    atomic_int slow; /* slow requests from their queueing until their answer is sent */
};

const char *req_query(const struct req *q, const char *key)
{
    for (const char *const *p = q->test_query; p && *p; p += 2)
        if (!strcmp(*p, key))
            return p[1];
    return q->conn
               ? MHD_lookup_connection_value((struct MHD_Connection *)(uintptr_t)q->conn,
                                             MHD_GET_ARGUMENT_KIND, key)
               : NULL;
}

const char *req_header(const struct req *q, const char *name)
{
    return q->conn
               ? MHD_lookup_connection_value((struct MHD_Connection *)(uintptr_t)q->conn,
                                             MHD_HEADER_KIND, name)
               : NULL;
}

/* Sends c->s. */
static enum MHD_Result reply(struct call *c)
{
    struct res *s = &c->s;
    size_t len;
    char *data = buf_take(&s->body, &len);
    struct MHD_Response *r =
        MHD_create_response_from_buffer(len, data, MHD_RESPMEM_MUST_FREE);
    if (!r) {
        free(data);
        return MHD_NO;
    }
    if (s->status != 204)
        MHD_add_response_header(r, "Content-Type", s->type);
    if (s->location[0])
        MHD_add_response_header(r, "Location", s->location);
    if (s->filename[0]) {
        char value[128];
        snprintf(value, sizeof value, "attachment; filename=\"%s\"", s->filename);
        MHD_add_response_header(r, "Content-Disposition", value);
    }
    if (s->status == 401)
        MHD_add_response_header(r, "WWW-Authenticate", "Bearer");
    if (s->status == 429 || s->status == 503)
        MHD_add_response_header(r, "Retry-After", "1");
    const char *id = req_header(&c->q, "X-Request-Id");
    if (id && strlen(id) <= 64)
        MHD_add_response_header(r, "X-Request-Id", id);
    http_metrics_answer(c->h->metrics, c->route, s->status,
                        clock_mono_us() - c->start_us);
    enum MHD_Result rc = MHD_queue_response(c->conn, (unsigned)s->status, r);
    MHD_destroy_response(r);
    return rc;
}

static enum MHD_Result refuse(struct call *c, const struct err *e)
{
    res_problem(&c->s, e);
    return reply(c);
}

/* Calls the handler. True: it wants to be called again on a worker thread. */
static bool run(struct call *c)
{
    struct err e = ERR_INIT;
    c->q.body = c->body.data ? c->body.data : "";
    c->q.body_len = c->body.len;
    int rc = c->route->fn(c->app, &c->q, &c->s, &e);
    if (rc == HTTP_LATER && !c->q.worker)
        return true;
    if (rc) {
        if (err_http_status(e.code) >= 500)
            log_often(&c->h->failures, LOG_WARN, "%s %s: %s", c->q.method, c->q.path,
                      e.text);
        res_problem(&c->s, &e);
    }
    return false;
}

static void on_taken(struct http_job *j)
{
    struct call *c = (struct call *)j;
    c->queued = c->q.worker = true;
    atomic_fetch_add(&c->h->slow, 1);
    MHD_suspend_connection(c->conn);
}

static void run_slow(struct http_job *j)
{
    struct call *c = (struct call *)j;
    struct MHD_Connection *conn = c->conn;
    run(c);
    atomic_store(&c->done, true); /* from here on c is the event thread's, and may go */
    MHD_resume_connection(conn);
}

static enum MHD_Result enqueue(struct call *c)
{
    struct err e = ERR_INIT;
    return http_workers_put(c->h->workers, &c->job, &e) ? refuse(c, &e) : MHD_YES;
}

static int find_route(struct call *c, struct err *e)
{
    struct http_server *h = c->h;
    if (head_path(c->q.path, e))
        return -1;
    char copy[HTTP_PATH_MAX + HTTP_PARAMS_MAX + 1];
    struct buf allow;
    buf_init(&allow, 128);
    c->app = h->o.app;
    c->route = route_find(h->o.routes, &c->q, copy, &allow);
    if (!c->route && (c->route = route_find(h->o.more, &c->q, copy, &allow)))
        c->app = h->o.more_app;
    int rc = 0;
    if (c->route)
        c->params = head_keep_params(&c->q, copy);
    else
        rc = route_missing(&c->q, &allow, e);
    buf_done(&allow);
    return rc;
}

static size_t unescape(void *cls, struct MHD_Connection *conn, char *s)
{
    (void)cls;
    (void)conn;
    return head_unescape(s);
}

/* Before libmicrohttpd looks for parameters: each takes some of the connection's memory,
 * and where that does not do (some 220 in CONNECTION_MEMORY), 0.9.75 neither answers nor
 * notices that the client has gone, for IDLE_TIMEOUT_S. The address lies in its buffer,
 * which it writes to itself. */
static void *on_address(void *cls, const char *url, struct MHD_Connection *conn)
{
    (void)cls;
    (void)conn;
    head_trim_query((char *)(uintptr_t)url);
    return NULL; /* no call yet */
}

struct params {
    struct head_query seen;
    int rc;
    struct err *e;
};

static enum MHD_Result on_param(void *arg, enum MHD_ValueKind kind, const char *key,
                                const char *value)
{
    (void)kind;
    struct params *p = arg;
    p->rc = head_query_add(&p->seen, key, value, p->e);
    return p->rc ? MHD_NO : MHD_YES;
}

static int check_query(const struct call *c, struct err *e)
{
    struct params p = {.seen.route = c->route, .e = e};
    MHD_get_connection_values(c->conn, MHD_GET_ARGUMENT_KIND, on_param, &p);
    return p.rc;
}

/* The head of a request: route, token, query, body. */
static int check_head(struct call *c, struct err *e)
{
    if (find_route(c, e))
        return -1;
    size_t max = c->route->max_body ? c->route->max_body : HTTP_BODY_DEFAULT;
    buf_init(&c->body, max);
    if (auth_check(c->h->o.auth, req_header(&c->q, "Authorization"), c->route->role,
                   &c->q.who, e))
        return -1;
    if (check_query(c, e))
        return -1;
    struct head_body b = {req_header(&c->q, "Content-Encoding"),
                          req_header(&c->q, "Transfer-Encoding"),
                          req_header(&c->q, "Content-Length")};
    return head_body(&b, max, e);
}

static enum MHD_Result begin(struct http_server *h, struct MHD_Connection *conn,
                             const char *url, const char *method, void **con_cls)
{
    struct call *c = xcalloc(1, sizeof *c);
    *con_cls = c;
    c->h = h;
    c->conn = conn;
    c->start_us = clock_mono_us();
    c->q = (struct req){.method = method, .path = url, .conn = conn};
    res_init(&c->s);
    buf_init(&c->body, 0);
    http_metrics_in_flight(h->metrics, 1);
    struct err e = ERR_INIT;
    return check_head(c, &e) ? refuse(c, &e) : MHD_YES;
}

static enum MHD_Result on_request(void *cls, struct MHD_Connection *conn, const char *url,
                                  const char *method, const char *version,
                                  const char *upload, size_t *upload_size, void **con_cls)
{
    (void)version;
    struct call *c = *con_cls;
    if (!c)
        return begin(cls, conn, url, method, con_cls);
    if (*upload_size) {
        buf_add(&c->body, upload, *upload_size); /* past the ceiling nothing is kept */
        *upload_size = 0;
        return MHD_YES;
    }
    if (c->queued)
        return atomic_load(&c->done) ? reply(c) : MHD_YES;
    if (c->body.full) {
        struct err e = ERR_INIT;
        err_set(&e, ERR_TOO_LARGE, "the body may have at most %zu bytes", c->body.max);
        return refuse(c, &e);
    }
    return c->route->slow || run(c) ? enqueue(c) : reply(c);
}

static void on_completed(void *cls, struct MHD_Connection *conn, void **con_cls,
                         enum MHD_RequestTerminationCode why)
{
    (void)conn;
    (void)why;
    struct http_server *h = cls;
    struct call *c = *con_cls;
    if (!c)
        return;
    http_metrics_in_flight(h->metrics, -1);
    if (c->queued)
        atomic_fetch_sub(&h->slow, 1);
    buf_done(&c->body);
    res_done(&c->s);
    free(c->params);
    free(c);
    *con_cls = NULL;
}

static int address(const char *addr, int port, struct sockaddr_storage *sa, struct err *e)
{
    struct sockaddr_in *v4 = (struct sockaddr_in *)sa;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)sa;
    memset(sa, 0, sizeof *sa);
    if (!strcmp(addr, "localhost"))
        addr = "127.0.0.1";
    if (inet_pton(AF_INET, addr, &v4->sin_addr) == 1) {
        v4->sin_family = AF_INET;
        v4->sin_port = htons((uint16_t)port);
    } else if (inet_pton(AF_INET6, addr, &v6->sin6_addr) == 1) {
        v6->sin6_family = AF_INET6;
        v6->sin6_port = htons((uint16_t)port);
    } else {
        return err_set(e, ERR_INVALID, "FC_HTTP_ADDR must be an IP address, not \"%s\"",
                       addr);
    }
    return 0;
}

static void on_log(void *cls, const char *fmt, va_list ap)
{
    (void)cls;
    char text[400];
    vsnprintf(text, sizeof text, fmt, ap);
    text[strcspn(text, "\n")] = '\0';
    log_debug("http: %s", text);
}

static int start_daemon(struct http_server *h, struct err *e)
{
    struct sockaddr_storage sa;
    if (address(h->o.addr, h->o.port, &sa, e))
        return -1;
    unsigned flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_ITC | MHD_USE_ERROR_LOG |
                     MHD_ALLOW_SUSPEND_RESUME |
                     (sa.ss_family == AF_INET6 ? (unsigned)MHD_USE_IPv6 : 0u);
    h->daemon = MHD_start_daemon(
        flags, (uint16_t)h->o.port, NULL, NULL, on_request, h, MHD_OPTION_EXTERNAL_LOGGER,
        on_log, NULL, MHD_OPTION_SOCK_ADDR, &sa, MHD_OPTION_CONNECTION_LIMIT,
        (unsigned)CONNECTIONS_MAX, MHD_OPTION_CONNECTION_TIMEOUT,
        (unsigned)IDLE_TIMEOUT_S, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
        (size_t)CONNECTION_MEMORY, MHD_OPTION_STRICT_FOR_CLIENT, 1,
        MHD_OPTION_THREAD_STACK_SIZE, (size_t)262144, MHD_OPTION_NOTIFY_COMPLETED,
        on_completed, h, MHD_OPTION_UNESCAPE_CALLBACK, unescape, NULL,
        MHD_OPTION_URI_LOG_CALLBACK, on_address, NULL,
        h->o.threads > 1 ? MHD_OPTION_THREAD_POOL_SIZE : MHD_OPTION_END,
        (unsigned)h->o.threads, MHD_OPTION_END);
    if (!h->daemon)
        return err_set(e, ERR_INTERNAL, "could not listen on %s port %d: %s", h->o.addr,
                       h->o.port, strerror(errno));
    return 0;
}

struct http_server *http_server_open(const struct http_server_opts *o, struct err *e)
{
    struct http_server *h = xcalloc(1, sizeof *h);
    struct http_workers_opts w = {o->workers, on_taken, run_slow};
    h->o = *o;
    h->metrics = http_metrics_new(o->metrics, o->routes, o->more);
    h->workers = http_workers_new(&w, e);
    if (h->workers && start_daemon(h, e) == 0)
        return h;
    http_server_close(h);
    return NULL;
}

void http_server_close(struct http_server *h)
{
    if (!h)
        return;
    /* Who comes from here on is refused a worker. MHD_quiesce_daemon() would refuse the
     * connection, but its own thread and the caller's race for the listening socket, and
     * libmicrohttpd 0.9.75 aborts when the caller loses. */
    http_workers_stop(h->workers);
    /* stopping the daemon would cut off answers that it has not sent yet */
    for (int i = 0; i < CLOSE_WAIT_MS && atomic_load(&h->slow); i++)
        clock_sleep_ms(1);
    if (h->daemon)
        MHD_stop_daemon(h->daemon);
    http_workers_free(h->workers);
    http_metrics_free(h->metrics);
    free(h);
}

int http_server_port(const struct http_server *h)
{
    const union MHD_DaemonInfo *i =
        MHD_get_daemon_info(h->daemon, MHD_DAEMON_INFO_BIND_PORT);
    return i ? i->port : -1;
}
