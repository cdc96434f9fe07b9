/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/buf.h"
#include "common/json.h"
#include "common/pg.h"

int pg_exec_batch(struct pg *p, const char *sql, const json_t *rows, const char *what,
                  struct err *e)
{
    if (!json_array_size(rows))
        return 0;
    struct buf b;
    buf_init(&b, PG_BATCH_MAX);
    int rc = json_write(&b, rows);
    if (rc)
        rc = err_set(e, ERR_TOO_LARGE, "%zu %s make more than %u bytes",
                     json_array_size(rows), what, PG_BATCH_MAX);
    else
        rc = pg_exec(p, sql, PG_ARGS(pg_text(b.data)), NULL, e);
    buf_done(&b);
    return rc;
}
