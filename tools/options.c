/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tools/options.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "common/plain.h"
#include "tools/duration.h"
#include "tools/suggest.h"

static const struct option *find(const struct option *table, const char *name, size_t n)
{
    for (; table->name; table++)
        if (strlen(table->name) == n && memcmp(table->name, name, n) == 0)
            return table;
    return NULL;
}

static const char *dashes(const struct option *o)
{
    return o->name[1] ? "--" : "-";
}

static int unknown(const struct option *table, const char *arg, struct err *e)
{
    char name[64];
    snprintf(name, sizeof name, "%.*s", (int)strcspn(arg + strspn(arg, "-"), "="),
             arg + strspn(arg, "-"));
    for (; *name && table->name; table++)
        if (table->name[1] ? suggest_near(name, table->name) : !strcmp(name, table->name))
            return err_set(e, ERR_INVALID, "unknown option %.60s: did you mean %s%s?",
                           arg, dashes(table), table->name);
    return err_set(e, ERR_INVALID, "unknown option %.60s", arg);
}

static int out_of_range(const struct option *o, const char *text, struct err *e)
{
    char least[DURATION_TEXT_SIZE], most[DURATION_TEXT_SIZE];
    if (o->kind == OPT_DURATION) {
        duration_format((int64_t)o->min, least);
        duration_format((int64_t)o->max, most);
    } else {
        snprintf(least, sizeof least, "%.15g", o->min);
        snprintf(most, sizeof most, "%.15g", o->max);
    }
    return err_set(e, ERR_INVALID, "%s%s must be from %s to %s, not %.40s", dashes(o),
                   o->name, least, most, text);
}

static int set_int(const struct option *o, const char *text, void *at, struct err *e)
{
    char *end;
    errno = 0;
    long long x = strtoll(text, &end, 10);
    if (end == text || *end || isspace((unsigned char)*text))
        return err_set(e, ERR_INVALID, "%s%s must be a whole number, not \"%.40s\"",
                       dashes(o), o->name, text);
    if (errno == ERANGE || (double)x < o->min || (double)x > o->max)
        return out_of_range(o, text, e);
    *(int64_t *)at = x;
    return 0;
}

static int set_real(const struct option *o, const char *text, void *at, struct err *e)
{
    char *end;
    double x = strtod(text, &end);
    if (end == text || text[strspn(text, "0123456789+-.eE")] || !isfinite(x))
        return err_set(e, ERR_INVALID, "%s%s must be a number, not \"%.40s\"", dashes(o),
                       o->name, text);
    if (x < o->min || x > o->max)
        return out_of_range(o, text, e);
    *(double *)at = x;
    return 0;
}

static int set_duration(const struct option *o, const char *text, void *at, struct err *e)
{
    char what[64];
    snprintf(what, sizeof what, "%s%s", dashes(o), o->name);
    int64_t ms;
    if (duration_parse(text, what, &ms, e))
        return -1;
    if ((double)ms < o->min || (double)ms > o->max)
        return out_of_range(o, text, e);
    *(int64_t *)at = ms;
    return 0;
}

static int set(const struct option *o, const char *text, void *target, struct err *e)
{
    void *at = (char *)target + o->offset;
    struct option_list *list = at;
    switch (o->kind) {
    case OPT_FLAG:
        *(bool *)at = true;
        return 0;
    case OPT_INT:
        return set_int(o, text, at, e);
    case OPT_REAL:
        return set_real(o, text, at, e);
    case OPT_DURATION:
        return set_duration(o, text, at, e);
    case OPT_TEXT:
        if (!*text)
            return err_set(e, ERR_INVALID, "%s%s must not be empty", dashes(o), o->name);
        *(const char **)at = text;
        return 0;
    case OPT_LIST:
        if (list->n == OPTION_LIST_MAX)
            return err_set(e, ERR_INVALID, "%s%s may be given at most %d times",
                           dashes(o), o->name, OPTION_LIST_MAX);
        list->item[list->n++] = text;
        return 0;
    }
    return 0;
}

int options_parse(const struct option *table, int argc, char **argv, void *target,
                  const char **operand, size_t max_operands, size_t *n_operands,
                  struct err *e)
{
    bool ended = false;
    *n_operands = 0;
    for (int i = 1; i < argc; i++) {
        const char *arg = argv[i];
        if (ended || arg[0] != '-' || !arg[1] || isdigit((unsigned char)arg[1])) {
            if (*n_operands == max_operands)
                return err_set(e, ERR_INVALID, "\"%.60s\" is one argument too many", arg);
            operand[(*n_operands)++] = arg;
            continue;
        }
        if (strcmp(arg, "--") == 0) {
            ended = true;
            continue;
        }
        if (strcmp(arg, "-h") == 0)
            arg = "--help";
        bool lng = strncmp(arg, "--", 2) == 0;
        const char *name = arg + (lng ? 2 : 1);
        size_t n = lng ? strcspn(name, "=") : 1;
        const struct option *o = lng && n < 2 ? NULL : find(table, name, n);
        if (!o)
            return unknown(table, arg, e);
        const char *value = name[n] ? name + n + lng : NULL;
        if (o->kind == OPT_FLAG && value)
            return err_set(e, ERR_INVALID, "%s%s takes no argument", dashes(o), o->name);
        if (o->kind != OPT_FLAG && !value && i + 1 < argc)
            value = argv[++i];
        if (o->kind != OPT_FLAG && !value)
            return err_set(e, ERR_INVALID, "%s%s needs an argument (%s)", dashes(o),
                           o->name, o->arg);
        if (set(o, value, target, e))
            return -1;
    }
    return 0;
}

void options_print(const struct option *table, FILE *to)
{
    enum { INDENT = 28, WIDTH = 90 };
    for (; table->name; table++) {
        int column = fprintf(to, "  %s%s %s", dashes(table), table->name,
                             table->arg ? table->arg : "");
        if (column >= INDENT) {
            fputc('\n', to);
            column = 0;
        }
        fprintf(to, "%*s", INDENT - column, "");
        column = INDENT;
        const char *gap = "";
        for (const char *word = table->sentence; *word; word += strspn(word, " ")) {
            int n = (int)strcspn(word, " ");
            if (column + 1 + n > WIDTH) {
                fprintf(to, "\n%*s", INDENT, "");
                column = INDENT;
                gap = "";
            }
            column += fprintf(to, "%s%.*s", gap, n, word);
            gap = " ";
            word += n;
        }
        fputc('\n', to);
    }
}

int options_fail(const char *command, const struct err *e)
{
    fprintf(stderr, "fieldcast %s: ", command);
    plain_put(stderr, e->text);
    fputc('\n', stderr);
    return 1;
}

int options_refuse(const char *command, const struct err *e)
{
    options_fail(command, e);
    fprintf(stderr, "Try \"fieldcast %s --help\".\n", command);
    return 2;
}
