/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tools/series.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/mem.h"
#include "common/ml/model.h"
#include "tools/series_work.h"
#include "tools/site.h"

int input_file_check(struct input_file *f, const char *operand, struct err *e)
{
    int64_t t_ms = 0;
    if (operand && f->path)
        return err_set(e, ERR_INVALID, "give the file once: --input %.40s or %.40s",
                       f->path, operand);
    f->path = operand ? operand : f->path ? f->path : "-";
    if (f->freq && strcmp(f->freq, "1h"))
        return err_set(e, ERR_INVALID, "--freq must be 1h, not %.40s: models are hourly",
                       f->freq);
    if (f->start && !f->wide)
        return err_set(e, ERR_INVALID, "--start is for --wide: other files carry times");
    if (f->grouped && f->wide)
        return err_set(e, ERR_INVALID,
                       "--grouped is not for --wide: there a series is a row");
    if (f->start && clock_parse(f->start, "--start", &t_ms, e))
        return -1;
    if (t_ms < 0 || t_ms % HOUR_MS)
        return err_set(e, ERR_INVALID, "--start must be a whole hour from 1970 on");
    f->start_s = t_ms / 1000;
    return f->tz ? site_set(f->tz, e) : 0;
}

int input_file_spare(const struct input_file *f, const char *option, const char *path,
                     struct err *e)
{
    struct stat in, out;
    bool standard = !strcmp(f->path, "-");
    if (!path || stat(path, &out) || !S_ISREG(out.st_mode) ||
        (standard ? fstat(STDIN_FILENO, &in) : stat(f->path, &in)) ||
        in.st_dev != out.st_dev || in.st_ino != out.st_ino)
        return 0;
    return err_set(e, ERR_INVALID, "%s %.100s is the file that is read: give another",
                   option, path);
}

const char *input_file_name(const struct input_file *f)
{
    return strcmp(f->path, "-") ? f->path : "standard input";
}

void input_series_done(struct input_series *s)
{
    free(s->name);
    free(s->bytes);
    free(s->zone);
    hours_done(&s->h);
    *s = (struct input_series){0};
}

/* ---- open ---- */

static bool is_standard(const struct series *s)
{
    return !strcmp(s->f->path, "-");
}

/* Can it be read more than once? */
static bool is_regular(struct series *s)
{
    struct stat st;
    if (!is_standard(s))
        return !stat(s->f->path, &st) && S_ISREG(st.st_mode);
    s->begin = lseek(STDIN_FILENO, 0, SEEK_CUR);
    return s->begin >= 0 && !fstat(STDIN_FILENO, &st) && S_ISREG(st.st_mode);
}

/* From the beginning, again or for the first time, up to behind the header. */
static int begin(struct series *s, struct err *e)
{
    csv_close(s->c);
    seen_done(&s->seen);
    s->rows = 0;
    if (s->again && is_standard(s) && lseek(STDIN_FILENO, s->begin, SEEK_SET) < 0)
        return err_set(e, ERR_INVALID, "could not read standard input a second time");
    s->c = csv_open(s->f->path, e);
    if (!s->c)
        return -1;
    return s->f->wide ? 0 : long_begin(s, e);
}

/* Takes the rest of a wide pipe in. */
static int load_wide(struct series *s, struct err *e)
{
    struct input_series one;
    size_t cap = 0, hours = 0;
    int got;
    while ((got = wide_next(s, &one, e)) == 1) {
        if ((hours += one.h.n) > SERIES_KEPT_MAX) {
            input_series_done(&one);
            return csv_refuse(s->c, 0, e,
                              "more than %u hours are too many to keep: give "
                              "a file, not a pipe",
                              SERIES_KEPT_MAX);
        }
        if (s->n_all == cap) {
            cap = cap ? 2 * cap : 64;
            s->all = xrealloc(s->all, cap * sizeof *s->all);
        }
        s->all[s->n_all++] = one;
    }
    s->count = s->n_all;
    return got;
}

static int load(struct series *s, struct err *e)
{
    int rc = s->f->wide ? load_wide(s, e) : long_load(s, e);
    csv_close(s->c);
    s->c = NULL;
    return rc;
}

/* Which way is the file to be read? */
static int look(struct series *s, struct err *e)
{
    if (begin(s, e))
        return -1;
    if (!s->again) { /* a pipe */
        s->together = s->f->wide || s->f->grouped || s->series < 0;
        return s->together && !s->keep ? 0 : load(s, e);
    }
    if (!s->f->wide && s->series < 0) { /* one series: nothing is told before its end */
        s->together = true;
        return 0;
    }
    if (s->f->wide ? wide_check(s, e) : long_check(s, e))
        return -1;
    if (!s->f->wide && !s->together && s->f->grouped)
        return err_set(e, ERR_INVALID,
                       "the rows of a series do not stand together in %.100s: not with "
                       "--grouped",
                       s->f->path);
    if (begin(s, e))
        return -1;
    if (s->f->wide || s->together)
        return 0;
    s->keep = false; /* what a file holds can be read again */
    return load(s, e);
}

struct series *series_open(const struct input_file *f, bool again, struct err *e)
{
    struct series *s = xcalloc(1, sizeof *s);
    s->f = f;
    s->again = is_regular(s);
    s->keep = again;
    if (!look(s, e))
        return s;
    series_close(s);
    return NULL;
}

void series_close(struct series *s)
{
    if (!s)
        return;
    csv_close(s->c);
    for (size_t i = 0; i < s->n_all; i++)
        input_series_done(&s->all[i]);
    free(s->all);
    seen_done(&s->seen);
    free(s->own_name);
    free(s);
}

/* ---- read ---- */

size_t series_count(const struct series *s)
{
    return s->count;
}

static int next_kept(struct series *s, struct input_series *out, struct err *e)
{
    struct input_series *from = &s->all[s->next];
    if (s->next == s->n_all)
        return 0;
    s->next++;
    if (!s->keep) {
        *out = *from;
        *from = (struct input_series){0};
        return 1;
    }
    *out = (struct input_series){0};
    if (from->h.n && hours_copy(&out->h, &from->h, e))
        return -1;
    out->name = xstrdup(from->name);
    return 1;
}

/* The clocks of the hours and of those that are forecast from them. */
static void set_zone(struct input_series *s, const char *tz)
{
    int64_t end_s = s->h.start_s + (int64_t)s->h.n * 3600;
    s->zone = xmalloc(sizeof *s->zone);
    site_zone(tz, s->h.start_s, end_s + HORIZON_MAX * 3600, s->zone);
    s->h.zone = s->zone;
}

int series_next(struct series *s, struct input_series *out, struct err *e)
{
    int got = !s->c        ? next_kept(s, out, e)
              : s->f->wide ? wide_next(s, out, e)
                           : long_next(s, out, e);
    if (got == 1 && s->f->tz)
        set_zone(out, s->f->tz);
    return got;
}

int series_rewind(struct series *s, struct err *e)
{
    s->next = 0;
    if (!s->c && s->keep)
        return 0;
    for (size_t i = 0; i < s->n_all; i++)
        input_series_done(&s->all[i]);
    bool loads = !s->c;
    free(s->all);
    s->all = NULL;
    s->n_all = 0;
    if (begin(s, e))
        return -1;
    return loads ? load(s, e) : 0;
}
