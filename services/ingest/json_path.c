/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "services/ingest/json_path.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"

struct step {
    const char *name; /* in names; NULL: an index */
    size_t index;
};

struct json_path {
    char text[JSON_PATH_MAX + 1];
    char names[JSON_PATH_MAX + 1]; /* those of the steps, each with its NUL */
    struct step step[JSON_PATH_STEPS];
    size_t n;
};

static int bad(struct err *e, const char *text, const char *at, const char *what)
{
    return err_set(e, ERR_INVALID, "\"%.100s\": character %zu: %s", text,
                   (size_t)(at - text) + 1, what);
}

static int plain(struct json_path *p, const char **at, char **name, struct err *e)
{
    size_t n = 0;
    while (isalnum((unsigned char)(*at)[n]) || ((*at)[n] && strchr("_-", (*at)[n])))
        n++;
    if (!n)
        return bad(e, p->text, *at, "a name is expected ([\"…\"] for any other)");
    p->step[p->n].name = *name;
    memcpy(*name, *at, n);
    *name += n;
    *at += n;
    return 0;
}

static int quoted(struct json_path *p, const char **at, char **name, struct err *e)
{
    char quote = *(*at)++;
    p->step[p->n].name = *name;
    for (; **at && **at != quote; (*at)++) {
        if (**at == '\\' && (*at)[1] && strchr("\"'\\", (*at)[1]))
            (*at)++;
        *(*name)++ = **at;
    }
    if (**at != quote)
        return bad(e, p->text, *at, "a quote is missing");
    (*at)++;
    return 0;
}

static int bracket(struct json_path *p, const char **at, char **name, struct err *e)
{
    size_t digits = strspn(*at, "0123456789");
    if (**at == '"' || **at == '\'') {
        if (quoted(p, at, name, e))
            return -1;
    } else if (!digits || digits > 6) {
        return bad(e, p->text, *at,
                   "a number of at most 6 digits or a name in quotes "
                   "is expected");
    } else {
        p->step[p->n].index = strtoul(*at, NULL, 10);
        *at += digits;
    }
    return *(*at)++ == ']' ? 0 : bad(e, p->text, *at - 1, "] is expected");
}

static int parse(struct json_path *p, struct err *e)
{
    const char *at = p->text;
    char *name = p->names;
    if (*at++ != '$')
        return bad(e, p->text, p->text, "a path begins with $, as $.meta.id does");
    while (*at) {
        if (p->n == JSON_PATH_STEPS)
            return bad(e, p->text, at, "a path has at most 16 steps");
        char sign = *at++;
        if (sign != '.' && sign != '[')
            return bad(e, p->text, at - 1, "a . or [ is expected");
        if (sign == '.' ? plain(p, &at, &name, e) : bracket(p, &at, &name, e))
            return -1;
        if (p->step[p->n].name)
            *name++ = '\0';
        p->n++;
    }
    return 0;
}

struct json_path *json_path_parse(const char *text, struct err *e)
{
    if (strlen(text) > JSON_PATH_MAX) {
        err_set(e, ERR_INVALID, "\"%.40s...\" is longer than %d bytes", text,
                JSON_PATH_MAX);
        return NULL;
    }
    struct json_path *p = xcalloc(1, sizeof *p);
    strcpy(p->text, text);
    if (parse(p, e) == 0)
        return p;
    json_path_free(p);
    return NULL;
}

void json_path_free(struct json_path *p)
{
    free(p);
}

const json_t *json_path_get(const struct json_path *p, const json_t *root)
{
    for (size_t i = 0; i < p->n && root; i++)
        root = p->step[i].name ? json_object_get(root, p->step[i].name)
                               : json_array_get(root, p->step[i].index);
    return root;
}

const char *json_path_text(const struct json_path *p)
{
    return p->text;
}

const char *json_path_last_name(const struct json_path *p)
{
    for (size_t i = p->n; i; i--)
        if (p->step[i - 1].name)
            return p->step[i - 1].name;
    return "";
}
