/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/json.h"

#include <inttypes.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "common/clock.h"

/* No body of ours is deeper than 10; the parser works recursively, on small stacks. */
#define DEPTH_MAX 64

static bool too_deep(const char *text, size_t len)
{
    size_t openers = 0;
    for (size_t i = 0; i < len; i++)
        openers += (text[i] | 0x20) == '{'; /* both brackets: they differ in this bit */
    if (openers <= DEPTH_MAX)
        return false;
    int depth = 0;
    bool in_string = false;
    for (size_t i = 0; i < len && depth <= DEPTH_MAX; i++) {
        if (in_string && text[i] == '\\')
            i++;
        else if (text[i] == '"')
            in_string = !in_string;
        else if (!in_string)
            depth +=
                (text[i] == '[' || text[i] == '{') - (text[i] == ']' || text[i] == '}');
    }
    return depth > DEPTH_MAX;
}

json_t *json_parse(const char *text, size_t len, const char *what, struct err *e)
{
    if (!len) {
        err_set(e, ERR_INVALID, "%s is empty: a JSON value is expected", what);
        return NULL;
    }
    if (too_deep(text, len)) {
        err_set(e, ERR_INVALID, "%s is nested deeper than %d levels", what, DEPTH_MAX);
        return NULL;
    }
    json_error_t je;
    json_t *j = json_loadb(text, len, JSON_REJECT_DUPLICATES, &je);
    if (!j)
        err_set(e, ERR_INVALID, "%s is not valid JSON: line %d, column %d: %s", what,
                je.line, je.column, je.text);
    return j;
}

static const char *type_name(const json_t *v)
{
    switch (json_typeof(v)) {
    case JSON_OBJECT:
        return "an object";
    case JSON_ARRAY:
        return "an array";
    case JSON_STRING:
        return "a string";
    case JSON_INTEGER:
    case JSON_REAL:
        return "a number";
    case JSON_NULL:
        return "null";
    default:
        return "a boolean";
    }
}

/* The field, or NULL: missing or null. With e, that is an error. */
static const json_t *field(const json_t *o, const char *key, const char *want,
                           struct err *e)
{
    const json_t *v = json_object_get(o, key);
    if (v && !json_is_null(v))
        return v;
    err_set(e, ERR_INVALID, "field \"%s\" is missing: %s is expected", key, want);
    return NULL;
}

static int as_string(const json_t *v, const char *key, const char **out, size_t max_len,
                     struct err *e)
{
    if (!json_is_string(v))
        return err_set(e, ERR_INVALID, "field \"%s\" must be a string, not %s", key,
                       type_name(v));
    if (json_string_length(v) > max_len)
        return err_set(e, ERR_INVALID,
                       "field \"%s\" must have at most %zu bytes; it has %zu", key,
                       max_len, json_string_length(v));
    *out = json_string_value(v);
    return 0;
}

static int as_real(const json_t *v, const char *key, double *out, double min, double max,
                   struct err *e)
{
    if (!json_is_number(v))
        return err_set(e, ERR_INVALID, "field \"%s\" must be a number, not %s", key,
                       type_name(v));
    double x = json_number_value(v);
    if (!(x >= min && x <= max))
        return err_set(e, ERR_INVALID,
                       "field \"%s\" must be from %.15g to %.15g, not %.15g", key, min,
                       max, x);
    *out = x;
    return 0;
}

static int as_int(const json_t *v, const char *key, int64_t *out, int64_t min,
                  int64_t max, struct err *e)
{
    if (!json_is_integer(v))
        return err_set(e, ERR_INVALID, "field \"%s\" must be a whole number, not %s", key,
                       json_is_real(v) ? "one with a fraction" : type_name(v));
    json_int_t x = json_integer_value(v);
    if (x < min || x > max)
        return err_set(e, ERR_INVALID,
                       "field \"%s\" must be from %" PRId64 " to %" PRId64
                       ", not %" JSON_INTEGER_FORMAT,
                       key, min, max, x);
    *out = x;
    return 0;
}

int json_get_string(const json_t *o, const char *key, const char **out, size_t max_len,
                    struct err *e)
{
    const json_t *v = field(o, key, "a string", e);
    return v ? as_string(v, key, out, max_len, e) : -1;
}

int json_opt_string(const json_t *o, const char *key, const char **out, size_t max_len,
                    struct err *e)
{
    const json_t *v = field(o, key, "", NULL);
    return v ? as_string(v, key, out, max_len, e) : 0;
}

int json_get_real(const json_t *o, const char *key, double *out, double min, double max,
                  struct err *e)
{
    const json_t *v = field(o, key, "a number", e);
    return v ? as_real(v, key, out, min, max, e) : -1;
}

int json_opt_real(const json_t *o, const char *key, double *out, double min, double max,
                  struct err *e)
{
    const json_t *v = field(o, key, "", NULL);
    return v ? as_real(v, key, out, min, max, e) : 0;
}

int json_get_int(const json_t *o, const char *key, int64_t *out, int64_t min, int64_t max,
                 struct err *e)
{
    const json_t *v = field(o, key, "a whole number", e);
    return v ? as_int(v, key, out, min, max, e) : -1;
}

int json_opt_int(const json_t *o, const char *key, int64_t *out, int64_t min, int64_t max,
                 struct err *e)
{
    const json_t *v = field(o, key, "", NULL);
    return v ? as_int(v, key, out, min, max, e) : 0;
}

int json_opt_time(const json_t *o, const char *key, int64_t *t_ms, struct err *e)
{
    const json_t *v = field(o, key, "", NULL);
    if (!v)
        return 0;
    if (json_is_string(v))
        return clock_parse(json_string_value(v), key, t_ms, e);
    if (!json_is_number(v) || fabs(json_number_value(v)) > 2.6e14)
        return err_set(e, ERR_INVALID,
                       "field \"%s\" must be a time: RFC 3339, epoch seconds or epoch "
                       "milliseconds",
                       key);
    double x = json_number_value(v);
    *t_ms = (int64_t)llround(fabs(x) >= 5e11 ? x : x * 1000);
    return 0;
}

json_t *json_number(double x)
{
    return isfinite(x) ? json_real(x) : json_null();
}

json_t *json_reals(const double *v, size_t n)
{
    json_t *a = json_array();
    for (size_t i = 0; v && i < n; i++)
        json_array_append_new(a, json_number(v[i]));
    return a;
}

double json_real_at(const json_t *a, size_t i)
{
    const json_t *v = json_array_get(a, i);
    return json_is_number(v) ? json_number_value(v) : NAN;
}

json_t *json_text(const char *s)
{
    return s ? json_string(s) : json_null();
}

static int add(const char *p, size_t n, void *b)
{
    return buf_add(b, p, n);
}

int json_write(struct buf *b, const json_t *j)
{
    return json_dump_callback(j, add, b, JSON_COMPACT | JSON_ENCODE_ANY);
}
