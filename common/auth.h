/* SPDX-License-Identifier: GPL-3.0-or-later */
/* auth: who may call what.
 *
 * Tokens are random texts; only their SHA-256 is kept, in a file of lines
 * "role sha256-hex" (# starts a comment; roles viewer, operator, admin, service). Roles
 * are ordered: viewer reads, operator also writes and trains, admin also manages, service
 * is what the services show each other. Without a file everything is allowed, and
 * auth_open() then insists on a loopback address. Read-only after opening: any thread. */
#ifndef FC_COMMON_AUTH_H
#define FC_COMMON_AUTH_H

#include <stdbool.h>

#include "common/err.h"

enum role { ROLE_NONE, ROLE_VIEWER, ROLE_OPERATOR, ROLE_ADMIN, ROLE_SERVICE };

struct auth;

/* tokens_file "" = none. addr: the address the service will listen on. public_read:
 * viewer routes need no token. service_token: what other services show ("" = none). */
struct auth *auth_open(const char *tokens_file, const char *service_token,
                       bool public_read, const char *addr, struct err *e) MUST_CHECK;
void auth_close(struct auth *a);

/* May a request with this Authorization header (NULL: none) do what needs `need`? Returns
 * 0 and the caller's role, or -1 with ERR_UNAUTHORIZED (no or unknown token) or
 * ERR_FORBIDDEN. An unknown token is refused even where none is needed. */
int auth_check(const struct auth *a, const char *authorization, enum role need,
               enum role *who, struct err *e) MUST_CHECK;

const char *role_name(enum role r);

#endif
