/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/clock.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "common/mem.h"

#define LATEST_MS INT64_C(7258118400000) /* 2200: InfluxDB ends in 2262 */
#define REREAD_US 2000 /* how often, at most, the clock file is looked at again */

static struct {
    pthread_mutex_t lock;
    char *path; /* NULL: real time */
    int64_t epoch_ms, written_us, looked_us;
    struct timespec mtime;
    ino_t inode;
    double speed;
} file = {.lock = PTHREAD_MUTEX_INITIALIZER};

static int64_t real_us(clockid_t id)
{
    struct timespec t;
    clock_gettime(id, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

/* Takes the file's contents over when it is another file, or a later one, than last time.
 */
static int read_file(struct err *e)
{
    struct stat st;
    if (stat(file.path, &st))
        return err_set(e, ERR_INVALID, "could not read the clock file %s: %s", file.path,
                       strerror(errno));
    if (st.st_ino == file.inode && st.st_mtim.tv_sec == file.mtime.tv_sec &&
        st.st_mtim.tv_nsec == file.mtime.tv_nsec)
        return 0;
    FILE *f = fopen(file.path, "re");
    if (!f)
        return err_set(e, ERR_INVALID, "could not open the clock file %s: %s", file.path,
                       strerror(errno));
    int64_t epoch;
    double speed;
    int n = fscanf(f, "%" SCNd64 " %lf", &epoch, &speed);
    fclose(f);
    if (n != 2 || !(speed >= 0 && speed <= 1e6) || epoch < 0 || epoch > LATEST_MS)
        return err_set(
            e, ERR_INVALID,
            "the clock file %s must hold \"EPOCH_MS SPEED\", up to the year 2200, with "
            "a speed of 0 to 1000000",
            file.path);
    file.epoch_ms = epoch;
    file.speed = speed;
    file.inode = st.st_ino;
    file.mtime = st.st_mtim;
    file.written_us = (int64_t)st.st_mtim.tv_sec * 1000000 + st.st_mtim.tv_nsec / 1000;
    return 0;
}

int clock_init(const char *path, struct err *e)
{
    if (!path || !*path)
        return 0;
    free(file.path);
    file.path = xstrdup(path);
    file.inode = 0;
    file.looked_us = real_us(CLOCK_MONOTONIC);
    if (read_file(e) == 0)
        return 0;
    free(file.path);
    file.path = NULL; /* what is logged about it carries the real time */
    return -1;
}

bool clock_is_virtual(void)
{
    return file.path != NULL;
}

int64_t clock_now_ms(void)
{
    if (!file.path)
        return real_us(CLOCK_REALTIME) / 1000;
    pthread_mutex_lock(&file.lock);
    int64_t mono = real_us(CLOCK_MONOTONIC);
    if (mono - file.looked_us >= REREAD_US) {
        file.looked_us = mono;
        read_file(
            NULL); /* a file that is gone or half written: the last good one holds */
    }
    int64_t now = file.epoch_ms;
    if (file.speed > 0)
        now += (int64_t)((double)(real_us(CLOCK_REALTIME) - file.written_us) *
                         file.speed / 1000);
    pthread_mutex_unlock(&file.lock);
    return now;
}

int64_t clock_mono_ms(void)
{
    return real_us(CLOCK_MONOTONIC) / 1000;
}

int64_t clock_mono_us(void)
{
    return real_us(CLOCK_MONOTONIC);
}

void clock_sleep_ms(int64_t ms)
{
    struct timespec t = {ms / 1000, (ms % 1000) * 1000000L};
    while (nanosleep(&t, &t) && errno == EINTR)
        ;
}

int64_t clock_hour_floor(int64_t t_ms)
{
    int64_t r = t_ms % HOUR_MS;
    return t_ms - (r < 0 ? r + HOUR_MS : r);
}

int64_t clock_last_complete_hour(int64_t now_ms, int64_t grace_ms)
{
    return clock_hour_floor(now_ms - grace_ms) - HOUR_MS;
}

bool clock_was_ahead(int64_t mark_ms, int64_t now_ms)
{
    return mark_ms > now_ms && mark_ms - now_ms > HOUR_MS;
}

/* Days since 1970-01-01 of a proleptic Gregorian date and back: Howard Hinnant,
 * "chrono-compatible low-level date algorithms" (days_from_civil, civil_from_days). */
static int64_t days_from_civil(int64_t y, int m, int d)
{
    y -= m <= 2;
    int64_t era = (y >= 0 ? y : y - 399) / 400;
    int64_t yoe = y - era * 400;
    int64_t doy = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;
    int64_t doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
    return era * 146097 + doe - 719468;
}

static void civil_from_days(int64_t z, int *y, int *m, int *d)
{
    z += 719468;
    int64_t era = (z >= 0 ? z : z - 146096) / 146097;
    int64_t doe = z - era * 146097;
    int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    int64_t mp = (5 * doy + 2) / 153;
    *d = (int)(doy - (153 * mp + 2) / 5 + 1);
    *m = (int)(mp < 10 ? mp + 3 : mp - 9);
    *y = (int)(yoe + era * 400 + (*m <= 2));
}

const char *clock_format(int64_t t_ms, char out[CLOCK_RFC3339_SIZE])
{
    const int64_t least = INT64_C(-62167219200000), most = INT64_C(253402300799999);
    t_ms = t_ms < least ? least : t_ms > most ? most : t_ms;
    int64_t days = t_ms / 86400000, ms = t_ms % 86400000;
    if (ms < 0) {
        ms += 86400000;
        days--;
    }
    int y, m, d;
    civil_from_days(days, &y, &m, &d);
    snprintf(out, CLOCK_RFC3339_SIZE, "%04u-%02u-%02uT%02u:%02u:%02u.%03uZ",
             (unsigned)y % 10000, (unsigned)m % 100, (unsigned)d % 100,
             (unsigned)(ms / 3600000) % 100, (unsigned)(ms / 60000 % 60),
             (unsigned)(ms / 1000 % 60), (unsigned)(ms % 1000));
    return out;
}

static int two(const char *s, int *v)
{
    if (!isdigit((unsigned char)s[0]) || !isdigit((unsigned char)s[1]))
        return -1;
    *v = (s[0] - '0') * 10 + (s[1] - '0');
    return 0;
}

static int parse_rfc3339(const char *s, int64_t *t_ms)
{
    int c, y2, m, d, h, mi, se;
    if (strlen(s) < 20 || two(s, &c) || two(s + 2, &y2) || s[4] != '-' ||
        two(s + 5, &m) || s[7] != '-' || two(s + 8, &d) ||
        (s[10] != 'T' && s[10] != 't' && s[10] != ' ') || two(s + 11, &h) ||
        s[13] != ':' || two(s + 14, &mi) || s[16] != ':' || two(s + 17, &se))
        return -1;
    int y = c * 100 + y2;
    static const int len[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    if (m < 1 || m > 12 || h > 23 || mi > 59 || se > 60)
        return -1;
    int leap = m == 2 && (y % 4 == 0 && (y % 100 || y % 400 == 0));
    if (d < 1 || d > len[m - 1] + leap)
        return -1;
    s += 19;
    double frac = 0, unit = 0.1;
    if (*s == '.') {
        if (!isdigit((unsigned char)*++s))
            return -1;
        for (; isdigit((unsigned char)*s); s++, unit /= 10)
            frac += (*s - '0') * unit;
    }
    int oh = 0, om = 0, sign = 1;
    if (*s == 'Z' || *s == 'z') {
        s++;
    } else if (*s == '+' || *s == '-') {
        sign = *s == '-' ? -1 : 1;
        if (strlen(s) < 6 || two(s + 1, &oh) || s[3] != ':' || two(s + 4, &om) ||
            oh > 23 || om > 59)
            return -1;
        s += 6;
    } else {
        return -1;
    }
    if (*s)
        return -1;
    *t_ms =
        ((days_from_civil(y, m, d) * 24 + h - sign * oh) * 60 + mi - sign * om) * 60000 +
        se * 1000 + (int64_t)floor(frac * 1000 + 1e-6);
    return 0;
}

int clock_parse(const char *text, const char *what, int64_t *t_ms, struct err *e)
{
    if (parse_rfc3339(text, t_ms) == 0)
        return 0;
    char *end;
    double x = strtod(text, &end);
    bool decimal =
        *text && !text[strspn(text, "0123456789+-.eE")]; /* no hex, no spaces */
    if (decimal && !*end && isfinite(x) && fabs(x) < 2.6e14) {
        *t_ms = (int64_t)llround(fabs(x) >= 5e11 ? x : x * 1000);
        return 0;
    }
    return err_set(
        e, ERR_INVALID,
        "%s must be a time such as 2026-11-20T10:00:00Z, epoch seconds or epoch "
        "milliseconds, not \"%.60s\"",
        what, text);
}
