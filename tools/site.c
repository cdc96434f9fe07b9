/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tools/site.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#define TABLE "/usr/share/zoneinfo"
#define HOUR_S 3600
#define DAY_S (24 * HOUR_S)
#define ZONE_YEARS 11 /* of two changes each: fewer than ZONE_SPANS_MAX, as a rule */

/* Beside the zones there are lists of them, which the C library takes for UTC. */
static bool is_zone(const char *path)
{
    char magic[4] = "";
    FILE *f = fopen(path, "re");
    bool is = f && fread(magic, 1, sizeof magic, f) == sizeof magic &&
              !memcmp(magic, "TZif", sizeof magic);
    if (f)
        fclose(f);
    return is;
}

int site_set(const char *name, struct err *e)
{
    char path[sizeof TABLE + ZONE_NAME_SIZE + 1];
    struct stat st;
    bool named = strcmp(name, "localtime") && strcmp(name, "posixrules") &&
                 strcmp(name, "Factory") && *name && *name != '/' && *name != '.' &&
                 !strstr(name, "..") && strlen(name) < ZONE_NAME_SIZE;
    snprintf(path, sizeof path, "%s/%.*s", TABLE, ZONE_NAME_SIZE, name);
    if (stat(TABLE, &st))
        return err_set(e, ERR_INVALID,
                       "--tz needs the table of time zones in %s (package tzdata)",
                       TABLE);
    if (!named || stat(path, &st) || !S_ISREG(st.st_mode) || !is_zone(path))
        return err_set(e, ERR_INVALID,
                       "--tz \"%.64s\" is no time zone: one is called like Europe/Vienna",
                       name);
    setenv("TZ", name, 1);
    tzset();
    return 0;
}

static int ahead(int64_t t_s)
{
    struct tm tm;
    time_t t = (time_t)t_s;
    return localtime_r(&t, &tm) ? (int)tm.tm_gmtoff : 0;
}

/* Where there is no room, in favour of what holds last. */
static void add(struct zone *z, int64_t from_s, int offset_s)
{
    if (zone_add(z, from_s, offset_s))
        return;
    z->n--;
    memmove(z->span, z->span + 1, z->n * sizeof z->span[0]);
    zone_add(z, from_s, offset_s);
}

/* Looks once a day, and where that has changed, at each of its hours. */
void site_zone(const char *name, int64_t from_s, int64_t to_s, struct zone *z)
{
    *z = (struct zone){0};
    snprintf(z->name, sizeof z->name, "%s", name);
    if (to_s - from_s > ZONE_YEARS * INT64_C(365) * DAY_S)
        from_s = to_s - ZONE_YEARS * INT64_C(365) * DAY_S;
    int before = ahead(from_s);
    zone_add(z, from_s, before);
    for (int64_t day = from_s; day < to_s; day += DAY_S) {
        if (ahead(day + DAY_S) == before)
            continue;
        for (int64_t t = day + HOUR_S; t <= day + DAY_S; t += HOUR_S)
            add(z, t, ahead(t));
        before = ahead(day + DAY_S);
    }
}
