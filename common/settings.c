/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/settings.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"

#define AT(target, s) ((void *)((char *)(target) + (s)->offset))

/* The secret in the file that FC_X_FILE names, or NULL with *e filled; owned. */
static char *read_secret(const char *name, const char *path, struct err *e)
{
    FILE *f = fopen(path, "re");
    if (!f) {
        err_set(e, ERR_INVALID, "FC_%s_FILE: could not read %s: %s", name, path,
                strerror(errno));
        return NULL;
    }
    char text[SETTINGS_MAX_STRING + 2];
    size_t n = fread(text, 1, sizeof text - 1, f);
    fclose(f);
    if (n > SETTINGS_MAX_STRING || memchr(text, '\0', n)) {
        err_set(e, ERR_INVALID,
                "FC_%s_FILE: %s must hold one line of text of at most %d bytes", name,
                path, SETTINGS_MAX_STRING);
        return NULL;
    }
    if (n && text[n - 1] == '\n')
        n--;
    return xstrndup(text, n);
}

/* The text of a setting: environment, file or default; owned. NULL with *e filled. */
static char *lookup(const struct setting *s, struct err *e)
{
    char *var = xasprintf("FC_%s", s->name), *var_file = xasprintf("FC_%s_FILE", s->name);
    const char *text = getenv(var), *path = getenv(var_file);
    char *out = NULL;
    if (s->kind == SET_SECRET && path && *path && text && *text)
        err_set(e, ERR_INVALID, "%s and %s are both set; set one of them", var, var_file);
    else if (s->kind == SET_SECRET && path && *path)
        out = read_secret(s->name, path, e);
    else if (text && (*text || s->dflt))
        out = xstrdup(*text ? text : s->dflt);
    else if (s->dflt)
        out = xstrdup(s->dflt);
    else
        err_set(e, ERR_INVALID, "%s is not set: %s", var, s->sentence);
    free(var);
    free(var_file);
    return out;
}

static int parse_int(const struct setting *s, const char *text, int64_t *v, struct err *e)
{
    char *end;
    errno = 0;
    intmax_t n = strtoimax(text, &end, 10);
    if (errno || end == text || *end || n < s->min || n > s->max)
        return err_set(e, ERR_INVALID,
                       "FC_%s must be a whole number from %" PRId64 " to %" PRId64
                       ", not \"%.60s\"",
                       s->name, s->min, s->max, text);
    *v = n;
    return 0;
}

/* scheme://host, then perhaps :port and a path. Names of brokers have MQTT in them. */
static bool is_url(const struct setting *s, const char *text)
{
    static const char *const http[] = {"http://", "https://", NULL};
    static const char *const mqtt[] = {"tcp://", "ssl://", "mqtt://", "mqtts://", NULL};
    const char *const *scheme = strstr(s->name, "MQTT") ? mqtt : http;
    while (*scheme && strncmp(text, *scheme, strlen(*scheme)) != 0)
        scheme++;
    if (!*scheme)
        return false;
    for (const unsigned char *p = (const unsigned char *)text; *p; p++)
        if (*p <= ' ' || *p >= 0x7f)
            return false;
    const char *host = text + strlen(*scheme), *end = host + strcspn(host, "/?#");
    const char *at = memchr(host, '@', (size_t)(end - host));
    host = at ? at + 1 : host;
    const char *p =
        host + (*host == '[' ? strcspn(host, "]") + 1 : strcspn(host, ":/?#"));
    if (p == host || p > end || p[-1] == '[')
        return false;
    if (p == end)
        return true;
    char *port_end;
    long port =
        *p == ':' && isdigit((unsigned char)p[1]) ? strtol(p + 1, &port_end, 10) : 0;
    return port >= 1 && port <= 65535 && port_end == end;
}

static int check_text(const struct setting *s, const char *text, struct err *e)
{
    size_t n = strlen(text);
    if ((int64_t)n < s->min || (int64_t)n > s->max)
        return err_set(e, ERR_INVALID,
                       "FC_%s must be a text of %" PRId64 " to %" PRId64
                       " bytes; it has %zu",
                       s->name, s->min, s->max, n);
    for (const unsigned char *p = (const unsigned char *)text; *p; p++)
        if (*p < 0x20)
            return err_set(e, ERR_INVALID, "FC_%s must not hold control characters",
                           s->name);
    if (s->kind == SET_URL && *text && !is_url(s, text))
        return err_set(e, ERR_INVALID,
                       "FC_%s must be an address such as %s://host:port, not \"%.60s\"",
                       s->name, strstr(s->name, "MQTT") ? "tcp" : "http", text);
    return 0;
}

static int load_one(const struct setting *s, void *target, struct err *e)
{
    char *text = lookup(s, e);
    int rc = -1;
    if (!text)
        return -1;
    if (s->kind == SET_INT) {
        rc = parse_int(s, text, AT(target, s), e);
    } else if (s->kind == SET_BOOL) {
        rc = 0;
        if (strcmp(text, "0") && strcmp(text, "1"))
            rc = err_set(e, ERR_INVALID, "FC_%s must be 0 or 1, not \"%.60s\"", s->name,
                         text);
        *(bool *)AT(target, s) = *text == '1';
    } else if (check_text(s, text, e) == 0) {
        *(char **)AT(target, s) = text;
        return 0;
    }
    free(text);
    return rc;
}

int settings_load(const struct setting *table, void *target, struct err *e)
{
    for (const struct setting *s = table; s->name; s++)
        if (load_one(s, target, e))
            return -1;
    return 0;
}

void settings_done(const struct setting *table, void *target)
{
    for (const struct setting *s = table; s->name; s++)
        if (s->kind == SET_STRING || s->kind == SET_URL || s->kind == SET_SECRET) {
            free(*(char **)AT(target, s));
            *(char **)AT(target, s) = NULL;
        }
}

void settings_print(const struct setting *table, FILE *to)
{
    static const char *const kinds[] = {"number", "0 or 1", "text", "address", "secret"};
    for (const struct setting *s = table; s->name; s++) {
        fprintf(to, "FC_%-24s %-8s ", s->name, kinds[s->kind]);
        fprintf(to, "%-26s ", s->dflt ? (*s->dflt ? s->dflt : "(empty)") : "(required)");
        if (s->kind == SET_INT)
            fprintf(to, "%" PRId64 "..%" PRId64 ": ", s->min, s->max);
        fprintf(to, "%s%s\n", s->sentence,
                s->kind == SET_SECRET ? " (or FC_..._FILE)" : "");
    }
}
