/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tools/backtest_rows.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include "common/buf.h"
#include "common/clock.h"
#include "tools/csv.h"

int rows_open(const char *path, FILE **out, struct err *e)
{
    *out = NULL;
    if (!path)
        return 0;
    *out = strcmp(path, "-") ? fopen(path, "we") : stdout;
    if (!*out)
        return err_set(e, ERR_INVALID, "could not write %.100s: %s", path,
                       strerror(errno));
    fputs("series,candidate,origin,lead,yhat,y\n", *out);
    return 0;
}

void rows_put(FILE *out, const char *series, const char *candidate, int64_t origin_s,
              size_t lead, double yhat, double y)
{
    char origin[CLOCK_RFC3339_SIZE];
    struct buf b;
    if (!out)
        return;
    buf_init(&b, 1024);
    csv_add(&b, series);
    buf_addf(&b, ",%s,%s,%zu,", candidate, clock_format(origin_s * 1000, origin), lead);
    if (isfinite(yhat))
        buf_add_real(&b, yhat);
    buf_addc(&b, ',');
    if (isfinite(y))
        buf_add_real(&b, y);
    buf_addc(&b, '\n');
    fwrite(b.data, 1, b.len, out);
    buf_done(&b);
}

int rows_close(FILE *out, const char *path, struct err *e)
{
    if (!out || out == stdout)
        return 0;
    errno = 0;
    bool bad = fflush(out) || ferror(out);
    int why = errno ? errno : EIO; /* of an earlier one: nobody knows any more */
    if (fclose(out)) {
        why = bad ? why : errno;
        bad = true;
    }
    if (bad)
        return err_set(e, ERR_INVALID, "could not write %.100s: %s", path, strerror(why));
    return 0;
}
