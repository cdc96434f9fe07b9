/* SPDX-License-Identifier: GPL-3.0-or-later */
/* api: the predictor's routes. Handlers run in the server's event threads and answer from
 * memory; those that must ask a database are slow routes or return HTTP_LATER. */
#ifndef FC_PREDICTOR_API_H
#define FC_PREDICTOR_API_H

#include "common/http_server.h"

extern const struct route predictor_routes[];

/* Handlers, by file; app is a struct predictor. */
int predict_post(void *app, const struct req *q, struct res *s, struct err *e);
int predict_get(void *app, const struct req *q, struct res *s, struct err *e);
int forecasts_get(void *app, const struct req *q, struct res *s, struct err *e);
int points_get(void *app, const struct req *q, struct res *s, struct err *e);
int catalogue_get(void *app, const struct req *q, struct res *s, struct err *e);

/* Bounds that suit a prediction: 1 µs .. 1 s. */
extern const double predict_seconds[];
extern const unsigned predict_seconds_n;

#endif
