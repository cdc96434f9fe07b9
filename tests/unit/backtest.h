/* SPDX-License-Identifier: GPL-3.0-or-later */
/* backtest: the subcommand on made-up series, and what it wrote. */
#ifndef FC_TESTS_BACKTEST_H
#define FC_TESTS_BACKTEST_H

#include "tests/unit/subcommand.h"

#include <jansson.h>

#include "common/ml/candidates.h"
#include "tests/unit/near.h"
#include "tools/backtest.h"
#include "tools/csv.h"

#define RUN(...) run(backtest_main, (const char *const[]){__VA_ARGS__, NULL})

/* Hour i of series s: a day and noise. */
static inline double value(int s, int i)
{
    return 20 + s + 5 * sin(2 * M_PI * i / 24) + (i * 7919 % 101) / 50.0;
}

/* Series s0, s1, ... as rows of values; one hour of each may be missing (-1: none). */
static inline void write_wide(int n_series, int hours, int missing_at)
{
    FILE *f = open_input();
    for (int s = 0; s < n_series; s++) {
        fprintf(f, "s%d", s);
        for (int i = 0; i < hours; i++)
            if (i == missing_at)
                fprintf(f, ",");
            else
                fprintf(f, ",%.3f", value(s, i));
        fprintf(f, "\n");
    }
    fclose(f);
}

/* A young series, in an hour of which nothing is measured now and then: rows of
 * time,value up to `hours`. */
static inline void write_young(int hours, int missing_every)
{
    FILE *f = open_input();
    fprintf(f, "time,value\n");
    for (int i = 0; i < hours; i++)
        if (missing_every == 0 || i % missing_every != missing_every - 2)
            fprintf(f, "%d,%.3f\n", 3600 * (500000 + i), value(0, i));
    fclose(f);
}

/* Rows of one candidate: lead and yhat, as text. */
static inline size_t rows_of(const char *path, const char *candidate, size_t column,
                             char (*out)[40], size_t max)
{
    struct err e = ERR_INIT;
    struct csv *c = csv_open(path, &e);
    size_t n = 0;
    while (csv_next(c, &e) == 1)
        if ((!candidate || !strcmp(csv_field(c, 1), candidate)) && n < max)
            snprintf(out[n++], sizeof *out, "%.20s", csv_field(c, column));
    csv_close(c);
    return n;
}

/* A candidate of the only series, of what --json printed. */
static inline json_t *candidate_of(const char *name)
{
    json_t *doc = json_load_file(out_path, 0, NULL), *found = NULL, *f;
    json_t *one = json_array_get(json_object_get(doc, "series"), 0);
    size_t at;
    json_array_foreach(json_object_get(one, "candidates"), at, f)
    {
        if (!strcmp(json_string_value(json_object_get(f, "name")), name))
            found = json_incref(f);
    }
    json_decref(doc);
    assert_non_null(found);
    return found;
}

#endif
