/* SPDX-License-Identifier: GPL-3.0-or-later */
/* api: monitor's routes; the app is its struct monitor. Described in openapi.yaml. */
#ifndef FC_MONITOR_API_H
#define FC_MONITOR_API_H

#include "common/http_server.h"

extern const struct route monitor_routes[];

/* The handlers, by file. api_status.c: */
int get_status(void *app, const struct req *q, struct res *s, struct err *e);
int get_quality(void *app, const struct req *q, struct res *s, struct err *e);
int post_tick(void *app, const struct req *q, struct res *s, struct err *e);
int get_metrics_all(void *app, const struct req *q, struct res *s, struct err *e);
/* api_ledger.c: */
int get_decisions(void *app, const struct req *q, struct res *s, struct err *e);
int get_decision(void *app, const struct req *q, struct res *s, struct err *e);
int get_verify(void *app, const struct req *q, struct res *s, struct err *e);
int get_alerts(void *app, const struct req *q, struct res *s, struct err *e);
/* api_rules.c: */
int get_rules(void *app, const struct req *q, struct res *s, struct err *e);
int get_rule(void *app, const struct req *q, struct res *s, struct err *e);
int put_rule(void *app, const struct req *q, struct res *s, struct err *e);

#endif
