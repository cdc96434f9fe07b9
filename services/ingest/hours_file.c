/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "services/ingest/hours_file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/mem.h"

struct hours_line {
    char device[DEVICE_MAX + 1];
    int64_t from, to; /* from <= to */
};

#define LINE_MAX_BYTES (DEVICE_MAX + 44) /* a name, two numbers, two spaces */

/* The number at *p, which ends with end; *p is then behind that. */
static bool number(char **p, char end, int64_t *x)
{
    char *begin = *p;
    errno = 0;
    *x = strtoll(begin, p, 10);
    return !errno && *p > begin && *begin > ' ' && *(*p)++ == end;
}

static bool parse(char *text, struct hours_line *l)
{
    char *p = strchr(text, ' ');
    if (!p || p - text > DEVICE_MAX)
        return false;
    *p++ = '\0';
    strcpy(l->device, text);
    return device_valid(text) && number(&p, ' ', &l->from) && number(&p, '\0', &l->to) &&
           l->from <= l->to;
}

/* The next line, whatever its length: 1. 0: there is none; one that does not end, because
 * a crash cut it off, is none: its readings come again. -1: it is no mark. Blank lines
 * are passed over. */
static int read_line(FILE *f, struct hours_line *l)
{
    char text[LINE_MAX_BYTES + 1];
    for (;;) {
        size_t n = 0;
        int c;
        while ((c = getc_unlocked(f)) != EOF && c != '\n') {
            if (n < LINE_MAX_BYTES)
                text[n] = (char)c;
            n++;
        }
        if (c == EOF)
            return 0;
        if (n > LINE_MAX_BYTES)
            return -1;
        text[n] = '\0';
        if (n)
            return strlen(text) == n && parse(text, l) ? 1 : -1;
    }
}

struct left_out {
    size_t lines, no_mark, unknown, outside;
    size_t first; /* number of the first such line */
};

/* A line was read, with that result. Returns the count of its kind, if it is left out. */
static size_t *take_line(const struct hours_file *h, int rc, const struct hours_line *l,
                         struct left_out *out)
{
    if (rc < 0)
        return &out->no_mark;
    if (l->from < h->first || l->to > h->last)
        return &out->outside;
    struct device *d = ledger_find(h->ledger, l->device);
    if (!d)
        return &out->unknown;
    h->mark(h->arg, d, (int32_t)l->from, (int32_t)l->to);
    return NULL;
}

static void say(const struct hours_file *h, const struct left_out *out)
{
    char from[CLOCK_RFC3339_SIZE], to[CLOCK_RFC3339_SIZE];
    char *bad = xasprintf("%s.bad", h->path);
    unlink(bad);
    bool kept =
        link(h->path, bad) == 0; /* another file takes its place: hours_settle() */
    log_warn(
        "left out %zu of %zu lines of %s, the first is line %zu: %zu are no marks, "
        "%zu of unknown devices, %zu not from %s to %s (FC_TIME_PAST_D); these hours "
        "are not rolled up unless readings of them come again%s%s",
        out->no_mark + out->unknown + out->outside, out->lines, h->path, out->first,
        out->no_mark, out->unknown, out->outside, clock_format(h->first * HOUR_MS, from),
        clock_format(h->last * HOUR_MS, to), kept ? "; the file is kept as " : "",
        kept ? bad : "");
    free(bad);
}

int hours_file_read(const struct hours_file *h, struct err *e)
{
    struct left_out out = {0};
    struct hours_line l;
    FILE *f = fopen(h->path, "re");
    int rc;
    while (f && (rc = read_line(f, &l)) != 0) {
        size_t *kind = take_line(h, rc, &l, &out);
        out.lines++;
        if (!kind)
            continue;
        ++*kind;
        out.first = out.first ? out.first : out.lines;
    }
    bool failed = !f || ferror(f);
    if (failed)
        err_set(e, ERR_UNAVAILABLE, "could not read %s: %s", h->path, strerror(errno));
    else if (out.first)
        say(h, &out);
    if (f)
        fclose(f);
    return failed ? -1 : 0;
}
