/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tools/backtest_input.h"

#include <math.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/mem.h"
#include "common/ml/system0.h"
#include "tools/csv.h"

/* ---- long form ---- */

struct point {
    int64_t hour_s;
    double value;
};

struct collect {
    char *name; /* owned until it moves to the series */
    struct point *p;
    size_t n, cap, index;
};

struct collection {
    struct collect **c; /* owned */
    size_t n, rows;
    void *tree; /* by name */
};

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct collect *)a)->name, ((const struct collect *)b)->name);
}

static struct collect *series_of(struct collection *all, const char *name)
{
    struct collect key = {.name = (char *)name},
                   **found = tfind(&key, &all->tree, by_name);
    if (found)
        return *found;
    if (all->n == INPUT_SERIES_MAX)
        return NULL;
    struct collect *c = xcalloc(1, sizeof *c);
    c->name = xstrdup(name);
    tsearch(c, &all->tree, by_name);
    all->c = xrealloc(all->c, (all->n + 1) * sizeof *all->c);
    all->c[all->n++] = c;
    return c;
}

static void add_point(struct collect *c, int64_t hour_s, double value)
{
    if (c->n == c->cap) {
        c->cap = c->cap ? 2 * c->cap : 256;
        c->p = xrealloc(c->p, c->cap * sizeof *c->p);
    }
    c->p[c->n++] = (struct point){hour_s, value};
}

static void collection_done(struct collection *all)
{
    for (size_t i = 0; i < all->n; i++) {
        tdelete(all->c[i], &all->tree, by_name);
        free(all->c[i]->name);
        free(all->c[i]->p);
        free(all->c[i]);
    }
    free(all->c);
}

/* Means of the points by hour. */
static int to_hours(const struct collect *c, struct hours *h, struct err *e)
{
    if (!c->n)
        return 0;
    int64_t first = c->p[0].hour_s, last = first;
    for (size_t i = 1; i < c->n; i++) {
        first = c->p[i].hour_s < first ? c->p[i].hour_s : first;
        last = c->p[i].hour_s > last ? c->p[i].hour_s : last;
    }
    uint64_t n = (uint64_t)(last - first) / 3600 + 1;
    if (hours_init(h, first, n > HOURS_MAX ? HOURS_MAX + 1 : (size_t)n, e))
        return err_prefix(e, "series \"%.60s\"", c->name);
    size_t *count = xcalloc(h->n, sizeof *count);
    for (size_t i = 0; i < c->n; i++) {
        size_t k = (size_t)(c->p[i].hour_s - first) / 3600;
        h->y[k] = (count[k] ? h->y[k] : 0) + c->p[i].value;
        count[k]++;
    }
    for (size_t k = 0; k < h->n; k++)
        if (count[k])
            h->y[k] /= (double)count[k];
    free(count);
    return 0;
}

/* "data/kitchen.csv" -> "kitchen" */
static char *name_from_path(const char *path)
{
    if (!strcmp(path, "-"))
        return xstrdup("series");
    const char *slash = strrchr(path, '/');
    const char *base = slash ? slash + 1 : path;
    size_t n = strcspn(base, ".");
    return n ? xstrndup(base, n) : xstrdup(base);
}

static int long_columns(struct csv *c, int *series, int *time, int *value, struct err *e)
{
    int rc = csv_next(c, e);
    if (rc < 0)
        return -1;
    if (!rc)
        return err_set(e, ERR_INVALID, "the file is empty");
    csv_header(c);
    *series = csv_column(c, "series");
    *time = csv_column(c, "time");
    *time = *time < 0 ? csv_column(c, "timestamp") : *time;
    *value = csv_column(c, "value");
    if (*time < 0 || *value < 0)
        return err_set(
            e, ERR_INVALID,
            "the header must name the columns time (or timestamp) and value, and "
            "may name series: it begins with \"%.40s\"",
            csv_field(c, 0));
    return 0;
}

static int long_row(struct csv *c, int series, int time, int value, const char *name,
                    struct collection *all, struct err *e)
{
    int64_t t_ms;
    double y;
    if (csv_time(c, (size_t)time, &t_ms, e) || csv_real(c, (size_t)value, &y, e))
        return -1;
    if (series >= 0) {
        name = csv_field(c, (size_t)series);
        if (!*name || strlen(name) > 129)
            return csv_refuse(c, (size_t)series, e, "a series' name has 1 to 129 bytes");
    }
    if (++all->rows > INPUT_ROWS_MAX)
        return csv_refuse(c, 0, e, "at most %d rows are read", INPUT_ROWS_MAX);
    struct collect *s = series_of(all, name);
    if (!s)
        return csv_refuse(c, (size_t)series, e, "there are more than %d series",
                          INPUT_SERIES_MAX);
    if (isfinite(y))
        add_point(s, clock_hour_floor(t_ms) / 1000, y);
    return 0;
}

int input_long(const char *path, struct input *in, struct err *e)
{
    struct collection all = {0};
    char *name = name_from_path(path);
    int series = -1, time = -1, value = -1, rc = -1, got;
    *in = (struct input){0};
    struct csv *c = csv_open(path, e);
    if (!c || long_columns(c, &series, &time, &value, e))
        goto out;
    while ((got = csv_next(c, e)) == 1)
        if (long_row(c, series, time, value, name, &all, e))
            goto out;
    if (got < 0)
        goto out;
    in->s = xcalloc(all.n + 1, sizeof *in->s);
    for (; in->n < all.n; in->n++) {
        in->s[in->n].name = xstrdup(all.c[in->n]->name);
        if (to_hours(all.c[in->n], &in->s[in->n].h, e)) {
            free(in->s[in->n].name);
            goto out;
        }
    }
    rc = 0;
out:
    if (rc)
        input_done(in);
    collection_done(&all);
    csv_close(c);
    free(name);
    return rc;
}

/* ---- options ---- */

int input_file_check(struct input_file *f, const char *operand, struct err *e)
{
    int64_t t_ms = 0;
    if (operand && f->path)
        return err_set(e, ERR_INVALID, "give the file once: --input %.40s or %.40s",
                       f->path, operand);
    f->path = operand ? operand : f->path ? f->path : "-";
    if (f->freq && strcmp(f->freq, "1h"))
        return err_set(e, ERR_INVALID, "--freq must be 1h, not %.40s: models are hourly",
                       f->freq);
    if (f->start && !f->wide)
        return err_set(e, ERR_INVALID, "--start is for --wide: other files carry times");
    if (f->start && clock_parse(f->start, "--start", &t_ms, e))
        return -1;
    if (t_ms < 0 || t_ms % HOUR_MS)
        return err_set(e, ERR_INVALID, "--start must be a whole hour from 1970 on");
    f->start_s = t_ms / 1000;
    return 0;
}

int input_read(const struct input_file *f, struct input *in, struct err *e)
{
    return f->wide ? input_wide(f->path, f->start_s, in, e) : input_long(f->path, in, e);
}

/* ---- wide form ---- */

static int wide_row(struct csv *c, int64_t start_s, struct input_series *s, struct err *e)
{
    size_t n = csv_fields(c);
    while (n > 1 && !*csv_field(c, n - 1))
        n--;
    if (!*csv_field(c, 0) || strlen(csv_field(c, 0)) > 129)
        return csv_refuse(c, 0, e, "a series' name has 1 to 129 bytes");
    s->h = (struct hours){0};
    if (n > 1 && hours_init(&s->h, start_s, n - 1, e))
        return csv_refuse(c, n - 1, e, "%s", strdupa(e->text));
    for (size_t i = 1; i < n; i++) {
        double y;
        if (csv_real(c, i, &y, e)) {
            hours_done(&s->h);
            return -1;
        }
        s->h.y[i - 1] = y;
    }
    s->name = xstrdup(csv_field(c, 0));
    return 0;
}

int input_wide(const char *path, int64_t start_s, struct input *in, struct err *e)
{
    int got;
    size_t cap = 0, rows = 0;
    *in = (struct input){0};
    struct csv *c = csv_open(path, e);
    if (!c)
        return -1;
    while ((got = csv_next(c, e)) == 1) {
        if (!rows++ && csv_fields(c) > 1 && !csv_is_real(c, 1))
            continue; /* a header */
        if (in->n == INPUT_SERIES_MAX) {
            got = csv_refuse(c, 0, e, "there are more than %d series", INPUT_SERIES_MAX);
            break;
        }
        if (in->n == cap) {
            cap = cap ? 2 * cap : 64;
            in->s = xrealloc(in->s, cap * sizeof *in->s);
        }
        if ((got = wide_row(c, start_s, &in->s[in->n], e)))
            break;
        in->n++;
    }
    csv_close(c);
    if (got < 0)
        input_done(in);
    return got < 0 ? -1 : 0;
}

void input_done(struct input *in)
{
    for (size_t i = 0; i < in->n; i++) {
        free(in->s[i].name);
        hours_done(&in->s[i].h);
    }
    free(in->s);
    *in = (struct input){0};
}

/* ---- minutes ---- */

static int minute_row(struct csv *c, size_t time, struct minutes *m, size_t *cap,
                      struct err *e)
{
    int64_t t_ms;
    if (csv_fields(c) != m->columns + 1)
        return csv_refuse(c, csv_fields(c) - 1, e,
                          "the header has %zu columns, this row %zu", m->columns + 1,
                          csv_fields(c));
    if (m->n == SYSTEM0_MAX_MINUTES)
        return csv_refuse(c, 0, e, "at most %d minutes are read", SYSTEM0_MAX_MINUTES);
    if (m->n == *cap) {
        *cap = *cap ? 2 * *cap : 4096;
        m->t_s = xrealloc(m->t_s, *cap * sizeof *m->t_s);
        for (size_t k = 0; k < m->columns; k++)
            m->y[k] = xrealloc(m->y[k], *cap * sizeof **m->y);
    }
    if (csv_time(c, time, &t_ms, e))
        return -1;
    m->t_s[m->n] = t_ms / 1000 - (t_ms % 1000 < 0);
    if (m->n && m->t_s[m->n] <= m->t_s[m->n - 1])
        return csv_refuse(c, time, e, "times must increase");
    for (size_t k = 0; k < m->columns; k++)
        if (csv_real(c, k < time ? k : k + 1, &m->y[k][m->n], e))
            return -1;
    m->n++;
    return 0;
}

int input_minutes(const char *path, struct minutes *m, struct err *e)
{
    size_t cap = 0;
    int got, time = -1;
    *m = (struct minutes){0};
    struct csv *c = csv_open(path, e);
    if (!c)
        return -1;
    got = csv_next(c, e);
    if (got == 1) {
        csv_header(c);
        time = csv_column(c, "time");
        if (time < 0 || csv_fields(c) < 2) {
            got = err_set(
                e, ERR_INVALID,
                "%.100s: the header must name the column time and at least one of "
                "values",
                path);
            goto out;
        }
        m->columns = csv_fields(c) - 1;
        m->name = xcalloc(m->columns, sizeof *m->name);
        m->y = xcalloc(m->columns, sizeof *m->y);
        for (size_t k = 0; k < m->columns; k++)
            m->name[k] = xstrdup(csv_field(c, k < (size_t)time ? k : k + 1));
        while ((got = csv_next(c, e)) == 1)
            if ((got = minute_row(c, (size_t)time, m, &cap, e)))
                break;
    }
out:
    csv_close(c);
    if (got < 0)
        minutes_done(m);
    return got < 0 ? -1 : 0;
}

void minutes_done(struct minutes *m)
{
    for (size_t k = 0; k < m->columns; k++) {
        free(m->name[k]);
        free(m->y[k]);
    }
    free(m->name);
    free(m->y);
    free(m->t_s);
    *m = (struct minutes){0};
}
