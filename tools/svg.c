/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tools/svg.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include "common/plain.h"

#define LETTER 0.55 /* width of one, as a share of its size */

static const struct {
    const char *name, *style;
} classes[N_SVG_CLASSES] = {
    [SVG_MEASURED] = {"measured", "stroke:#222;stroke-width:1.3"},
    [SVG_FORECAST] = {"forecast", "stroke:#0072b2;stroke-width:2.4"},
    [SVG_BEST] = {"best", "stroke:#009e73;stroke-width:1.8;stroke-dasharray:9 3"},
    [SVG_SEASONAL] = {"seasonal", "stroke:#e69f00;stroke-width:1.8;stroke-dasharray:2 3"},
    [SVG_PERSISTENCE] = {"persistence",
                         "stroke:#d55e00;stroke-width:1.8;stroke-dasharray:5 3"},
    [SVG_OTHER] = {"other", "stroke:#c8c8c8;stroke-width:.9"},
};

/* ---- text ---- */

/* At most `most` characters, then an ellipsis. */
static void put_text(FILE *f, const char *text, size_t most)
{
    char shown[PLAIN_CHAR_SIZE];
    for (size_t n = 0; *text; n++) {
        if (n == most) {
            fputs("…", f);
            return;
        }
        text += plain_char(text, shown);
        switch (*shown) {
        case '&':
            fputs("&amp;", f);
            break;
        case '<':
            fputs("&lt;", f);
            break;
        case '>':
            fputs("&gt;", f);
            break;
        case '"':
            fputs("&quot;", f);
            break;
        default:
            fputs(shown, f);
        }
    }
}

static size_t letters(const char *text)
{
    char shown[PLAIN_CHAR_SIZE];
    size_t n = 0;
    for (; *text; n++)
        text += plain_char(text, shown);
    return n;
}

void svg_text(struct svg *s, double x, double y, const char *anchor, double size,
              int bold, size_t most, const char *text)
{
    if (!*text)
        return;
    fprintf(s->f, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\" font-size=\"%g\"%s>", x,
            y, anchor, size, bold ? " font-weight=\"bold\"" : "");
    if (letters(text) > most) {
        fputs("<title>", s->f);
        put_text(s->f, text, (size_t)-1);
        fputs("</title>", s->f);
    }
    put_text(s->f, text, most);
    fputs("</text>\n", s->f);
}

double svg_legend(struct svg *s, double x, double y, enum svg_class c, const char *text)
{
    fprintf(s->f, "<path class=\"%s\" d=\"M%.1f %.1fh26\"/>\n", classes[c].name, x,
            y - 4);
    svg_text(s, x + 32, y, "start", 12, 0, 200, text);
    return x + 32 + LETTER * 12 * (double)letters(text) + 22;
}

double svg_legend_band(struct svg *s, double x, double y, const char *text)
{
    fprintf(s->f,
            "<rect class=\"band\" x=\"%.1f\" y=\"%.1f\" width=\"26\" height=\"11\"/>\n",
            x, y - 10);
    svg_text(s, x + 32, y, "start", 12, 0, 200, text);
    return x + 32 + LETTER * 12 * (double)letters(text) + 22;
}

/* ---- the chart ---- */

int svg_open(struct svg *s, const char *path, double width, double height,
             const char *title, struct err *e)
{
    *s = (struct svg){.path = path};
    s->f = strcmp(path, "-") ? fopen(path, "we") : stdout;
    if (!s->f)
        return err_set(e, ERR_INVALID, "could not write %.100s: %s", path,
                       strerror(errno));
    fprintf(s->f,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%.0f\" height=\"%.0f\" "
            "viewBox=\"0 0 %.0f %.0f\" font-family=\"Helvetica, Arial, 'Liberation "
            "Sans', 'DejaVu Sans', sans-serif\" fill=\"#222\">\n<title>",
            width, height, width, height);
    put_text(s->f, title, 200);
    fputs("</title>\n<style>path{fill:none;stroke-linejoin:round}\n", s->f);
    for (size_t c = 0; c < N_SVG_CLASSES; c++)
        fprintf(s->f, ".%s{%s}\n", classes[c].name, classes[c].style);
    fputs(".dot{fill:#222}.band{fill:#56b4e9;fill-opacity:.35;stroke:none}\n"
          ".grid{stroke:#e4e4e4;stroke-width:1}.mark{stroke:#888;stroke-width:1;"
          "stroke-dasharray:3 3}\n.axis{stroke:#888;stroke-width:1}</style>\n"
          "<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n",
          s->f);
    return 0;
}

int svg_close(struct svg *s, struct err *e)
{
    fputs("</svg>\n", s->f);
    errno = 0; /* it may be of anything by now */
    int bad = fflush(s->f) || ferror(s->f);
    int why = errno ? errno : EIO;
    if (s->f != stdout && fclose(s->f)) {
        why = errno;
        bad = 1;
    }
    return bad ? err_set(e, ERR_INVALID, "could not write %.100s: %s", s->path,
                         strerror(why))
               : 0;
}

/* ---- panels ---- */

/* Within what a renderer can count, whatever the value. */
static double to_x(const struct svg_panel *p, double x)
{
    double share = (x - p->left) / (p->right - p->left);
    return p->x + p->width * fmin(fmax(share, -9), 9);
}

static double to_y(const struct svg_panel *p, double y)
{
    double share = (y - p->bottom) / (p->top - p->bottom);
    return p->y + p->height * (1 - fmin(fmax(share, -9), 9));
}

void svg_panel_begin(struct svg *s, const struct svg_panel *p, const struct axis *x,
                     const struct axis *y)
{
    double right = p->x + p->width, bottom = p->y + p->height;
    fprintf(s->f,
            "<clipPath id=\"p%u\"><rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" "
            "height=\"%.1f\"/></clipPath>\n",
            s->panels, p->x, p->y, p->width, p->height);
    for (size_t i = 0; i < y->n; i++) {
        double at = to_y(p, y->at[i]);
        fprintf(s->f, "<path class=\"grid\" d=\"M%.1f %.1fH%.1f\"/>\n", p->x, at, right);
        svg_text(s, p->x - 6, at + 4, "end", 11, 0, AXIS_LABEL_SIZE, y->label[i]);
    }
    for (size_t i = 0; i < x->n; i++) {
        double at = to_x(p, x->at[i]);
        fprintf(s->f, "<path class=\"grid\" d=\"M%.1f %.1fV%.1f\"/>\n", at, p->y, bottom);
        fprintf(s->f, "<path class=\"axis\" d=\"M%.1f %.1fv4\"/>\n", at, bottom);
        svg_text(s, at, bottom + 16, "middle", 11, 0, AXIS_LABEL_SIZE, x->label[i]);
    }
    fprintf(s->f, "<path class=\"axis\" d=\"M%.1f %.1fV%.1fH%.1f\"/>\n", p->x, p->y,
            bottom, right);
    fprintf(s->f, "<g clip-path=\"url(#p%u)\">\n", s->panels++);
}

void svg_panel_end(struct svg *s)
{
    fputs("</g>\n", s->f);
}

void svg_curve(struct svg *s, const struct svg_panel *p, enum svg_class c, size_t n,
               const double *x, const double *y)
{
    size_t run = 0;
    fprintf(s->f, "<path class=\"%s\" d=\"", classes[c].name);
    for (size_t i = 0; i < n; i++) {
        run = isfinite(y[i]) ? run + 1 : 0;
        if (run)
            fprintf(s->f, "%s%.1f %.1f", run == 1 ? "M" : "L", to_x(p, x[i]),
                    to_y(p, y[i]));
    }
    fputs("\"/>\n", s->f);
    for (size_t i = 0; i < n; i++) /* a value alone is no line */
        if (isfinite(y[i]) && (!i || !isfinite(y[i - 1])) &&
            (i + 1 == n || !isfinite(y[i + 1])))
            fprintf(s->f, "<circle class=\"dot\" cx=\"%.1f\" cy=\"%.1f\" r=\"1.6\"/>\n",
                    to_x(p, x[i]), to_y(p, y[i]));
}

/* From i on where both bounds are known; returns where that ends. */
static size_t band_piece(struct svg *s, const struct svg_panel *p, size_t i, size_t n,
                         const double *x, const double *lower, const double *upper)
{
    size_t end = i;
    while (end < n && isfinite(lower[end]) && isfinite(upper[end]))
        end++;
    if (end == i)
        return i + 1;
    fputs("<path class=\"band\" d=\"", s->f);
    for (size_t k = i; k < end; k++)
        fprintf(s->f, "%s%.1f %.1f", k == i ? "M" : "L", to_x(p, x[k]),
                to_y(p, upper[k]));
    for (size_t k = end; k-- > i;)
        fprintf(s->f, "L%.1f %.1f", to_x(p, x[k]), to_y(p, lower[k]));
    fputs("Z\"/>\n", s->f);
    return end;
}

void svg_band(struct svg *s, const struct svg_panel *p, size_t n, const double *x,
              const double *lower, const double *upper)
{
    for (size_t i = 0; i < n;)
        i = band_piece(s, p, i, n, x, lower, upper);
}

void svg_mark(struct svg *s, const struct svg_panel *p, double x)
{
    fprintf(s->f, "<path class=\"mark\" d=\"M%.1f %.1fV%.1f\"/>\n", to_x(p, x), p->y,
            p->y + p->height);
}
