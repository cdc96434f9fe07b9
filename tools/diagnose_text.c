/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "common/ml/pvalue.h"
#include "common/plain.h"
#include "tools/diagnose_work.h"

#define WIDTH 90
#define NUMBER_SIZE 32

/* Columns that a UTF-8 text takes: its characters; none of ours is a wide one. */
static size_t columns(const char *text, size_t len)
{
    size_t n = 0;
    for (size_t i = 0; i < len; i++)
        n += ((unsigned char)text[i] & 0xc0) != 0x80;
    return n;
}

void text_wrap(struct buf *b, const char *head, const char *text)
{
    char shown[PLAIN_CHAR_SIZE];
    size_t indent = columns(head, strlen(head)), at = indent, word;
    struct buf w;
    buf_init(&w, DIAGNOSE_BYTES);
    buf_adds(b, head);
    for (bool first = true; *text; first = false) {
        buf_reset(&w);
        while (*text && *text != ' ') {
            text += plain_char(text, shown);
            buf_adds(&w, shown);
        }
        text += strspn(text, " ");
        word = columns(w.data, w.len);
        if (!first && at + 1 + word > WIDTH) {
            buf_addf(b, "\n%*s", (int)indent, "");
            at = indent;
        } else if (!first) {
            buf_addc(b, ' ');
            at++;
        }
        buf_add(b, w.data, w.len);
        at += word;
    }
    buf_addc(b, '\n');
    buf_done(&w);
}

static double number(const json_t *o, const char *key)
{
    const json_t *v = json_object_get(o, key);
    return json_is_number(v) ? json_number_value(v) : NAN;
}

static const char *figure(double x, char out[NUMBER_SIZE])
{
    if (isnan(x))
        return "-";
    snprintf(out, NUMBER_SIZE, "%.4g", x);
    return out;
}

/* "0.03", "< 0.001", "-" */
static const char *p_figure(double p, char out[NUMBER_SIZE])
{
    if (isnan(p))
        return "-";
    return p_text(p, out) + (p < 0.001 ? 2 : 4);
}

static const char *const test_format = "  %-18s%14s%26s\n"; /* p below p */
static const char *const row_format = "  %-18s%14s%16s%10s%12s\n";

static void term(struct buf *b, const json_t *t)
{
    char coef[NUMBER_SIZE], se[NUMBER_SIZE], p[NUMBER_SIZE], vif[NUMBER_SIZE];
    const char *name = json_string_value(json_object_get(t, "name"));
    const char *left_out = json_string_value(json_object_get(t, "left_out"));
    if (left_out)
        buf_addf(b, "  %-18s%14s\n", name,
                 strcmp(left_out, "constant") ? "(said by others)" : "(constant)");
    else
        buf_addf(b, row_format, name, figure(number(t, "coef"), coef),
                 figure(number(t, "hac_se"), se), p_figure(number(t, "hac_p"), p),
                 figure(number(t, "vif"), vif));
}

static void tests(struct buf *b, const json_t *report)
{
    static const struct {
        const char *label, *statistic, *p;
    } table[] = {
        {"F, all (HAC)", "hac_f", "hac_f_p"},
        {"Jarque-Bera", "jarque_bera", "jarque_bera_p"},
        {"Breusch-Pagan", "breusch_pagan", "breusch_pagan_p"},
        {"Durbin-Watson", "durbin_watson", "durbin_watson_p"},
        {"Breusch-Godfrey", "breusch_godfrey", "breusch_godfrey_p"},
        {"Ljung-Box", "ljung_box", "ljung_box_p"},
    };
    char x[NUMBER_SIZE], p[NUMBER_SIZE];
    buf_addf(b, test_format, "test", "statistic", "p");
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        buf_addf(b, test_format, table[i].label,
                 figure(number(report, table[i].statistic), x),
                 p_figure(number(report, table[i].p), p));
}

void text_regression(struct buf *b, const json_t *report)
{
    const json_t *one;
    size_t i;
    buf_addf(b, row_format, "column", "coefficient", "standard error", "p", "inflation");
    json_array_foreach(json_object_get(report, "terms"), i, one) term(b, one);
    buf_addc(b, '\n');
    tests(b, report);
    buf_addc(b, '\n');
    json_array_foreach(json_object_get(report, "notes"), i, one)
    {
        const json_t *fine = json_object_get(one, "fine");
        char head[40];
        snprintf(head, sizeof head, "  %s %-16s",
                 json_is_true(fine)    ? "  "
                 : json_is_false(fine) ? "! "
                                       : "? ",
                 json_string_value(json_object_get(one, "about")));
        text_wrap(b, head, json_string_value(json_object_get(one, "text")));
    }
}
