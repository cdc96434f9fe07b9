/* SPDX-License-Identifier: GPL-3.0-or-later */
/* series_wide: a series per row: its name, then its hours; empty cells at the end. The
 * first row is a header if its second cell is no number. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/mem.h"
#include "tools/series_work.h"

static int one_row(const struct csv *c, int64_t start_s, struct seen *seen,
                   struct input_series *out, struct err *e)
{
    size_t n = csv_fields(c);
    while (n > 1 && !*csv_field(c, n - 1))
        n--;
    const char *name = csv_field(c, 0);
    if (!*name || strlen(name) > SERIES_NAME_MAX)
        return csv_refuse(c, 0, e, "a series' name has 1 to %d bytes", SERIES_NAME_MAX);
    if (seen_add(seen, name))
        return csv_refuse(c, 0, e, "series \"%.60s\" has a row already", name);
    if (n > 1 && hours_init(&out->h, start_s, n - 1, e))
        return csv_refuse(c, n - 1, e, "%s", strdupa(e->text));
    for (size_t i = 1; i < n; i++) {
        double y;
        if (csv_real(c, i, &y, e)) {
            hours_done(&out->h);
            return -1;
        }
        out->h.y[i - 1] = 0 + y; /* -0 is 0 */
    }
    out->name = xstrdup(name);
    return 1;
}

static bool names(const struct csv *c, const char *column)
{
    size_t i = 0;
    while (i < csv_fields(c) && strcasecmp(csv_field(c, i), column))
        i++;
    return i < csv_fields(c);
}

/* Is the first row a header? 1, 0; -1 where it is that of another form of file, of which
 * each row would be refused by itself. */
static int is_header(const struct series *s, struct err *e)
{
    const struct csv *c = s->c;
    const char *file = input_file_name(s->f);
    if (csv_fields(c) == 1 && strpbrk(csv_field(c, 0), ";\t"))
        return err_set(e, ERR_INVALID,
                       "%.100s, line %zu: columns must be separated by commas", file,
                       csv_line(c));
    if (names(c, "value") && (names(c, "time") || names(c, "timestamp")))
        return err_set(e, ERR_INVALID,
                       "%.100s, line %zu: this looks like a long file: leave out --wide",
                       file, csv_line(c));
    return csv_fields(c) > 1 && !csv_is_real(c, 1);
}

int wide_next(struct series *s, struct input_series *out, struct err *e)
{
    int got;
    *out = (struct input_series){0};
    while ((got = csv_next(s->c, e)) == 1) {
        if (!s->rows++ && (got = is_header(s, e))) {
            if (got < 0)
                return -1;
            continue;
        }
        if (s->rows > SERIES_FILE_MAX + 1)
            return csv_refuse(s->c, 0, e, "there are more than %d series",
                              SERIES_FILE_MAX);
        return one_row(s->c, s->f->start_s, &s->seen, out, e);
    }
    return got;
}

int wide_check(struct series *s, struct err *e)
{
    struct input_series one;
    int got;
    s->rows = s->count = 0;
    while ((got = wide_next(s, &one, e)) == 1) {
        input_series_done(&one);
        s->count++;
    }
    return got;
}
