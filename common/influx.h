/* SPDX-License-Identifier: GPL-3.0-or-later */
/* influx: InfluxDB 1.x, 2.x and 3 Core through what all of them have: /ping, /write and
 * /query.
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
    char *token;           /* "": user and password; else instead of them */
};

/* Rows for a service's table. T: its settings struct, M: the member of the type above. */
/* clang-format off */
#define INFLUX_SETTINGS(T, M)                                                          \
    {"INFLUX_URL", SET_URL, offsetof(T, M.url), "http://127.0.0.1:8086", 8, 512,       \
     "InfluxDB (3 Core listens on 8181)"},                                             \
    {"INFLUX_DB", SET_STRING, offsetof(T, M.db), "fieldcast", 1, 64, "its database"},  \
    {"INFLUX_USER", SET_STRING, offsetof(T, M.user), "", 0, 128,                       \
     "its user; empty: no authentication"},                                            \
    {"INFLUX_PASSWORD", SET_SECRET, offsetof(T, M.password), "", 0, 512,               \
     "and password"},                                                                  \
    {"INFLUX_TOKEN", SET_SECRET, offsetof(T, M.token), "", 0, 512,                     \
     "its token, instead of a user: InfluxDB 2 and 3"}
/* clang-format on */

#define INFLUX_WINDOW_MS (INT64_C(48) * 3600000) /* a query spans at most so much */
#define INFLUX_ANSWER_MAX (64u << 20)            /* bytes of a query's answer */

struct influx;

/* s: copied. Connects when it is first used. */
struct influx *influx_new(const struct influx_settings *s);
void influx_free(struct influx *in);

/* What answers there, as its X-Influxdb-Version tells it. */
enum influx_dialect {
    INFLUX_UNKNOWN, /* nothing answered yet, or without a version: taken as 1 */
    INFLUX_1,
    INFLUX_2,
    INFLUX_3
};
struct influx_server {
    enum influx_dialect dialect;
    char version[64], build[32]; /* "1.8.10", "OSS"; "" unknown */
};
/* By the last answer that told; borrowed. */
const struct influx_server *influx_server(const struct influx *in);
/* "1.8.10", "v2.7.12", "3.9.6" */
enum influx_dialect influx_dialect_of(const char *version);

/* GET /ping: 0 when it answers, and its version. */
int influx_ping(struct influx *in, char version[64], struct err *e) MUST_CHECK;
/* The same, and that it answers a query on our database (which need not be there yet
 * where it is made by us or by the first write): with another password, or with its
 * engine closed, it still answers pings. */
int influx_check(struct influx *in, struct err *e) MUST_CHECK;
/* Sees to it that the database is there: 1.x makes it (or has it already), 3 makes it
 * with the first write. 2.x has buckets, which are not ours to make: ERR_UPSTREAM and a
 * sentence that says what to do. */
int influx_create_database(struct influx *in, struct err *e) MUST_CHECK;

/* What to do after a write that failed. */
enum influx_verdict {
    INFLUX_OK,
    INFLUX_RETRY,  /* away, or busy: the same batch again later */
    INFLUX_CONFIG, /* somebody has to mend a setting, here or there: keep the data, alarm,
                      retry slowly */
    INFLUX_SPLIT,  /* too much at once: halve the batch */
    INFLUX_REJECT  /* some lines are bad (the others may be stored): find them, line by
                      line */
};

/* Writes len bytes of line protocol (precision ms). Returns the verdict; *e says why
 * unless INFLUX_OK, and of a configuration fault what would mend it. retry_after_s: what
 * the server asked for, or -1. */
enum influx_verdict influx_write(struct influx *in, const char *lines, size_t len,
                                 int *retry_after_s, struct err *e);
/* The body of the answer to the last write, unless that was INFLUX_OK; "" if there was
 * none. Borrowed until the next write. */
const char *influx_refusal(const struct influx *in, size_t *len);

/* The rule behind it, pure: what an answer means. why: InfluxDB's own words (its "error"
 * or "message"), or the body's first line. */
enum influx_verdict influx_judge(int status, const char *body, size_t len, char *why,
                                 size_t cap);

/* Runs one InfluxQL statement. On success *series is a new JSON array of
 * {"name","tags":{…},"columns":["time",…],"values":[[ms,…],…]} (empty if nothing
 * matched). */
int influx_query(struct influx *in, const char *q, json_t **series,
                 struct err *e) MUST_CHECK;
/* The same with an answer of at most `most` bytes, else ERR_TOO_LARGE. A tree of JSON
 * takes about ten times the memory of its text. */
int influx_query_within(struct influx *in, const char *q, size_t most, json_t **series,
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
