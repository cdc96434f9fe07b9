/* SPDX-License-Identifier: GPL-3.0-or-later */
/* influx_internal: what influx.c and influx_write.c share. */
#ifndef FC_COMMON_INFLUX_INTERNAL_H
#define FC_COMMON_INFLUX_INTERNAL_H

#include "common/http_client.h"
#include "common/influx.h"

struct influx {
    struct http_client *http;
    char *write_url, *query_url, *ping_url, *db;
    struct influx_server server;
    struct buf refusal; /* answer to a write that was not taken */
};

/* Takes the version from an answer that tells it. */
void influx_learn(struct influx *in, const struct http_answer *a);

/* InfluxDB's own words in the body of an answer (true), or its first line (false). */
bool influx_words(const char *body, size_t len, char *out, size_t cap);

/* Appends to *e what would mend a fault of the configuration. said: the answer was
 * InfluxDB's, as influx_words() tells it. */
void influx_advise(const struct influx *in, int status, bool said, struct err *e);

#endif
