/* SPDX-License-Identifier: GPL-3.0-or-later */
/* json: what we add to jansson: limits, errors that name the field, and numbers as the
 * contract wants them. Values follow jansson's words new / borrowed / stolen. Any thread.
 */
#ifndef FC_COMMON_JSON_H
#define FC_COMMON_JSON_H

#include <jansson.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/err.h"

/* New reference, or NULL with a text that says where the JSON is broken. what names the
 * input ("body", "payload"). Duplicate keys, NUL characters, trailing bytes and more than
 * 64 levels of nesting are refused. */
json_t *json_parse(const char *text, size_t len, const char *what,
                   struct err *e) MUST_CHECK;

/* A field of an object, checked. Required ones fail when missing or null; *_opt leave
 * *out as it was. Strings are borrowed from the object. min/max are inclusive. */
int json_get_string(const json_t *o, const char *key, const char **out, size_t max_len,
                    struct err *e) MUST_CHECK;
int json_opt_string(const json_t *o, const char *key, const char **out, size_t max_len,
                    struct err *e) MUST_CHECK;
int json_get_real(const json_t *o, const char *key, double *out, double min, double max,
                  struct err *e) MUST_CHECK;
int json_opt_real(const json_t *o, const char *key, double *out, double min, double max,
                  struct err *e) MUST_CHECK;
int json_get_int(const json_t *o, const char *key, int64_t *out, int64_t min, int64_t max,
                 struct err *e) MUST_CHECK;
int json_opt_int(const json_t *o, const char *key, int64_t *out, int64_t min, int64_t max,
                 struct err *e) MUST_CHECK;

/* A time field: RFC 3339 text, or a number of epoch seconds or milliseconds. */
int json_opt_time(const json_t *o, const char *key, int64_t *t_ms,
                  struct err *e) MUST_CHECK;

/* A new real, or null for NaN and infinities (json_real() would give NULL). */
json_t *json_number(double x);
/* An array of n of these; empty when v is NULL. */
json_t *json_reals(const double *v, size_t n);

/* Element i of an array, NaN where it is not a number or not there. */
double json_real_at(const json_t *a, size_t i);

/* Compact text: keys as they were put in, reals round-trip (at most 17 digits). */
int json_write(struct buf *b, const json_t *j);

/* NULL-tolerant new string. */
json_t *json_text(const char *s);

#endif
