/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The schema's version. */
#include "common/pg.h"

#include <inttypes.h>

int pg_check_schema(struct pg *p, struct err *e)
{
    struct pg_rows *r;
    struct err why = ERR_INIT;
    if (pg_exec(p, "SELECT coalesce(max(version), 0) FROM schema_migrations", PG_NONE, &r,
                &why)) {
        if (why.code == ERR_UNAVAILABLE || why.code == ERR_TIMEOUT) {
            *e = why;
            return -1;
        }
        return err_set(
            e, ERR_CONFLICT,
            "the database has no schema yet: run deploy/postgres/migrate.sh (%s)",
            why.text);
    }
    int64_t v = pg_get_int(r, 0, 0);
    pg_rows_free(r);
    if (v == SCHEMA_VERSION)
        return 0;
    return err_set(e, ERR_CONFLICT,
                   "the database has schema version %" PRId64 ", this build needs %d: %s",
                   v, SCHEMA_VERSION,
                   v < SCHEMA_VERSION ? "run deploy/postgres/migrate.sh"
                                      : "install the newer Fieldcast that migrated it");
}
