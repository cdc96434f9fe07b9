/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tools/backtest_input.h"

#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "common/ml/system0.h"
#include "common/plain.h"
#include "tools/csv.h"

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
            m->name[k] = plain_utf8(csv_field(c, k < (size_t)time ? k : k + 1));
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
