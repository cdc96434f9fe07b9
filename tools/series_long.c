/* SPDX-License-Identifier: GPL-3.0-or-later */
/* series_long: a header with time (or timestamp), value and perhaps series; a value a
 * row.
 */
#include <math.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/clock.h"
#include "common/mem.h"
#include "tools/series_work.h"

/* How much of a name of n bytes stands before the extension, if it has that. */
static size_t without(const char *name, size_t n, const char *extension)
{
    size_t m = strlen(extension);
    return n > m && !strncasecmp(name + n - m, extension, m) ? n - m : n;
}

/* "data/kitchen.temperature.csv.gz" -> "kitchen.temperature" */
static char *name_from_path(const char *path)
{
    if (!strcmp(path, "-"))
        return xstrdup("series");
    const char *slash = strrchr(path, '/'), *base = slash ? slash + 1 : path;
    size_t n = without(base, strlen(base), ".gz");
    n = without(base, without(base, n, ".txt"), ".csv");
    return xstrndup(base, n > SERIES_NAME_MAX ? SERIES_NAME_MAX : n);
}

/* A column by its name; which of two would be meant nobody knows. */
static int column(const struct series *s, const char *name, int *at, struct err *e)
{
    *at = csv_column(s->c, name);
    for (size_t i = (size_t)*at + 1; *at >= 0 && i < csv_fields(s->c); i++)
        if (!strcasecmp(csv_field(s->c, i), name))
            return csv_refuse(s->c, i, e, "the header names it twice");
    return 0;
}

int long_begin(struct series *s, struct err *e)
{
    struct csv *c = s->c;
    int rc = csv_next(c, e);
    if (rc < 0)
        return -1;
    if (!rc)
        return err_set(e, ERR_INVALID, "the file is empty: %.100s",
                       input_file_name(s->f));
    csv_header(c);
    if (column(s, "series", &s->series, e) || column(s, "time", &s->time, e) ||
        (s->time < 0 && column(s, "timestamp", &s->time, e)) ||
        column(s, "value", &s->value, e))
        return -1;
    s->columns = csv_fields(c);
    s->begun = false;
    s->rows = 0;
    if (!s->own_name)
        s->own_name = name_from_path(s->f->path);
    if (s->time < 0 || s->value < 0)
        return err_set(
            e, ERR_INVALID,
            "%.100s, line %zu: the header must name the columns time (or timestamp) and "
            "value, and may name series: it begins with \"%.40s\"%s",
            input_file_name(s->f), csv_line(c), csv_field(c, 0),
            strpbrk(csv_field(c, 0), ";\t") ? "; columns must be separated by commas"
            : s->time >= 0 && s->columns > 1
                ? "; a file with a column per series has to be made one with a row per "
                  "value first"
            : s->columns > 3 ? "; a file with a series per row is read with --wide"
                             : "");
    return 0;
}

/* A comma too many is most often a decimal one; a row cut short, a file. */
static int check_fields(const struct series *s, struct err *e)
{
    const struct csv *c = s->c;
    size_t n = csv_fields(c), need = (size_t)(s->time > s->value ? s->time : s->value);
    while (n > s->columns && !*csv_field(c, n - 1))
        n--;
    if (n <= s->columns && n > need)
        return 0;
    return csv_refuse(c, n > s->columns ? s->columns : n - 1, e,
                      "the header has %zu columns, this row %zu%s", s->columns, n,
                      n > s->columns ? " (the decimal sign is a point)" : "");
}

/* The next row: 1, 0 at the end, -1. *name is valid until the next call. */
static int next_row(struct series *s, const char **name, int64_t *t_ms, double *value,
                    struct err *e)
{
    struct csv *c = s->c;
    int got = csv_next(c, e);
    if (got != 1)
        return got;
    if (check_fields(s, e) || csv_time(c, (size_t)s->time, t_ms, e) ||
        csv_real(c, (size_t)s->value, value, e))
        return -1;
    *name = s->series < 0 ? s->own_name : csv_field(c, (size_t)s->series);
    if (!**name || strlen(*name) > SERIES_NAME_MAX)
        return csv_refuse(c, (size_t)s->series, e, "a series' name has 1 to %d bytes",
                          SERIES_NAME_MAX);
    s->rows++;
    return 1;
}

static int too_many(const struct series *s, struct err *e)
{
    return csv_refuse(s->c, (size_t)s->series, e, "there are more than %d series",
                      SERIES_FILE_MAX);
}

static int too_far(const struct series *s, const struct gather *g, const char *name,
                   int64_t t_ms, struct err *e)
{
    long long hour_s = clock_hour_floor(t_ms) / 1000;
    long long last_s = g->first_s + ((long long)g->n - 1) * 3600;
    long long from_s = hour_s < g->first_s ? hour_s : g->first_s;
    long long to_s = hour_s > last_s ? hour_s : last_s;
    if (!g->n)
        return csv_refuse(s->c, (size_t)s->time, e,
                          "\"%.40s\" is not a time of the years 1970 to 9999",
                          csv_field(s->c, (size_t)s->time));
    return csv_refuse(s->c, (size_t)s->time, e,
                      "series \"%.60s\": a series must have 1 to %d hours, not %lld",
                      name, HOURS_MAX, (to_s - from_s) / 3600 + 1);
}

/* ---- the first reading ---- */

/* As gather_add(), without the values. */
static void span(struct gather *g, int64_t t_ms)
{
    int64_t hour_s = clock_hour_floor(t_ms) / 1000;
    int64_t last_s = g->n ? g->first_s + (int64_t)(g->n - 1) * 3600 : hour_s;
    g->first_s = g->n && g->first_s < hour_s ? g->first_s : hour_s;
    g->n = (size_t)((hour_s > last_s ? hour_s : last_s) - g->first_s) / 3600 + 1;
}

int long_check(struct series *s, struct err *e)
{
    struct gather g = {0};
    const char *name;
    int64_t t_ms;
    double value;
    int got;
    s->together = true;
    *s->name = '\0';
    while ((got = next_row(s, &name, &t_ms, &value, e)) == 1) {
        if (strcmp(name, s->name)) {
            if (seen_add(&s->seen, name))
                s->together = false;
            if (s->seen.n > SERIES_FILE_MAX)
                return too_many(s, e);
            strcpy(s->name, name);
            g = (struct gather){0};
        }
        if (s->together && isfinite(value)) {
            if (gather_fits(&g, t_ms))
                return too_far(s, &g, name, t_ms, e);
            span(&g, t_ms);
        }
    }
    s->count = s->seen.n;
    return got;
}

/* ---- one series at a time ---- */

int long_next(struct series *s, struct input_series *out, struct err *e)
{
    struct gather g = {0};
    const char *name = s->name;
    int got = 1;
    *out = (struct input_series){0};
    while (s->begun || (got = next_row(s, &name, &s->row.t_ms, &s->row.value, e)) == 1) {
        if (!s->begun && (!out->name || strcmp(name, s->name))) {
            s->begun = true; /* perhaps of the next series: later, then */
            if (s->series >= 0 && seen_add(&s->seen, name)) {
                got = csv_refuse(s->c, (size_t)s->series, e,
                                 "series \"%.60s\" has rows further above, too: not "
                                 "with --grouped",
                                 name);
                break;
            }
            strcpy(s->name, name);
            if (out->name)
                break;
        }
        if (!out->name)
            out->name = xstrdup(s->name);
        s->begun = false;
        if (!isfinite(s->row.value))
            continue;
        if (gather_fits(&g, s->row.t_ms)) {
            got = too_far(s, &g, s->name, s->row.t_ms, e);
            break;
        }
        gather_add(&g, s->row.t_ms, s->row.value);
    }
    gather_take(&g, &out->h);
    if (got < 0)
        input_series_done(out);
    return got < 0 ? -1 : out->name ? 1 : 0;
}

/* ---- all of them ---- */

struct kept {
    char *name; /* owned */
    struct gather g;
};

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct kept *)a)->name, ((const struct kept *)b)->name);
}

struct loading {
    struct kept **k; /* owned, in the order of the file */
    size_t n, cap, hours;
    void *tree; /* by name */
};

static struct kept *kept_of(struct loading *l, const char *name)
{
    struct kept key = {.name = (char *)name}, **found = tfind(&key, &l->tree, by_name);
    if (found)
        return *found;
    if (l->n == SERIES_FILE_MAX)
        return NULL;
    if (l->n == l->cap) {
        l->cap = l->cap ? 2 * l->cap : 64;
        l->k = xrealloc(l->k, l->cap * sizeof(struct kept *));
    }
    struct kept *k = xcalloc(1, sizeof *k);
    k->name = xstrdup(name);
    xtsearch(k, &l->tree, by_name);
    return l->k[l->n++] = k;
}

static int keep_row(struct series *s, struct loading *l, struct kept *k, int64_t t_ms,
                    double value, struct err *e)
{
    size_t before = k->g.cap;
    if (gather_fits(&k->g, t_ms))
        return too_far(s, &k->g, k->name, t_ms, e);
    if (l->hours > SERIES_KEPT_MAX)
        return csv_refuse(s->c, 0, e,
                          "%zu series have more than %u hours in all, too many to keep: "
                          "sort the file by series, then one at a time is",
                          l->n, SERIES_KEPT_MAX);
    gather_add(&k->g, t_ms, value);
    l->hours += k->g.cap - before;
    return 0;
}

static void move_all(struct series *s, struct loading *l, bool good)
{
    s->all = good ? xcalloc(l->n + 1, sizeof *s->all) : NULL;
    for (size_t i = 0; i < l->n; i++) {
        struct kept *k = l->k[i];
        tdelete(k, &l->tree, by_name);
        if (good) {
            gather_take(&k->g, &s->all[i].h);
            s->all[i].name = k->name;
        } else {
            gather_done(&k->g);
            free(k->name);
        }
        free(k);
    }
    s->count = s->n_all = good ? l->n : 0;
    free(l->k);
}

int long_load(struct series *s, struct err *e)
{
    struct loading l = {0};
    struct kept *k = NULL;
    const char *name;
    int64_t t_ms;
    double value;
    int got;
    while ((got = next_row(s, &name, &t_ms, &value, e)) == 1) {
        if (!k || strcmp(k->name, name))
            k = kept_of(&l, name);
        if (!k || (isfinite(value) && keep_row(s, &l, k, t_ms, value, e))) {
            got = k ? -1 : too_many(s, e);
            break;
        }
    }
    move_all(s, &l, !got);
    return got;
}
