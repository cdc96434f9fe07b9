/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/http_server.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <microhttpd.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/http_route.h"
#include "common/log.h"
#include "common/mem.h"
#include "common/utf8.h"

#define CONNECTIONS_MAX 1024
#define CONNECTION_MEMORY                                                                \
    16384 /* a request's head and what is read at once; cleared each time */
#define IDLE_TIMEOUT_S 60 /* longer than the proxy keeps its idle connections */
#define QUEUE_MAX 256     /* slow requests that wait for a worker */
#define PATH_MAX_LEN 500
#define PARAMS_MAX 64      /* of a query */
#define CLOSE_WAIT_MS 2000 /* for answers on their way when the server is closed */

static const int statuses[] = {200, 202, 204, 400, 401, 403, 404, 405,
                               409, 413, 415, 429, 500, 502, 503, 504};
#define N_STATUSES (sizeof statuses / sizeof *statuses)

struct route_metrics {
    _Atomic(struct metric *) by_status[N_STATUSES];
    struct metric *seconds;
};

/* One request on its way through. Made at the first callback, freed at completion. */
struct call {
    struct http_server *h;
    struct MHD_Connection *conn;
    struct call *next; /* in the workers' queue */
    const struct route *route;
    struct route_metrics *rm;
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
    struct route_metrics *rm; /* of routes, then of more, then one for "none" */
    size_t n_routes, n_more;
    struct metric *in_flight;
    pthread_t *workers;
    int n_workers;
    pthread_mutex_t lock; /* the queue of slow requests */
    pthread_cond_t wake;
    struct call *first, *last;
    int waiting;
    bool stopping;
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

static void count(struct call *c)
{
    size_t i = 0;
    while (i < N_STATUSES - 1 && statuses[i] != c->s.status)
        i++;
    struct metric *m = atomic_load(&c->rm->by_status[i]);
    if (!m) {
        char labels[256];
        snprintf(labels, sizeof labels, "route=\"%s\",method=\"%s\",code=\"%d\"",
                 c->route ? c->route->path : "none", c->route ? c->route->method : "any",
                 c->s.status);
        m = metric_counter(c->h->o.metrics, "fieldcast_http_requests_total",
                           "HTTP requests answered.", labels);
        atomic_store(&c->rm->by_status[i], m);
    }
    metric_add(m, 1);
    metric_observe(c->rm->seconds, (double)(clock_mono_us() - c->start_us) / 1e6);
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
    count(c);
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

static void *worker(void *arg)
{
    struct http_server *h = arg;
    pthread_mutex_lock(&h->lock);
    for (;;) {
        while (!h->first && !h->stopping)
            pthread_cond_wait(&h->wake, &h->lock);
        struct call *c = h->first;
        if (!c)
            break;
        h->first = c->next;
        if (!h->first)
            h->last = NULL;
        h->waiting--;
        pthread_mutex_unlock(&h->lock);
        run(c);
        struct MHD_Connection *conn = c->conn;
        atomic_store(&c->done,
                     true); /* from here on c is the event thread's, and may go */
        MHD_resume_connection(conn);
        pthread_mutex_lock(&h->lock);
    }
    pthread_mutex_unlock(&h->lock);
    return NULL;
}

static enum MHD_Result enqueue(struct call *c)
{
    struct http_server *h = c->h;
    pthread_mutex_lock(&h->lock);
    bool stopping = h->stopping, take = h->waiting < QUEUE_MAX && !stopping;
    if (take) {
        c->queued = c->q.worker = true;
        atomic_fetch_add(&h->slow, 1);
        MHD_suspend_connection(c->conn);
        *(h->last ? &h->last->next : &h->first) = c;
        h->last = c;
        h->waiting++;
        pthread_cond_signal(&h->wake);
    }
    pthread_mutex_unlock(&h->lock);
    if (take)
        return MHD_YES;
    struct err e = ERR_INIT;
    err_set(&e, ERR_UNAVAILABLE, "%s; try again in a second",
            stopping ? "the service is about to end" : "too many requests are waiting");
    return refuse(c, &e);
}

static int check_body(const struct call *c, size_t max, struct err *e)
{
    const char *coding = req_header(&c->q, "Content-Encoding");
    if (coding && strcasecmp(coding, "identity"))
        return err_set(e, ERR_MEDIA_TYPE,
                       "a body in Content-Encoding %.40s is not read: send it as it is",
                       coding);
    const char *v = req_header(&c->q, "Content-Length");
    if (v && (strlen(v) > 18 || strtoull(v, NULL, 10) > max))
        return err_set(e, ERR_TOO_LARGE,
                       "the body may have at most %zu bytes; this has %.20s", max, v);
    return 0;
}

/* Moves what stood at {…} from the caller's stack into the call. */
static void keep_params(struct call *c, const char *copy)
{
    int n = HTTP_PARAMS_MAX;
    while (n && !c->q.params[n - 1])
        n--;
    if (!n)
        return;
    size_t len = (size_t)(c->q.params[n - 1] - copy) + strlen(c->q.params[n - 1]) + 1;
    c->params = xmalloc(len);
    memcpy(c->params, copy, len);
    while (n--)
        c->q.params[n] = c->params + (c->q.params[n] - copy);
}

static int find_route(struct call *c, struct err *e)
{
    struct http_server *h = c->h;
    c->rm = &h->rm[h->n_routes + h->n_more];
    if (strlen(c->q.path) > PATH_MAX_LEN)
        return err_set(e, ERR_INVALID, "the path is longer than %d bytes", PATH_MAX_LEN);
    if (!utf8_valid(c->q.path))
        return err_set(e, ERR_INVALID, "the path %.80s is not UTF-8", c->q.path);
    char copy[PATH_MAX_LEN + HTTP_PARAMS_MAX + 1];
    struct buf allow;
    buf_init(&allow, 128);
    c->route = route_find(h->o.routes, &c->q, copy, &allow);
    c->app = h->o.app;
    if (c->route) {
        c->rm = &h->rm[c->route - h->o.routes];
    } else if ((c->route = route_find(h->o.more, &c->q, copy, &allow))) {
        c->rm = &h->rm[h->n_routes + (size_t)(c->route - h->o.more)];
        c->app = h->o.more_app;
    }
    int rc = 0;
    if (c->route)
        keep_params(c, copy);
    else
        rc = route_missing(&c->q, &allow, e);
    buf_done(&allow);
    return rc;
}

/* %41 is A. A NUL would end the text before its end: it stays as it was written. */
static size_t unescape(void *cls, struct MHD_Connection *conn, char *s)
{
    (void)cls;
    (void)conn;
    char *to = s, hex[3] = "";
    for (const char *p = s; *p; p++) {
        if (*p == '%' && isxdigit((unsigned char)p[1]) && isxdigit((unsigned char)p[2]) &&
            strncmp(p, "%00", 3) != 0) {
            memcpy(hex, p + 1, 2);
            *to++ = (char)strtol(hex, NULL, 16);
            p += 2;
        } else {
            *to++ = *p;
        }
    }
    *to = '\0';
    return (size_t)(to - s);
}

struct params {
    const struct route *route;
    const char *keys[PARAMS_MAX];
    size_t n;
    int rc;
    struct err *e;
};

static enum MHD_Result on_param(void *arg, enum MHD_ValueKind kind, const char *key,
                                const char *value)
{
    (void)kind;
    struct params *p = arg;
    if (!*key && !value) /* a & too many */
        return MHD_YES;
    if (!value)
        p->rc = err_set(p->e, ERR_INVALID, "parameter \"%.60s\" has no value", key);
    else if (!utf8_valid(value))
        p->rc = err_set(p->e, ERR_INVALID, "parameter \"%.60s\" is not UTF-8", key);
    else
        p->rc = route_takes(p->route, key, p->e);
    if (p->n == PARAMS_MAX)
        p->rc = err_set(p->e, ERR_INVALID, "the query has more than %d parameters",
                        PARAMS_MAX);
    for (size_t i = 0; i < p->n && !p->rc; i++)
        if (!strcmp(p->keys[i], key))
            p->rc = err_set(p->e, ERR_INVALID, "parameter \"%.60s\" is given twice", key);
    if (p->rc)
        return MHD_NO;
    p->keys[p->n++] = key;
    return MHD_YES;
}

/* As with the keys of a body: none that is not known, because a misspelt one would be
 * passed over, and none twice, because one of them would be. */
static int check_query(const struct call *c, struct err *e)
{
    struct params p = {.route = c->route, .e = e};
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
    return check_query(c, e) ? -1 : check_body(c, max, e);
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
    metric_add(h->in_flight, 1);
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
    metric_add(h->in_flight, -1);
    if (c->queued)
        atomic_fetch_sub(&h->slow, 1);
    buf_done(&c->body);
    res_done(&c->s);
    free(c->params);
    free(c);
    *con_cls = NULL;
}

static size_t n_rows(const struct route *r)
{
    size_t n = 0;
    while (r && r[n].path)
        n++;
    return n;
}

static void make_metrics(struct http_server *h)
{
    h->n_routes = n_rows(h->o.routes);
    h->n_more = n_rows(h->o.more);
    h->rm = xcalloc(h->n_routes + h->n_more + 1, sizeof *h->rm);
    h->in_flight = metric_gauge(h->o.metrics, "fieldcast_http_requests_in_flight",
                                "HTTP requests being answered now.", NULL);
    for (size_t i = 0; i <= h->n_routes + h->n_more; i++) {
        const char *path = i < h->n_routes               ? h->o.routes[i].path
                           : i < h->n_routes + h->n_more ? h->o.more[i - h->n_routes].path
                                                         : "none";
        char labels[200];
        snprintf(labels, sizeof labels, "route=\"%s\"", path);
        h->rm[i].seconds =
            metric_histogram(h->o.metrics, "fieldcast_http_request_duration_seconds",
                             "Time from a request's head to its answer.", labels,
                             metrics_seconds, metrics_seconds_n);
    }
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
        h->o.threads > 1 ? MHD_OPTION_THREAD_POOL_SIZE : MHD_OPTION_END,
        (unsigned)h->o.threads, MHD_OPTION_END);
    if (!h->daemon)
        return err_set(e, ERR_INTERNAL, "could not listen on %s port %d: %s", h->o.addr,
                       h->o.port, strerror(errno));
    return 0;
}

static void start_workers(struct http_server *h)
{
    pthread_attr_t attr;
    pthread_attr_init(&attr);
    pthread_attr_setstacksize(&attr, 262144);
    h->workers = xcalloc((size_t)h->o.workers, sizeof *h->workers);
    for (; h->n_workers < h->o.workers; h->n_workers++)
        if (pthread_create(&h->workers[h->n_workers], &attr, worker, h))
            break;
    pthread_attr_destroy(&attr);
}

struct http_server *http_server_open(const struct http_server_opts *o, struct err *e)
{
    struct http_server *h = xcalloc(1, sizeof *h);
    h->o = *o;
    pthread_mutex_init(&h->lock, NULL);
    pthread_cond_init(&h->wake, NULL);
    make_metrics(h);
    if (start_daemon(h, e)) {
        http_server_close(h);
        return NULL;
    }
    start_workers(h);
    if (!h->n_workers) {
        err_set(e, ERR_INTERNAL, "could not start a worker thread for HTTP requests");
        http_server_close(h);
        return NULL;
    }
    return h;
}

void http_server_close(struct http_server *h)
{
    if (!h)
        return;
    /* Who comes from here on is refused a worker. MHD_quiesce_daemon() would refuse the
     * connection, but its own thread and the caller's race for the listening socket, and
     * libmicrohttpd 0.9.75 aborts when the caller loses. */
    pthread_mutex_lock(&h->lock);
    h->stopping = true;
    pthread_cond_broadcast(&h->wake);
    pthread_mutex_unlock(&h->lock);
    for (int i = 0; i < h->n_workers; i++)
        pthread_join(h->workers[i], NULL);
    /* stopping the daemon would cut off answers that it has not sent yet */
    for (int i = 0; i < CLOSE_WAIT_MS && atomic_load(&h->slow); i++)
        clock_sleep_ms(1);
    if (h->daemon)
        MHD_stop_daemon(h->daemon);
    pthread_mutex_destroy(&h->lock);
    pthread_cond_destroy(&h->wake);
    free(h->workers);
    free(h->rm);
    free(h);
}

int http_server_port(const struct http_server *h)
{
    const union MHD_DaemonInfo *i =
        MHD_get_daemon_info(h->daemon, MHD_DAEMON_INFO_BIND_PORT);
    return i ? i->port : -1;
}
