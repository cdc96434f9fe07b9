/* SPDX-License-Identifier: GPL-3.0-or-later */
/* diagnose_csv: the figures of an answer as rows of series,other,figure,value. */
#include "common/buf.h"
#include "tools/csv.h"
#include "tools/diagnose_work.h"

#define PATH_MAX_BYTES 200

struct walk {
    struct buf *b;
    const char *series, *other;
    char path[PATH_MAX_BYTES]; /* "regression.terms.lag_1.coef" */
};

static void walk(struct walk *w, size_t len, const json_t *v);

static void step(struct walk *w, size_t len, const char *name, const json_t *v)
{
    int n = snprintf(w->path + len, sizeof w->path - len, "%s%s", len ? "." : "", name);
    if (n > 0 && len + (size_t)n < sizeof w->path)
        walk(w, len + (size_t)n, v);
}

/* What an entry of a list is called. */
static const char *entry_name(const json_t *v, char text[24])
{
    const json_t *lag = json_object_get(v, "lag");
    const char *name = json_string_value(json_object_get(v, "name"));
    if (!name)
        name = json_string_value(json_object_get(v, "column"));
    if (!name && json_is_integer(lag)) {
        snprintf(text, 24, "%lld", (long long)json_integer_value(lag));
        name = text;
    }
    return name;
}

static void row(const struct walk *w, const json_t *v)
{
    csv_add(w->b, w->series);
    buf_addc(w->b, ',');
    csv_add(w->b, w->other);
    buf_addc(w->b, ',');
    csv_add(w->b, w->path);
    buf_addc(w->b, ',');
    if (json_is_number(v))
        buf_add_real(w->b, json_number_value(v));
    else
        buf_addc(w->b, json_is_true(v) ? '1' : '0');
    buf_addc(w->b, '\n');
}

static void walk(struct walk *w, size_t len, const json_t *v)
{
    const char *key;
    char text[24];
    json_t *each;
    size_t i;
    if (json_is_object(v)) {
        json_object_foreach((json_t *)v, key, each) step(w, len, key, each);
    } else if (json_is_array(v)) {
        json_array_foreach(v, i, each)
        {
            const char *name = entry_name(each, text);
            if (name)
                step(w, len, name, each);
        }
    } else if (json_is_number(v) || json_is_boolean(v)) {
        w->path[len] = '\0';
        row(w, v);
    }
}

void csv_figures(struct buf *b, const char *series, const char *other, const json_t *v)
{
    struct walk w = {.b = b, .series = series, .other = other};
    walk(&w, 0, v);
}
