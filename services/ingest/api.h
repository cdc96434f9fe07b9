/* SPDX-License-Identifier: GPL-3.0-or-later */
/* api: ingest's routes; app is a struct ingest. openapi.yaml describes them. */
#ifndef FC_INGEST_API_H
#define FC_INGEST_API_H

#include "common/http_server.h"

extern const struct route ingest_routes[];

/* The handlers that are not in api.c. api_readings.c: */
#define POST_BODY_MAX (4u << 20)
int post_readings(void *app, const struct req *q, struct res *s, struct err *e);
/* api_devices.c: */
int get_ledger(void *app, const struct req *q, struct res *s, struct err *e);
int get_devices(void *app, const struct req *q, struct res *s, struct err *e);

#endif
