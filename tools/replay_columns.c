/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tools/replay_columns.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "common/clock.h"
#include "common/mem.h"
#include "common/reading.h"

static const struct preset {
    const char *name, *sentence;
    struct replay_layout layout;
} presets[] = {
    {"esp32-home",
     "minutes of a home, a column for each room: time,temp_kitchen,hum_kitchen,...",
     {.time = "time",
      .utc_offset = "-06:00",
      .loose = true,
      .shape = "system0",
      .maps = {{"temp_*=*.temperature", "hum_*=*.humidity"}, 2}}},
    {"iot-telemetry",
     "three sensor arrays: ts,device,co,humidity,light,lpg,motion,smoke,temp",
     {.time = "ts",
      .device = "device",
      .loose = true,
      .shape = "system1",
      .maps = {{"co=co", "humidity=humidity", "light=light", "lpg=lpg", "motion=motion",
                "smoke=smoke", "temp=temperature"},
               7}}},
    {"uci",
     "hourly air quality in an Italian city: Date,Time,CO_GT,...,T,RH,AH",
     {.time = "Date+Time",
      .time_format = "%d/%m/%Y %H:%M:%S",
      .utc_offset = "+01:00",
      .device = "=station",
      .missing = "-200",
      .loose = true,
      .shape = "native",
      /* CO comes in mg/m3: ppm at 25 degC and 1013.25 hPa is 24.45 / 28.01 of that */
      .maps = {{"CO_GT=co*0.872902535", "NO2_GT=no2", "C6H6_GT=benzene", "T=temperature",
                "RH=humidity"},
               5}}},
    {"beijing",
     "hourly PM2.5 and weather: No,year,month,day,hour,pm2.5,DEWP,TEMP,PRES,...",
     {.time = "year+month+day+hour",
      .time_format = "%Y %m %d %H",
      .utc_offset = "+08:00",
      .device = "=beijing",
      .loose = true,
      .shape = "native",
      .maps = {{"pm2.5=pm25", "DEWP=dew_point", "TEMP=temperature", "PRES=pressure"},
               4}}},
    {"occupancy",
     "minutes of an office room: date,Temperature,Humidity,Light,CO2,...",
     {.time = "date",
      .utc_offset = "+01:00",
      .device = "=office",
      .loose = true,
      .shape = "native",
      .maps = {{"Temperature=temperature", "Humidity=humidity", "Light=light", "CO2=co2",
                "Occupancy=occupancy"},
               5}}},
};

struct column {
    size_t index;
    size_t device; /* in devices[], or OF_ROW */
    char quantity[REPLAY_NAME_SIZE];
    double factor;
};
#define OF_ROW ((size_t)-1)

struct replay_columns {
    const struct replay_layout *l;
    size_t time[8], n_time;
    int64_t offset_ms;
    int device_column; /* -1: none */
    char devices[REPLAY_MAPS_MAX][REPLAY_NAME_SIZE];
    size_t n_devices;
    struct column columns[REPLAY_MAPS_MAX];
    size_t n_columns;
    size_t header_fields;
};

const struct replay_layout *replay_preset(const char *name)
{
    for (size_t i = 0; i < sizeof presets / sizeof *presets; i++)
        if (strcmp(presets[i].name, name) == 0)
            return &presets[i].layout;
    return NULL;
}

const char *replay_preset_name(size_t i, const char **sentence)
{
    if (i >= sizeof presets / sizeof *presets)
        return NULL;
    *sentence = presets[i].sentence;
    return presets[i].name;
}

int replay_offset_parse(const char *text, int64_t *offset_ms, struct err *e)
{
    unsigned h, m;
    int end = 0;
    if ((*text == '+' || *text == '-') && strlen(text) == 6 &&
        sscanf(text + 1, "%2u:%2u%n", &h, &m, &end) == 2 && end == 5 && h < 24 &&
        m < 60) {
        *offset_ms = (h * INT64_C(60) + m) * (*text == '-' ? -60000 : 60000);
        return 0;
    }
    return err_set(e, ERR_INVALID,
                   "the offset from UTC must read like +01:00 or -06:00, not \"%.40s\"",
                   text);
}

static int no_column(const struct csv *c, const char *name, struct err *e)
{
    char known[300] = "";
    for (size_t i = 0; *csv_column_name(c, i) && strlen(known) < 200; i++)
        snprintf(known + strlen(known), sizeof known - strlen(known), "%s%.40s",
                 i ? ", " : "", csv_column_name(c, i));
    return err_set(e, ERR_INVALID, "there is no column \"%.60s\"; there are %s", name,
                   known);
}

static int add_time(struct replay_columns *rc, const struct csv *c, struct err *e)
{
    char names[200], *rest = names, *name;
    snprintf(names, sizeof names, "%s", rc->l->time);
    while ((name = strsep(&rest, "+"))) {
        int i = csv_column(c, name);
        if (i < 0)
            return no_column(c, name, e);
        if (rc->n_time == sizeof rc->time / sizeof *rc->time)
            return err_set(e, ERR_INVALID,
                           "the time may be spread over at most 8 columns");
        rc->time[rc->n_time++] = (size_t)i;
    }
    return 0;
}

static size_t add_device(struct replay_columns *rc, const char *name)
{
    size_t i = 0;
    while (i < rc->n_devices && strcmp(rc->devices[i], name) != 0)
        i++;
    if (i == rc->n_devices && i < REPLAY_MAPS_MAX)
        snprintf(rc->devices[rc->n_devices++], REPLAY_NAME_SIZE, "%s", name);
    return i;
}

/* Does the column's name match the pattern, which may hold one *? What * stood for goes
 * to star. */
static bool match(const char *pattern, size_t n, const char *name,
                  char star[REPLAY_NAME_SIZE])
{
    const char *at = memchr(pattern, '*', n);
    size_t len = strlen(name);
    *star = '\0';
    if (!at)
        return len == n && strncasecmp(pattern, name, n) == 0;
    size_t head = (size_t)(at - pattern), tail = n - head - 1;
    if (len <= head + tail || len - head - tail >= REPLAY_NAME_SIZE ||
        strncasecmp(pattern, name, head) != 0 ||
        strncasecmp(at + 1, name + len - tail, tail) != 0)
        return false;
    snprintf(star, REPLAY_NAME_SIZE, "%.*s", (int)(len - head - tail), name + head);
    return true;
}

struct map {
    const char *pattern;
    size_t n;                      /* of the pattern */
    char device[REPLAY_NAME_SIZE]; /* "": the row's */
    char quantity[REPLAY_NAME_SIZE];
    double factor;
};

static int read_map(const char *text, struct map *m, struct err *e)
{
    const char *eq = strrchr(text, '=');
    char target[REPLAY_NAME_SIZE], *end;
    if (!eq || eq == text || !eq[1] || strlen(eq + 1) >= sizeof target)
        return err_set(
            e, ERR_INVALID,
            "--map \"%.60s\" must read COLUMN=QUANTITY or COLUMN=DEVICE.QUANTITY", text);
    *m = (struct map){.pattern = text, .n = (size_t)(eq - text), .factor = 1};
    strcpy(target, eq + 1);
    char *factor = strchr(target + 1, '*'); /* a star at the start is the device */
    if (factor) {
        m->factor = strtod(factor + 1, &end);
        if (end == factor + 1 || *end || !isfinite(m->factor) || m->factor == 0)
            return err_set(e, ERR_INVALID, "--map \"%.60s\": the factor must be a number",
                           text);
        *factor = '\0';
    }
    char *dot = strchr(target, '.');
    if (dot)
        *dot = '\0';
    strcpy(m->device, dot ? target : "");
    strcpy(m->quantity, dot ? dot + 1 : target);
    if (!quantity_valid(m->quantity))
        return err_set(e, ERR_INVALID,
                       "--map \"%.60s\": a quantity has lower-case letters, digits and _",
                       text);
    return 0;
}

/* Every column that a map matches becomes a quantity of a device. */
static int add_map(struct replay_columns *rc, const struct csv *c, const struct map *m,
                   size_t *matched, struct err *e)
{
    char star[REPLAY_NAME_SIZE];
    for (size_t i = 0; *csv_column_name(c, i); i++) {
        if (!match(m->pattern, m->n, csv_column_name(c, i), star))
            continue;
        if (rc->n_columns == REPLAY_MAPS_MAX)
            return err_set(e, ERR_INVALID, "at most %d columns can be replayed",
                           REPLAY_MAPS_MAX);
        struct column *col = &rc->columns[rc->n_columns++];
        *col = (struct column){.index = i, .device = OF_ROW, .factor = m->factor};
        memcpy(col->quantity, m->quantity, sizeof col->quantity);
        if (*m->device)
            col->device = add_device(rc, strcmp(m->device, "*") ? m->device : star);
        else if (rc->l->device && *rc->l->device == '=')
            col->device = add_device(rc, rc->l->device + 1);
        else if (rc->device_column < 0)
            return err_set(
                e, ERR_INVALID,
                "say which device column \"%.60s\" belongs to: --device COLUMN or "
                "--device =NAME",
                csv_column_name(c, i));
        ++*matched;
    }
    return 0;
}

static int apply(struct replay_columns *rc, const struct csv *c, struct err *e)
{
    const struct replay_layout *l = rc->l;
    if (!l->time)
        return err_set(e, ERR_INVALID, "say which column is the time: --time COLUMN");
    if (add_time(rc, c, e) ||
        (l->utc_offset && replay_offset_parse(l->utc_offset, &rc->offset_ms, e)))
        return -1;
    if (l->device && *l->device != '=' &&
        (rc->device_column = csv_column(c, l->device)) < 0)
        return no_column(c, l->device, e);
    if (l->device && !strcmp(l->device, "="))
        return err_set(e, ERR_INVALID, "--device = needs a name after the =");
    for (size_t i = 0; i < l->maps.n; i++) {
        struct map m;
        size_t matched = 0;
        if (read_map(l->maps.item[i], &m, e) || add_map(rc, c, &m, &matched, e))
            return -1;
        if (!matched && !l->loose) {
            char name[REPLAY_NAME_SIZE];
            snprintf(name, sizeof name, "%.*s", (int)m.n, m.pattern);
            return no_column(c, name, e);
        }
    }
    if (!rc->n_columns)
        return err_set(
            e, ERR_INVALID,
            "no column is mapped: --map COLUMN=QUANTITY, or a --preset that fits");
    return 0;
}

struct replay_columns *replay_columns_new(const struct replay_layout *l,
                                          const struct csv *c, struct err *e)
{
    struct replay_columns *rc = xcalloc(1, sizeof *rc);
    rc->l = l;
    rc->device_column = -1;
    rc->header_fields = csv_fields(c);
    if (apply(rc, c, e)) {
        replay_columns_free(rc);
        return NULL;
    }
    return rc;
}

void replay_columns_free(struct replay_columns *rc)
{
    free(rc);
}

/* Tables written by R have a row number that the header does not name. */
static size_t shifted(const struct replay_columns *rc, const struct csv *c, size_t i)
{
    return i + (csv_fields(c) == rc->header_fields + 1);
}

int replay_row_time(const struct replay_columns *rc, const struct csv *c, int64_t *t_ms,
                    struct err *e)
{
    char text[200] = "", zoned[220];
    size_t first = shifted(rc, c, rc->time[0]);
    for (size_t i = 0; i < rc->n_time; i++)
        snprintf(text + strlen(text), sizeof text - strlen(text), "%s%.60s", i ? " " : "",
                 csv_field(c, shifted(rc, c, rc->time[i])));
    if (rc->l->time_format) {
        struct tm tm = {.tm_mday = 1};
        const char *end = strptime(text, rc->l->time_format, &tm);
        if (!end || *end)
            return csv_refuse(c, first, e, "\"%.60s\" is not a time of the form %.40s",
                              text, rc->l->time_format);
        *t_ms = (int64_t)timegm(&tm) * 1000 - rc->offset_ms;
        return 0;
    }
    if (clock_parse(text, "it", t_ms, NULL) == 0)
        return 0;
    snprintf(zoned, sizeof zoned, "%sZ", text);
    if (clock_parse(zoned, "it", t_ms, NULL) == 0) {
        *t_ms -= rc->offset_ms;
        return 0;
    }
    return csv_refuse(c, first, e, "\"%.60s\" is not a time", text);
}

/* One cell into v; returns 0 when there is no value. */
static int read_cell(const struct replay_columns *rc, const struct csv *c,
                     const struct column *col, struct sample_value *v, struct err *e)
{
    size_t i = shifted(rc, c, col->index);
    const char *s = csv_field(c, i);
    *v = (struct sample_value){.quantity = col->quantity};
    if (rc->l->missing && strcmp(s, rc->l->missing) == 0)
        return 0;
    v->boolean = !strcasecmp(s, "true") || !strcasecmp(s, "false");
    if (v->boolean) {
        v->value = !strcasecmp(s, "true");
        return 1;
    }
    if (csv_real(c, i, &v->value, e))
        return -1;
    v->value = shape_scale(v->value, col->factor);
    return isfinite(v->value);
}

int replay_row_samples(struct replay_columns *rc, const struct csv *c,
                       int (*take)(void *arg, struct sample *s, struct err *e), void *arg,
                       struct err *e)
{
    /* the row's own device first, then those that columns name */
    for (size_t d = 0; d <= rc->n_devices; d++) {
        size_t device = d == 0 ? OF_ROW : d - 1;
        struct sample s = {.device = device == OF_ROW ? "" : rc->devices[device]};
        for (size_t i = 0; i < rc->n_columns && s.n < SAMPLE_VALUES_MAX; i++) {
            if (rc->columns[i].device != device)
                continue;
            int got = read_cell(rc, c, &rc->columns[i], &s.value[s.n], e);
            if (got < 0)
                return -1;
            s.n += (size_t)got;
        }
        if (!s.n)
            continue;
        if (device == OF_ROW)
            s.device = csv_field(c, shifted(rc, c, (size_t)rc->device_column));
        if (!*s.device)
            return csv_refuse(c, shifted(rc, c, (size_t)rc->device_column), e,
                              "the device has no name");
        if (take(arg, &s, e))
            return -1;
    }
    return 0;
}
