/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The peer of bench/predict: the least a libmicrohttpd handler can do. It runs with the
 * flags, limits and number of threads of common/http_server.c, collects the body, parses
 * it with jansson and answers a constant of LENGTH bytes that was made once.
 *
 *   bare_mhd PORT THREADS LENGTH */
#include <arpa/inet.h>
#include <jansson.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BODY_MAX 65536

struct body {
    size_t len;
    char data[BODY_MAX];
};

static struct MHD_Response *constant, *bad;

static enum MHD_Result on_request(void *cls, struct MHD_Connection *conn, const char *url,
                                  const char *method, const char *version,
                                  const char *upload, size_t *upload_size, void **con_cls)
{
    (void)cls;
    (void)url;
    (void)method;
    (void)version;
    struct body *b = *con_cls;
    if (!b) {
        b = malloc(sizeof *b); /* not zeroed: pages it does not use cost nothing */
        if (!b)
            return MHD_NO;
        b->len = 0;
        *con_cls = b;
        return MHD_YES;
    }
    if (*upload_size) {
        if (b->len + *upload_size <= BODY_MAX) {
            memcpy(b->data + b->len, upload, *upload_size);
            b->len += *upload_size;
        }
        *upload_size = 0;
        return MHD_YES;
    }
    json_t *j = json_loadb(b->data, b->len, JSON_REJECT_DUPLICATES, NULL);
    enum MHD_Result rc = MHD_queue_response(conn, j ? 200 : 400, j ? constant : bad);
    json_decref(j);
    return rc;
}

static void on_completed(void *cls, struct MHD_Connection *conn, void **con_cls,
                         enum MHD_RequestTerminationCode why)
{
    (void)cls;
    (void)conn;
    (void)why;
    free(*con_cls);
    *con_cls = NULL;
}

int main(int argc, char **argv)
{
    if (argc != 4) {
        fprintf(stderr, "usage: bare_mhd PORT THREADS LENGTH\n");
        return 2;
    }
    size_t len = strtoul(argv[3], NULL, 10);
    char *text = malloc(len + 1);
    if (!text)
        return 1;
    memset(text, 'x', len);
    constant = MHD_create_response_from_buffer(len, text, MHD_RESPMEM_MUST_FREE);
    bad = MHD_create_response_from_buffer(3, "bad", MHD_RESPMEM_PERSISTENT);
    MHD_add_response_header(constant, "Content-Type", "application/json");
    struct sockaddr_in sa = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)atoi(argv[1])),
                             .sin_addr = {htonl(INADDR_LOOPBACK)}};
    sigset_t stop;
    int sig;
    sigemptyset(&stop);
    sigaddset(&stop, SIGTERM);
    sigaddset(&stop, SIGINT);
    sigprocmask(SIG_BLOCK, &stop, NULL);
    struct MHD_Daemon *d = MHD_start_daemon(
        MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_ITC | MHD_USE_ERROR_LOG |
            MHD_ALLOW_SUSPEND_RESUME,
        0, NULL, NULL, on_request, NULL, MHD_OPTION_SOCK_ADDR, &sa,
        MHD_OPTION_CONNECTION_LIMIT, 1024u, MHD_OPTION_CONNECTION_TIMEOUT, 60u,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)16384, MHD_OPTION_STRICT_FOR_CLIENT,
        1, MHD_OPTION_LISTENING_ADDRESS_REUSE, 1u, MHD_OPTION_THREAD_STACK_SIZE,
        (size_t)262144, MHD_OPTION_NOTIFY_COMPLETED, on_completed, NULL,
        MHD_OPTION_THREAD_POOL_SIZE, (unsigned)atoi(argv[2]), MHD_OPTION_END);
    if (!d) {
        fprintf(stderr, "bare_mhd: could not listen on port %s\n", argv[1]);
        return 1;
    }
    sigwait(&stop, &sig);
    MHD_stop_daemon(d);
    MHD_destroy_response(constant);
    MHD_destroy_response(bad);
    return 0;
}
