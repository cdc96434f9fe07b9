/* SPDX-License-Identifier: GPL-3.0-or-later */
/* influx: InfluxDB through /write and /query only (1.x, and what later versions keep of
 * it).
 *
 * One struct influx per thread. All times in milliseconds. Escaping of line protocol and
 * of InfluxQL happens here and nowhere else. */
#ifndef FC_COMMON_INFLUX_H
#define FC_COMMON_INFLUX_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/err.h"
#include "common/settings.h"

/* Where it is and who asks; INFLUX_SETTINGS fills it from the environment. */
struct influx_settings {
    char *url, *db;        /* url "http://host:8086" */
    char *user, *password; /* user "": no authentication */
};

/* Rows for a service's table. T: its settings struct, M: the member of the type above. */
/* clang-format off */
#define INFLUX_SETTINGS(T, M)                                                          \
    {"INFLUX_URL", SET_URL, offsetof(T, M.url), "http://127.0.0.1:8086", 8, 512,       \
     "InfluxDB"},                                                                      \
    {"INFLUX_DB", SET_STRING, offsetof(T, M.db), "fieldcast", 1, 64, "its database"},  \
    {"INFLUX_USER", SET_STRING, offsetof(T, M.user), "", 0, 128,                       \
     "its user; empty: no authentication"},                                            \
    {"INFLUX_PASSWORD", SET_SECRET, offsetof(T, M.password), "", 0, 512, "and password"}
/* clang-format on */

#define INFLUX_WINDOW_MS (INT64_C(48) * 3600000) /* a query spans at most so much */
#define INFLUX_ANSWER_MAX (64u << 20)            /* bytes of a query's answer */

struct influx;

/* s: copied. Connects when it is first used. */
struct influx *influx_new(const struct influx_settings *s);
void influx_free(struct influx *in);

/* GET /ping: 0 when it answers, and its version. */
int influx_ping(struct influx *in, char version[64], struct err *e) MUST_CHECK;
/* The same, and that it answers a query on our database (which need not be there yet):
 * with another password, or with its engine closed, it still answers pings. */
int influx_check(struct influx *in, struct err *e) MUST_CHECK;
/* CREATE DATABASE, which succeeds when it is there already. */
int influx_create_database(struct influx *in, struct err *e) MUST_CHECK;

/* What to do after a write that failed. */
enum influx_verdict {
    INFLUX_OK,
    INFLUX_RETRY,  /* away, or busy: the same batch again later */
    INFLUX_CONFIG, /* 401, 403, 404: keep the data, alarm, retry slowly */
    INFLUX_SPLIT,  /* 413: halve the batch */
    INFLUX_REJECT  /* some lines are bad (the others may be stored): find them, line by
                      line */
};

/* Writes len bytes of line protocol (precision ms). Returns the verdict; *e says why
 * unless INFLUX_OK. retry_after_s: what the server asked for, or -1. */
enum influx_verdict influx_write(struct influx *in, const char *lines, size_t len,
                                 int *retry_after_s, struct err *e);

/* Runs one InfluxQL statement. On success *series is a new JSON array of
 * {"name","tags":{…},"columns":["time",…],"values":[[ms,…],…]} (empty if nothing
 * matched). */
int influx_query(struct influx *in, const char *q, json_t **series,
                 struct err *e) MUST_CHECK;

/* Line protocol: appends measurement and one tag pair, then fields, then the time:
 *   influx_line(b, "hourly"); influx_tag(b, "device", dev); influx_field(b, "t", 1.5);
 * ... influx_end(b, t_ms); Non-finite fields are left out; a line without any field is
 * taken back by influx_end(), which then returns -1. */
struct influx_line {
    struct buf *b;
    size_t start;
    int n_fields;
};
void influx_line(struct influx_line *l, struct buf *b, const char *measurement);
void influx_tag(struct influx_line *l, const char *key,
                const char *value); /* "" is left out */
void influx_field(struct influx_line *l, const char *key, double value);
int influx_end(struct influx_line *l, int64_t t_ms);

/* InfluxQL: a 'string' and an "identifier", escaped. */
void influx_ql_string(struct buf *b, const char *s);
void influx_ql_ident(struct buf *b, const char *s);
/* `time >= from AND time < to` in milliseconds. */
void influx_ql_range(struct buf *b, int64_t from_ms, int64_t to_ms);

/* Reads one field of one tag set over [from, to), in pieces of INFLUX_WINDOW_MS, oldest
 * first, and calls each(arg, t_ms, value) per point. where: further condition ("" =
 * none), e.g. "\"quantity\" = 'temperature'". Stops when each returns non-zero. */
int influx_read(struct influx *in, const char *measurement, const char *field,
                const char *device, const char *where, int64_t from_ms, int64_t to_ms,
                int (*each)(void *arg, int64_t t_ms, double value), void *arg,
                struct err *e) MUST_CHECK;

#endif
