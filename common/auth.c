/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/auth.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/mem.h"
#include "common/sha256.h"

#define TOKENS_MAX 10000
#define TOKEN_LEN_MAX 512

struct token {
    enum role role;
    char sha256[SHA256_HEX_SIZE];
};

struct auth {
    bool open_to_all, public_read;
    size_t n;
    struct token *tokens;
};

static const char *const names[] = {"none", "viewer", "operator", "admin", "service"};

const char *role_name(enum role r)
{
    return names[r];
}

static void add(struct auth *a, enum role role, const char *sha256)
{
    a->tokens = xrealloc(a->tokens, (a->n + 1) * sizeof *a->tokens);
    a->tokens[a->n].role = role;
    memcpy(a->tokens[a->n].sha256, sha256, SHA256_HEX_SIZE);
    a->n++;
}

static int parse_line(struct auth *a, const char *file, int no, char *line, struct err *e)
{
    line[strcspn(line, "#\r\n")] = '\0';
    char role[16], hash[80], rest[4];
    int n = sscanf(line, "%15s %79s %3s", role, hash, rest);
    if (n <= 0)
        return 0;
    for (int r = ROLE_VIEWER; n == 2 && r <= ROLE_SERVICE; r++) {
        if (strcmp(role, names[r]))
            continue;
        if (strlen(hash) != 64 || strspn(hash, "0123456789abcdef") != 64)
            break;
        add(a, (enum role)r, hash);
        return 0;
    }
    return err_set(
        e, ERR_INVALID,
        "%s line %d: expected \"role sha256\" with role viewer, operator, admin or "
        "service and 64 lower-case hex digits",
        file, no);
}

static int read_tokens(struct auth *a, const char *file, struct err *e)
{
    FILE *f = fopen(file, "re");
    if (!f)
        return err_set(e, ERR_INVALID, "could not read the tokens file %s: %s", file,
                       strerror(errno));
    char line[256];
    int rc = 0;
    for (int no = 1; !rc && fgets(line, sizeof line, f); no++) {
        for (int c = 0; !strchr(line, '\n') && c != '\n' && c != EOF;)
            c = fgetc(f); /* the rest of a long comment */
        if (no > TOKENS_MAX)
            rc = err_set(e, ERR_INVALID, "%s has more than %d lines", file, TOKENS_MAX);
        else
            rc = parse_line(a, file, no, line, e);
    }
    fclose(f);
    if (!rc && !a->n)
        rc = err_set(e, ERR_INVALID, "the tokens file %s holds no token", file);
    return rc;
}

static bool is_loopback(const char *addr)
{
    return !strncmp(addr, "127.", 4) || !strcmp(addr, "::1") ||
           !strcmp(addr, "localhost");
}

struct auth *auth_open(const char *tokens_file, const char *service_token,
                       bool public_read, const char *addr, struct err *e)
{
    struct auth *a = xcalloc(1, sizeof *a);
    a->public_read = public_read;
    a->open_to_all = !*tokens_file;
    int rc = 0;
    if (a->open_to_all && !is_loopback(addr))
        rc = err_set(e, ERR_INVALID,
                     "FC_HTTP_ADDR is %s but FC_TOKENS_FILE is not set: without tokens a "
                     "service listens on loopback only",
                     addr);
    else if (!a->open_to_all)
        rc = read_tokens(a, tokens_file, e);
    if (!rc && *service_token) {
        char hash[SHA256_HEX_SIZE];
        sha256_hex(service_token, strlen(service_token), hash);
        add(a, ROLE_SERVICE, hash);
    }
    if (rc) {
        auth_close(a);
        return NULL;
    }
    return a;
}

void auth_close(struct auth *a)
{
    if (a)
        free(a->tokens);
    free(a);
}

int auth_check(const struct auth *a, const char *authorization, enum role need,
               enum role *who, struct err *e)
{
    *who = a->open_to_all ? ROLE_SERVICE : ROLE_NONE;
    if (authorization && !a->open_to_all) {
        if (strncasecmp(authorization, "Bearer ", 7) ||
            strlen(authorization) > TOKEN_LEN_MAX + 7)
            return err_set(e, ERR_UNAUTHORIZED,
                           "the Authorization header must be \"Bearer TOKEN\"");
        char hash[SHA256_HEX_SIZE];
        sha256_hex(authorization + 7, strlen(authorization + 7), hash);
        for (size_t i = 0; i < a->n; i++)
            if (sha256_equal(hash, a->tokens[i].sha256) && a->tokens[i].role > *who)
                *who = a->tokens[i].role;
        if (*who == ROLE_NONE)
            return err_set(e, ERR_UNAUTHORIZED, "this token is not known");
    }
    if (*who >= need || (need == ROLE_VIEWER && a->public_read))
        return 0;
    if (*who == ROLE_NONE)
        return err_set(e, ERR_UNAUTHORIZED,
                       "a bearer token of role %s is needed: Authorization: Bearer TOKEN",
                       names[need]);
    return err_set(e, ERR_FORBIDDEN, "this token's role is %s; %s is needed", names[*who],
                   names[need]);
}
