/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "services/monitor/api.h"

const struct route monitor_routes[] = {
    {"GET", "/api/v1/status", ROLE_VIEWER, false, 0, get_status,
     "every series: last value, champion, quality, alerts; how far the loop is"},
    {"GET", "/api/v1/quality", ROLE_VIEWER, true, 0, get_quality,
     "the evaluations of a series, hour by hour"},
    {"POST", "/api/v1/tick", ROLE_OPERATOR, true, 0, post_tick,
     "runs the loop now and tells what it did"},
    {"GET", "/api/v1/decisions", ROLE_VIEWER, true, 0, get_decisions,
     "the ledger, newest first; with at: what served then, and why"},
    {"GET", "/api/v1/decisions/verify", ROLE_VIEWER, true, 0, get_verify,
     "recomputes the ledger's chain of hashes"},
    {"GET", "/api/v1/decisions/{id}", ROLE_VIEWER, true, 0, get_decision,
     "one decision with its evidence"},
    {"GET", "/api/v1/alerts", ROLE_VIEWER, true, 0, get_alerts, "alerts, newest first"},
    {"GET", "/api/v1/rules", ROLE_VIEWER, false, 0, get_rules,
     "how the loop treats each series"},
    {"GET", "/api/v1/rules/{series}", ROLE_VIEWER, false, 0, get_rule,
     "how the loop treats one series"},
    {"PUT", "/api/v1/rules/{series}", ROLE_OPERATOR, true, 0, put_rule,
     "sets how the loop treats one series"},
    {"GET", "/metrics/all", ROLE_VIEWER, true, 0, get_metrics_all,
     "metrics of all four services, family by family"},
    {0},
};
