/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tools/csv.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "common/buf.h"
#include "common/clock.h"
#include "common/mem.h"
#include "common/reading.h"
#include "tools/gzfile.h"

struct csv {
    FILE *f;
    const char *path; /* borrowed */
    struct buf row;   /* the fields, each ended by NUL */
    size_t *at;       /* where each begins in row. owned */
    size_t n, cap;
    size_t line, row_line; /* being read; on which the row began */
    char **header;         /* owned, NULL: none */
    size_t n_header;
};

struct csv *csv_open(const char *path, struct err *e)
{
    bool standard = !strcmp(path, "-");
    FILE *f = standard ? gzfile_dup(STDIN_FILENO) : gzfile_open(path);
    if (!f) {
        err_set(e, errno == ENOENT ? ERR_NOT_FOUND : ERR_INVALID, "could not open %s: %s",
                standard ? "standard input" : path, strerror(errno));
        return NULL;
    }
    struct csv *c = xcalloc(1, sizeof *c);
    c->f = f;
    c->path = standard ? "standard input" : path;
    c->line = 1;
    buf_init(&c->row, CSV_ROW_MAX);
    return c;
}

void csv_close(struct csv *c)
{
    if (!c)
        return;
    fclose(c->f);
    for (size_t i = 0; i < c->n_header; i++)
        free(c->header[i]);
    free(c->header);
    free(c->at);
    buf_done(&c->row);
    free(c);
}

size_t csv_fields(const struct csv *c)
{
    return c->n;
}

const char *csv_field(const struct csv *c, size_t i)
{
    return i < c->n ? c->row.data + c->at[i] : "";
}

size_t csv_line(const struct csv *c)
{
    return c->row_line;
}

int csv_refuse(const struct csv *c, size_t i, struct err *e, const char *fmt, ...)
{
    char text[300];
    const char *name = csv_column_name(c, i);
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    return err_set(e, ERR_INVALID, "%.100s, line %zu, column %zu%s%.40s%s: %s", c->path,
                   c->row_line, i + 1, *name ? " (" : "", name, *name ? ")" : "", text);
}

static int begin_field(struct csv *c, struct err *e)
{
    if (c->n >= CSV_FIELDS_MAX)
        return csv_refuse(c, c->n, e, "a row has at most %d columns", CSV_FIELDS_MAX);
    if (c->n == c->cap) {
        c->cap = c->cap ? 2 * c->cap : 16;
        c->at = xrealloc(c->at, c->cap * sizeof *c->at);
    }
    c->at[c->n++] = c->row.len;
    return 0;
}

static int add(struct csv *c, int ch, struct err *e)
{
    if (!ch)
        return csv_refuse(c, c->n - 1, e, "there is a NUL byte: this is not a text file");
    if (buf_addc(&c->row, (char)ch))
        return csv_refuse(c, c->n - 1, e, "a row has at most %d bytes", CSV_ROW_MAX);
    return 0;
}

/* After the opening quote, up to and with the closing one. */
static int quoted(struct csv *c, struct err *e)
{
    for (;;) {
        int ch = getc_unlocked(c->f);
        if (ch == EOF)
            return csv_refuse(c, c->n - 1, e, "the quote is never closed");
        if (ch == '\n')
            c->line++;
        if (ch == '"') {
            ch = getc_unlocked(c->f);
            if (ch != '"') {
                if (ch == EOF || ch == ',' || ch == '\n' || ch == '\r')
                    return ungetc(ch, c->f), 0;
                return csv_refuse(c, c->n - 1, e,
                                  "there is text after the closing quote");
            }
        }
        if (add(c, ch, e))
            return -1;
    }
}

/* One field into the row; *end is the character after it: ',', '\n' or EOF. */
static int field(struct csv *c, int *end, struct err *e)
{
    if (begin_field(c, e))
        return -1;
    int ch = getc_unlocked(c->f);
    if (ch == '"') {
        if (quoted(c, e))
            return -1;
        ch = getc_unlocked(c->f);
    }
    for (; ch != ',' && ch != '\n' && ch != EOF; ch = getc_unlocked(c->f)) {
        if (ch == '\r') {
            int next = getc_unlocked(c->f);
            ungetc(next, c->f);
            if (next == '\n' || next == EOF)
                continue;
        }
        if (add(c, ch, e))
            return -1;
    }
    *end = ch;
    /* the NUL that ends it counts as part of the row, so that fields cannot run together
     */
    if (buf_add(&c->row, "", 1))
        return csv_refuse(c, c->n - 1, e, "a row has at most %d bytes", CSV_ROW_MAX);
    return 0;
}

/* The bytes of other characters begin alike: what was taken of them is given back. */
static void skip_bom(struct csv *c)
{
    static const int bom[] = {0xef, 0xbb, 0xbf};
    int ch = 0;
    size_t n = 0;
    while (n < 3 && (ch = getc_unlocked(c->f)) == bom[n])
        n++;
    if (n == 3)
        return;
    ungetc(ch, c->f);
    while (n--)
        ungetc(bom[n], c->f); /* the C library takes back as many */
}

int csv_next(struct csv *c, struct err *e)
{
    if (c->line == 1 && !c->row_line)
        skip_bom(c);
    for (;;) {
        int end = ',';
        buf_reset(&c->row);
        c->n = 0;
        c->row_line = c->line;
        while (end == ',')
            if (field(c, &end, e))
                return -1;
        if (ferror(c->f))
            return err_set(e, ERR_INVALID, "could not read %s: %s", c->path,
                           gzfile_why(errno));
        c->line += end == '\n';
        if (c->n > 1 || *csv_field(c, 0))
            return 1;
        if (end == EOF) {
            c->n = 0;
            return 0;
        }
    }
}

void csv_header(struct csv *c)
{
    c->header = xcalloc(c->n, sizeof *c->header);
    c->n_header = c->n;
    for (size_t i = 0; i < c->n; i++)
        c->header[i] = xstrdup(csv_field(c, i));
}

int csv_column(const struct csv *c, const char *name)
{
    for (size_t i = 0; i < c->n_header; i++)
        if (!strcasecmp(c->header[i], name))
            return (int)i;
    return -1;
}

const char *csv_column_name(const struct csv *c, size_t i)
{
    return i < c->n_header ? c->header[i] : "";
}

/* 0 and *out, infinite where no double is so large; or -1. */
static int to_real(const char *s, double *out)
{
    static const char *const missing[] = {"", "na", "nan", "null", "none"};
    for (size_t i = 0; i < sizeof missing / sizeof *missing; i++)
        if (!strcasecmp(s, missing[i]))
            return *out = NAN, 0;
    if (s[strspn(s, "0123456789+-.eE ")]) /* not hexadecimal, not "inf" */
        return -1;
    char *end;
    *out = strtod(s, &end);
    return end == s || end[strspn(end, " ")] ? -1 : 0;
}

bool csv_is_real(const struct csv *c, size_t i)
{
    double x;
    return !to_real(csv_field(c, i), &x);
}

int csv_real(const struct csv *c, size_t i, double *out, struct err *e)
{
    if (to_real(csv_field(c, i), out))
        return csv_refuse(c, i, e, "\"%.60s\" is not a number", csv_field(c, i));
    if (fabs(*out) > READING_VALUE_MAX)
        return csv_refuse(c, i, e, "\"%.60s\" is larger than %g", csv_field(c, i),
                          READING_VALUE_MAX);
    return 0;
}

int csv_time(const struct csv *c, size_t i, int64_t *t_ms, struct err *e)
{
    const char *s = csv_field(c, i);
    struct err why = ERR_INIT;
    char utc[64];
    if (!clock_parse(s, "time", t_ms, &why))
        return 0;
    snprintf(utc, sizeof utc, "%.40sZ", s);
    if (strlen(s) == 10) /* a day alone */
        snprintf(utc, sizeof utc, "%.10sT00:00:00Z", s);
    if (strlen(utc) > 10 && utc[10] == ' ')
        utc[10] = 'T';
    if (!clock_parse(utc, "time", t_ms, &why))
        return 0;
    return csv_refuse(c, i, e,
                      "\"%.60s\" is not a time: one is 2026-01-31T14:00:00Z, or epoch "
                      "seconds or milliseconds",
                      s);
}

void csv_add(struct buf *b, const char *field)
{
    if (!field[strcspn(field, ",\"\r\n")]) {
        buf_adds(b, field);
        return;
    }
    buf_addc(b, '"');
    for (; *field; field++)
        buf_adds(b, *field == '"' ? "\"\"" : (char[]){*field, '\0'});
    buf_addc(b, '"');
}
