/* SPDX-License-Identifier: GPL-3.0-or-later */
/* svg: charts as SVG text: panels with axes, curves, bands.
 *
 * A chart is written as it is drawn; nothing of it is kept. Text from outside is escaped,
 * and what no XML may hold is shown as \x1b. Curves end where a value is NaN and go on
 * behind it. One thread at a time. */
#ifndef FC_TOOLS_SVG_H
#define FC_TOOLS_SVG_H

#include <stddef.h>
#include <stdio.h>

#include "common/err.h"
#include "tools/axis.h"

/* Classes of curves: each looks different without colour, too. By what they are; the
 * colours are those of Okabe and Ito, which colour-blind people tell apart. */
enum svg_class {
    SVG_MEASURED,    /* black, thin */
    SVG_FORECAST,    /* blue, thick */
    SVG_BEST,        /* green, long dashes */
    SVG_SEASONAL,    /* orange, dots */
    SVG_PERSISTENCE, /* red, short dashes */
    SVG_OTHER,       /* light grey, thin */
    N_SVG_CLASSES
};

struct svg {
    FILE *f;
    const char *path; /* borrowed */
    unsigned panels;
};

/* Opens the file ("-": standard output) and begins a chart of that size. */
int svg_open(struct svg *s, const char *path, double width, double height,
             const char *title, struct err *e) MUST_CHECK;
/* Fails when something could not be written. */
int svg_close(struct svg *s, struct err *e) MUST_CHECK;

/* anchor: "start", "middle", "end". size in px; bold for headings. Longer than `most`
 * characters it is cut and the whole of it is a tooltip. */
void svg_text(struct svg *s, double x, double y, const char *anchor, double size,
              int bold, size_t most, const char *text);

/* An entry of a legend that begins at x; returns where the next may begin. */
double svg_legend(struct svg *s, double x, double y, enum svg_class c, const char *text);
double svg_legend_band(struct svg *s, double x, double y, const char *text);

/* A rectangle in which curves are drawn. */
struct svg_panel {
    double x, y, width, height;      /* of the drawing, px; labels are outside it */
    double left, right, bottom, top; /* in values */
};
/* Frame, grid, ticks and their labels; then curves, until svg_panel_end(). */
void svg_panel_begin(struct svg *s, const struct svg_panel *p, const struct axis *x,
                     const struct axis *y);
void svg_panel_end(struct svg *s);

void svg_curve(struct svg *s, const struct svg_panel *p, enum svg_class c, size_t n,
               const double *x, const double *y);
void svg_band(struct svg *s, const struct svg_panel *p, size_t n, const double *x,
              const double *lower, const double *upper);
void svg_mark(struct svg *s, const struct svg_panel *p, double x); /* a vertical line */

#endif
