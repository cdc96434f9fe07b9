/* SPDX-License-Identifier: GPL-3.0-or-later */
/* plot_forecast: what was measured, what is forecast and its band, a panel per series. */
#ifndef FC_TOOLS_PLOT_FORECAST_H
#define FC_TOOLS_PLOT_FORECAST_H

#include <stdbool.h>

#include "common/err.h"
#include "common/ml/dataset.h"
#include "common/ml/model.h"

#define PLOT_PANELS 12    /* at most; the chart says how many there would be */
#define PLOT_PAST_MAX 168 /* hours shown before a forecast */

struct plot_series {
    char *name; /* owned */
    int64_t end_s;
    size_t n_past, n; /* hours of both */
    double past[PLOT_PAST_MAX];
    struct forecast f[HORIZON_MAX];
};

/* Of h's end, n hours of forecast behind it. */
struct plot_series *plot_series_new(const char *name, const struct hours *h,
                                    const struct forecast *f, size_t n);
void plot_series_free(struct plot_series *s); /* NULL is fine */

struct plot {
    struct plot_series *s[PLOT_PANELS]; /* owned */
    size_t n, all;                      /* kept; how many there were */
    double level;                       /* 0.5..0.999 */
    bool no_times; /* a wide file without a start: hours from the origin are shown */
};

void plot_add(struct plot *p, struct plot_series *s); /* s is taken over */
/* path "-": standard output. */
int plot_write(const struct plot *p, const char *path, struct err *e) MUST_CHECK;
void plot_done(struct plot *p);

/* ---- what charts of panels have in common ---- */

/* A panel in a grid: of one, a large one; else two beside each other. */
struct plot_cell {
    double x, y, width, height; /* of the drawing */
};
struct plot_grid {
    size_t n, columns;
    double width, height; /* of the chart */
};
struct plot_grid plot_grid(size_t n);
struct plot_cell plot_cell(const struct plot_grid *g, size_t i);

/* "temperature in °C" for "kitchen.temperature"; "" where the unit is not known. */
const char *plot_unit(const char *series, char out[96]);

#endif
