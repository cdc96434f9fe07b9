/* SPDX-License-Identifier: GPL-3.0-or-later */
/* api: ingest's routes; app is a struct ingest. openapi.yaml describes them. */
#ifndef FC_INGEST_API_H
#define FC_INGEST_API_H

#include "common/http_server.h"

extern const struct route ingest_routes[];

#endif
