/* SPDX-License-Identifier: GPL-3.0-or-later */
/* service: what the four services have in common, so that a main.c tells only its own
 * story.
 *
 * Settings every service has, the options --settings --routes --version --probe --help,
 * the HTTP server with /healthz /readyz /metrics /api/v1/version, the log, the clock,
 * metrics of the process, and the state of each neighbour. */
#ifndef FC_COMMON_SERVICE_H
#define FC_COMMON_SERVICE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/auth.h"
#include "common/err.h"
#include "common/http_server.h"
#include "common/metrics.h"
#include "common/settings.h"

/* First member of every service's settings; SERVICE_SETTINGS fills it. */
struct service_settings {
    char *http_addr;
    int64_t http_port, http_threads, http_workers;
    char *tokens_file, *service_token;
    bool public_read;
    char *clock_file, *log_level;
    int64_t tick_ms, grace_s;
};

/* Rows for the service's table. T: its settings struct, M: the member that is a struct
 * service_settings, PORT and THREADS: defaults as text. */
/* clang-format off */
#define SERVICE_SETTINGS(T, M, PORT, THREADS)                               \
    {"HTTP_ADDR", SET_STRING, offsetof(T, M.http_addr), "127.0.0.1", 2, 64, \
     "address to listen on; other than loopback needs FC_TOKENS_FILE"},     \
    {"HTTP_PORT", SET_INT, offsetof(T, M.http_port), PORT, 0, 65535,        \
     "port to listen on; 0 takes a free one and logs it"},                  \
    {"HTTP_THREADS", SET_INT, offsetof(T, M.http_threads), THREADS, 1, 64,  \
     "threads that answer requests"},                                       \
    {"HTTP_WORKERS", SET_INT, offsetof(T, M.http_workers), "3", 1, 64,      \
     "threads for requests that wait for a database"},                      \
    {"TOKENS_FILE", SET_STRING, offsetof(T, M.tokens_file), "", 0, 4096,    \
     "file of \"role sha256\" lines; empty: no tokens, loopback only"},     \
    {"SERVICE_TOKEN", SET_SECRET, offsetof(T, M.service_token), "", 0, 512, \
     "what the services show each other"},                                  \
    {"PUBLIC_READ", SET_BOOL, offsetof(T, M.public_read), "0", 0, 1,        \
     "1: reading needs no token"},                                          \
    {"CLOCK_FILE", SET_STRING, offsetof(T, M.clock_file), "", 0, 4096,      \
     "virtual clock: a file \"EPOCH_MS SPEED\"; empty: real time"},         \
    {"LOG_LEVEL", SET_STRING, offsetof(T, M.log_level), "info", 1, 20,      \
     "debug, info, warn or error"},                                         \
    {"TICK_MS", SET_INT, offsetof(T, M.tick_ms), "1000", 5, 60000,          \
     "pause between looks at what is to do, real ms"},                      \
    {"HOUR_GRACE_S", SET_INT, offsetof(T, M.grace_s), "120", 0, 3600,       \
     "how long after its end an hour still takes readings, s"}
/* clang-format on */

/* What a service is; static. */
struct service_desc {
    const char *name;     /* "ingest" */
    const char *sentence; /* for --help */
    const struct setting *settings;
    const struct route *routes;
};

/* One neighbour. States are logged once per change and shown in /readyz and /metrics. */
struct dep;

struct service {
    const struct service_desc *desc;
    const struct service_settings *set;
    struct metrics *metrics;
    struct auth *auth;
    struct http_server *http;
    struct dep *deps; /* list, newest first */
    int64_t started_ms;
};

/* The first call of main: gives the log the service's name and answers the options.
 * Returns true when the program should end now, with *exit_code, which is set only then.
 */
bool service_options(const struct service_desc *d, int argc, char **argv, int *exit_code);

/* Opens log, clock, metrics and auth. Not yet the HTTP server: make the rest first. */
int service_open(struct service *s, const struct service_desc *d,
                 const struct service_settings *set, struct err *e) MUST_CHECK;
/* Starts answering; app goes to the handlers of desc->routes. Logs the address. */
int service_listen(struct service *s, void *app, struct err *e) MUST_CHECK;
/* Stops answering: after this no handler runs. Call before freeing what handlers use. */
void service_unlisten(struct service *s);
/* service_unlisten() and the rest. A zeroed struct is fine. */
void service_close(struct service *s);

/* Adds a neighbour, before service_listen(). required: /readyz answers 503 while it is
 * down; the service starts as down, "not tried yet". Lives as long as the service. */
struct dep *service_dep(struct service *s, const char *name, bool required);
void dep_up(struct dep *d);
void dep_down(struct dep *d, const char *why); /* why is copied; any thread */
bool dep_is_up(const struct dep *d);

/* {"name":{"up":true,"since":…,"why":null},…}, new. For /api/v1/status. */
json_t *service_deps_json(const struct service *s);

#endif
