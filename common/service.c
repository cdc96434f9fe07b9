/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/service.h"

#include <malloc.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "common/clock.h"
#include "common/http_client.h"
#include "common/json.h"
#include "common/log.h"
#include "common/mem.h"
#include "common/process_metrics.h"
#include "common/version.h"

#define DESCRIPTORS 4096

struct dep {
    struct dep *next;
    const char *name;
    bool required;
    pthread_mutex_t lock;
    bool up, tried;
    int64_t since_ms;
    char why[200];
    struct metric *gauge;
};

/* ---- neighbours -----------------------------------------------------------------------
 */

struct dep *service_dep(struct service *s, const char *name, bool required)
{
    struct dep *d = xcalloc(1, sizeof *d);
    char labels[80];
    snprintf(labels, sizeof labels, "dependency=\"%s\"", name);
    d->name = name;
    d->required = required;
    d->since_ms = clock_now_ms();
    pthread_mutex_init(&d->lock, NULL);
    strcpy(d->why, "not tried yet");
    d->gauge = metric_gauge(s->metrics, "fieldcast_dependency_up",
                            "1 while a neighbour answers.", labels);
    d->next = s->deps;
    s->deps = d;
    return d;
}

static void dep_set(struct dep *d, bool up, const char *why)
{
    pthread_mutex_lock(&d->lock);
    bool news = d->up != up || !d->tried;
    d->tried = true;
    if (news)
        d->since_ms = clock_now_ms();
    d->up = up;
    snprintf(d->why, sizeof d->why, "%s", why);
    pthread_mutex_unlock(&d->lock);
    metric_set(d->gauge, up);
    if (news && up)
        log_info("%s is there", d->name);
    else if (news)
        log_warn("%s is away: %s", d->name, why);
}

void dep_up(struct dep *d)
{
    dep_set(d, true, "");
}

void dep_down(struct dep *d, const char *why)
{
    dep_set(d, false, why);
}

bool dep_is_up(const struct dep *d)
{
    pthread_mutex_lock(&((struct dep *)d)->lock);
    bool up = d->up;
    pthread_mutex_unlock(&((struct dep *)d)->lock);
    return up;
}

json_t *service_deps_json(const struct service *s)
{
    json_t *all = json_object();
    for (struct dep *d = s->deps; d; d = d->next) {
        char since[CLOCK_RFC3339_SIZE];
        pthread_mutex_lock(&d->lock);
        json_t *j = json_pack("{s:b, s:s}", "up", d->up, "since",
                              clock_format(d->since_ms, since));
        json_object_set_new(j, "why", d->up ? json_null() : json_string(d->why));
        pthread_mutex_unlock(&d->lock);
        json_object_set_new(all, d->name, j);
    }
    return all;
}

/* ---- routes that every service has
 * ----------------------------------------------------- */

static int get_healthz(void *app, const struct req *q, struct res *s, struct err *e)
{
    (void)app;
    (void)q;
    return res_json(s, json_pack("{s:b}", "alive", 1), e);
}

static int get_readyz(void *app, const struct req *q, struct res *s, struct err *e)
{
    (void)q;
    const struct service *svc = app;
    json_t *waiting = json_array();
    for (struct dep *d = svc->deps; d; d = d->next)
        if (d->required && !dep_is_up(d))
            json_array_append_new(waiting, json_string(d->name));
    bool ready = json_array_size(waiting) == 0;
    s->status = ready ? 200 : 503;
    json_t *j = json_pack("{s:b, s:o}", "ready", ready, "waiting_for", waiting);
    json_object_set_new(j, "dependencies", service_deps_json(svc));
    return res_json(s, j, e);
}

static int get_metrics(void *app, const struct req *q, struct res *s, struct err *e)
{
    (void)q;
    (void)e;
    metrics_render(((struct service *)app)->metrics, &s->body);
    s->type = METRICS_CONTENT_TYPE;
    return 0;
}

static int get_version(void *app, const struct req *q, struct res *s, struct err *e)
{
    (void)q;
    const struct service *svc = app;
    return res_json(s,
                    json_pack("{s:s, s:s, s:s}", "service", svc->desc->name, "version",
                              fc_version, "revision", fc_revision),
                    e);
}

static const struct route common_routes[] = {
    {"GET", "/healthz", ROLE_NONE, false, 0, get_healthz, "the process is alive", NULL},
    {"GET", "/readyz", ROLE_NONE, false, 0, get_readyz, "its neighbours are there", NULL},
    {"GET", "/metrics", ROLE_VIEWER, false, 0, get_metrics, "metrics of this service",
     NULL},
    {"GET", "/api/v1/version", ROLE_NONE, false, 0, get_version, "release and revision",
     NULL},
    {0},
};

/* ---- options
 * --------------------------------------------------------------------------- */

static void usage(const struct service_desc *d, FILE *to)
{
    fprintf(to,
            "fc-%s: %s\n\n"
            "  fc-%s               run, with settings from the environment\n"
            "  fc-%s --settings    list the settings: name, kind, default, meaning\n"
            "  fc-%s --routes      list the HTTP routes with the role each needs\n"
            "  fc-%s --probe URL   exit 0 if URL answers 200 (health checks)\n"
            "  fc-%s --version\n",
            d->name, d->sentence, d->name, d->name, d->name, d->name, d->name);
}

static int probe(const char *url)
{
    struct err e = ERR_INIT;
    struct http_answer a;
    http_client_global_init();
    struct http_client *c = http_client_new(NULL, NULL, NULL);
    int rc = 1;
    if (http_request(c, "GET", url, NULL, NULL, 0, 3000, 65536, &a, &e)) {
        fprintf(stderr, "%s\n", e.text);
    } else {
        rc = a.status != 200;
        if (rc)
            fprintf(stderr, "%s answered HTTP %d: %.300s\n", url, a.status, a.body.data);
        http_answer_done(&a);
    }
    http_client_free(c);
    return rc;
}

bool service_options(const struct service_desc *d, int argc, char **argv, int *exit_code)
{
    log_init(d->name, LOG_INFO); /* settings that are wrong are told in its name */
    if (argc < 2)
        return false;
    *exit_code = 0;
    const char *o = argv[1];
    if (argc == 2 && !strcmp(o, "--settings")) {
        settings_print(d->settings, stdout);
    } else if (argc == 2 && !strcmp(o, "--routes")) {
        http_routes_print(d->routes, stdout);
        http_routes_print(common_routes, stdout);
    } else if (argc == 2 && !strcmp(o, "--version")) {
        printf("fc-%s %s (%s)\n", d->name, fc_version, fc_revision);
    } else if (argc == 2 && (!strcmp(o, "--help") || !strcmp(o, "-h"))) {
        usage(d, stdout);
    } else if (argc == 3 && !strcmp(o, "--probe")) {
        *exit_code = probe(argv[2]);
    } else {
        if (argc == 2 && !strcmp(o, "--probe"))
            fprintf(stderr, "fc-%s: --probe needs a URL\n\n", d->name);
        else
            fprintf(stderr, "fc-%s: unknown option \"%s\"\n\n", d->name, o);
        usage(d, stderr);
        *exit_code = 2;
    }
    return true;
}

/* ---- life
 * ------------------------------------------------------------------------------ */

/* The usual 1,024 are as many as HTTP connections alone may be: files and neighbours must
 * not go without. */
static void more_descriptors(void)
{
    struct rlimit r;
    if (getrlimit(RLIMIT_NOFILE, &r) || r.rlim_cur >= DESCRIPTORS)
        return;
    r.rlim_cur = r.rlim_max < DESCRIPTORS ? r.rlim_max : DESCRIPTORS;
    setrlimit(RLIMIT_NOFILE, &r);
}

int service_open(struct service *s, const struct service_desc *d,
                 const struct service_settings *set, struct err *e)
{
    enum log_level level;
    *s = (struct service){.desc = d, .set = set};
    if (log_level_parse(set->log_level, &level))
        return err_set(e, ERR_INVALID,
                       "FC_LOG_LEVEL must be debug, info, warn or error, not \"%s\"",
                       set->log_level);
    /* small matters more than fast: a few threads share two heaps, and large buffers are
     * given back when they are freed, and leave no holes when they grow */
    mallopt(M_ARENA_MAX, 2);
    mallopt(M_MMAP_THRESHOLD, 128 << 10);
    log_init(d->name, level);
    more_descriptors();
    http_client_global_init();
    if (clock_init(set->clock_file, e))
        return -1;
    s->started_ms = clock_now_ms();
    s->metrics = metrics_new(d->name);
    process_metrics_add(s->metrics, s->started_ms);
    s->auth = auth_open(set->tokens_file, set->service_token, set->public_read,
                        set->http_addr, e);
    return s->auth ? 0 : -1;
}

int service_listen(struct service *s, void *app, struct err *e)
{
    struct http_server_opts o = {
        .addr = s->set->http_addr,
        .port = (int)s->set->http_port,
        .threads = (int)s->set->http_threads,
        .workers = (int)s->set->http_workers,
        .routes = s->desc->routes,
        .more = common_routes,
        .app = app,
        .more_app = s,
        .auth = s->auth,
        .metrics = s->metrics,
    };
    s->http = http_server_open(&o, e);
    if (!s->http)
        return -1;
    log_info("fc-%s %s (%s) listens on %s port %d", s->desc->name, fc_version,
             fc_revision, s->set->http_addr, http_server_port(s->http));
    return 0;
}

void service_unlisten(struct service *s)
{
    http_server_close(s->http);
    s->http = NULL;
}

void service_close(struct service *s)
{
    service_unlisten(s);
    for (struct dep *d = s->deps, *next; d; d = next) {
        next = d->next;
        pthread_mutex_destroy(&d->lock);
        free(d);
    }
    auth_close(s->auth);
    metrics_free(s->metrics);
    *s = (struct service){0};
}
