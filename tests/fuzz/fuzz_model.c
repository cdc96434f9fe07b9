/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Any text as a model's document: what is taken is written back and read again as the
 * same, and forecasts in order or says why not. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/ml/algo.h"
#include "common/ml/model.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

#define HOURS 1000

static void must(bool ok, const char *what)
{
    if (ok)
        return;
    fprintf(stderr, "broken: %s\n", what);
    abort();
}

static void check_forecast(const struct model *m)
{
    static double y[HOURS];
    struct forecast f[HORIZON_MAX];
    struct err e = ERR_INIT;
    for (int i = 0; i < HOURS; i++)
        y[i] = i % 97 == 5 ? NAN : 20 + i % 24;
    const struct hours past = {.n = HOURS, .y = y};
    if (model_forecast(m, &past, HORIZON_MAX, 0.9, f, &e)) {
        must(*e.text, "a refusal has a sentence");
        return;
    }
    for (int i = 0; i < HORIZON_MAX; i++)
        must(!(f[i].lower > f[i].yhat || f[i].upper < f[i].yhat), "the band's order");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct err e = ERR_INIT;
    struct model *m = model_parse((const char *)data, n, &e);
    must(!m == !!*e.text, "a refusal has a sentence");
    if (!m)
        return 0;
    size_t len, len2;
    char *doc = model_document(m, &len);
    struct model *back = model_parse(doc, len, &e);
    must(back, "what is written can be read");
    char *doc2 = model_document(back, &len2);
    must(len == len2 && !memcmp(doc, doc2, len), "and is the same");
    check_forecast(m);
    free(doc);
    free(doc2);
    model_free(back);
    model_free(m);
    return 0;
}
