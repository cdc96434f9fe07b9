/* SPDX-License-Identifier: GPL-3.0-or-later */
/* remote: a service of a running Fieldcast, asked over HTTP by a subcommand. */
#ifndef FC_TOOLS_REMOTE_H
#define FC_TOOLS_REMOTE_H

#include <jansson.h>
#include <stddef.h>

#include "common/err.h"

#define REMOTE_URL "http://127.0.0.1:8080"

/* Rows of the option table of whoever asks. T: its options struct, with the members url,
 * token and token_file; WHO: the service. */
/* clang-format off */
#define REMOTE_OPTIONS(T, WHO)                                                           \
    {"url", "URL", OPT_TEXT, offsetof(T, url), 0, 0,                                     \
     "where " WHO " is, or the proxy before it (default: " REMOTE_URL ")"},              \
    {"token", "TEXT", OPT_TEXT, offsetof(T, token), 0, 0,                                \
     "token with the role operator (default: FC_TOKEN of the environment)"},             \
    {"token-file", "FILE", OPT_TEXT, offsetof(T, token_file), 0, 0,                      \
     "file whose first line is the token: no other user of this machine sees it"}
/* clang-format on */

struct remote;

/* What no command line may have. */
int remote_check(const char *token, const char *token_file, struct err *e) MUST_CHECK;

/* who: the service's name, for errors; borrowed, as url is. token and token_file: NULL if
 * not given; not both. Does not connect yet. Free with remote_close(). */
struct remote *remote_open(const char *who, const char *url, const char *token,
                           const char *token_file, struct err *e) MUST_CHECK;
void remote_close(struct remote *r); /* NULL is fine */

/* The answer to one request, an object, new. path: "/api/v1/…"; body: borrowed, NULL if
 * there is none. NULL on any other status than 200 and 202, with what was answered
 * instead: ERR_FORBIDDEN (the token), ERR_UNAVAILABLE and ERR_TIMEOUT (it may be there
 * later), else ERR_UPSTREAM. */
json_t *remote_ask(struct remote *r, const char *method, const char *path,
                   const json_t *body, struct err *e) MUST_CHECK;

/* The error of an answer that is none of that service's. Returns -1. */
int remote_strange(const struct remote *r, struct err *e);

#endif
