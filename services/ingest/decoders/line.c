/* SPDX-License-Identifier: GPL-3.0-or-later */
/* influx/#: InfluxDB's line protocol, one or more lines.
 *   weather,device=garden,location=north temperature=21.5,wet=t,note="dry"
 * 1795168800000000000 temperature,sensor=attic value=19.5 The device is the first of the
 * tags below that a line has, else the measurement. A field that is called value is named
 * by the measurement when a tag names the device. Texts are passed over. The time's unit
 * goes by its size. Each line is read by itself: a bad one is refused with its number,
 * the others are taken. */
#include <stdio.h>
#include <string.h>

#include "common/utf8.h"
#include "services/ingest/decode.h"

#define KEY_MAX 256 /* of a measurement, tag or field; longer ones are refused */

/* The first of these that a line has says what measured; places do when nothing else
 * does: two of one measurement would be one series. */
static const char *const device_tags[] = {
    "device", "device_id",   "dev",         "sensor", "sensor_id", "host", "node",
    "id",     "device_name", "sensor_name", "name",   "station",   "room", "location"};
#define N_DEVICE_TAGS (sizeof device_tags / sizeof *device_tags)

/* One line, read from p to end; what has been read is in the rest. */
struct line {
    const char *p, *end;
    char measurement[KEY_MAX + 1], device[KEY_MAX + 1], location[KEY_MAX + 1];
    size_t rank; /* of the tag that gave the device; N_DEVICE_TAGS: none */
};

static enum reject bad(struct err *e, const char *what)
{
    return reject_say(REJECT_BAD_SHAPE, e, "%s", what);
}

/* Reads up to one of the signs in stop, unescaped; a backslash before anything but these
 * signs and a space stays. */
static enum reject word(struct line *l, const char *stop, char out[KEY_MAX + 1],
                        struct err *e)
{
    size_t n = 0;
    while (l->p < l->end && !strchr(stop, *l->p)) {
        bool escape =
            *l->p == '\\' && l->p + 1 < l->end && strchr(", =\\", l->p[1]) != NULL;
        l->p += escape;
        if (!*l->p)
            return bad(e, "a NUL byte is in it");
        if (n == KEY_MAX)
            return bad(e, "a name is longer than 256 bytes");
        out[n++] = *l->p++;
    }
    out[n] = '\0';
    return utf8_valid(out) ? REJECT_NONE : bad(e, "a name is not UTF-8");
}

static void note_tag(struct line *l, const char *key, const char *value)
{
    for (size_t i = 0; i < l->rank; i++)
        if (!strcmp(key, device_tags[i])) {
            l->rank = i;
            strcpy(l->device, value);
        }
    if (!strcmp(key, "location"))
        strcpy(l->location, value);
}

/* measurement,tag=value,… and the space behind them. */
static enum reject head(struct line *l, struct err *e)
{
    char key[KEY_MAX + 1] = "", value[KEY_MAX + 1] = "";
    enum reject r = word(l, ", ", l->measurement, e);
    if (!r && !*l->measurement)
        return bad(e, "the measurement is missing");
    while (!r && l->p < l->end && *l->p == ',') {
        l->p++;
        if ((r = word(l, "=, ", key, e)))
            return r;
        if (l->p == l->end || *l->p != '=' || !*key)
            return bad(e, "a tag is not built as key=value");
        l->p++;
        r = word(l, "=, ", value, e);
        if (!r && !*value)
            return bad(e, "a tag has no value");
        if (!r)
            note_tag(l, key, value);
    }
    if (!r && l->p == l->end)
        return bad(e, "there are no fields");
    while (l->p < l->end && *l->p == ' ')
        l->p++;
    return r;
}

/* ---- fields
 * ----------------------------------------------------------------------------- */

static enum reject text_field(struct line *l, struct err *e)
{
    for (l->p++; l->p < l->end; l->p++) {
        if (*l->p == '"') {
            l->p++;
            return REJECT_NONE;
        }
        l->p += *l->p == '\\' && l->p + 1 < l->end;
    }
    return bad(e, "a text has no closing quote");
}

static bool boolean(const char *s, size_t n, double *x)
{
    static const char *const words[] = {"t", "T", "true",  "True",  "TRUE",
                                        "f", "F", "false", "False", "FALSE"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strlen(words[i]) == n && !memcmp(words[i], s, n)) {
            *x = i < 5;
            return true;
        }
    return false;
}

static bool number(const char *s, size_t n, double *x)
{
    if (memchr(s, '\0', n))
        return false;
    bool whole = n > 1 && (s[n - 1] == 'i' || s[n - 1] == 'u');
    if (!whole)
        return decode_number(s, n, x);
    for (size_t i = 0; i + 1 < n; i++)
        if ((s[i] < '0' || s[i] > '9') &&
            !(i == 0 && n > 2 && s[i] == '-' && s[n - 1] == 'i'))
            return false;
    return decode_number(s, n - 1, x);
}

/* key=value; *is_number says whether *x has one. */
static enum reject field(struct line *l, char key[KEY_MAX + 1], double *x,
                         bool *is_number, struct err *e)
{
    enum reject r = word(l, "=, ", key, e);
    *is_number = false;
    if (r)
        return r;
    if (l->p == l->end || *l->p != '=' || !*key)
        return bad(e, "a field is not built as key=value");
    l->p++;
    if (l->p < l->end && *l->p == '"')
        return text_field(l, e);
    const char *start = l->p;
    while (l->p < l->end && *l->p != ',' && *l->p != ' ')
        l->p++;
    size_t n = (size_t)(l->p - start);
    *is_number = boolean(start, n, x) || number(start, n, x);
    if (*is_number)
        return REJECT_NONE;
    return reject_say(REJECT_BAD_SHAPE, e,
                      "the value of field \"%.60s\" is neither a number, true or false, "
                      "nor a text in quotes",
                      key);
}

static enum reject add_field(struct line *l, struct message *m, struct err *e)
{
    char key[KEY_MAX + 1] = "";
    double x = 0;
    bool is_number;
    enum reject r = field(l, key, &x, &is_number, e);
    bool by_measurement = !strcmp(key, "value") && l->rank < N_DEVICE_TAGS;
    if (!r && is_number)
        r = decode_loose(m, by_measurement ? l->measurement : key, x, NULL, e);
    if (!r && l->p < l->end && *l->p != ',' && *l->p != ' ')
        r = bad(e, "something follows a text in quotes");
    return r;
}

/* ---- a line
 * ----------------------------------------------------------------------------- */

static enum reject stamp(struct line *l, struct message *m, struct err *e)
{
    struct raw_time *t = &message_last(m)->time;
    while (l->p < l->end && *l->p == ' ')
        l->p++;
    if (l->p == l->end)
        return REJECT_NONE;
    size_t n = (size_t)(l->end - l->p);
    while (n && l->p[n - 1] == ' ')
        n--;
    for (size_t i = *l->p == '-'; i < n; i++)
        if (l->p[i] < '0' || l->p[i] > '9')
            return bad(e, "what follows the fields is no time: a whole number is "
                          "expected");
    if (!decode_number(l->p, n, &t->number))
        return bad(e, "what follows the fields is no time: a whole number is expected");
    t->kind = RAW_TIME_NUMBER;
    return REJECT_NONE;
}

/* Into the newest item of m. */
static enum reject read_line(struct line *l, struct message *m, struct err *e)
{
    enum reject r = head(l, e);
    if (!r)
        r = decode_device_text(m, l->rank < N_DEVICE_TAGS ? l->device : l->measurement,
                               e);
    if (r)
        return r;
    snprintf(message_last(m)->r.location, sizeof message_last(m)->r.location, "%.64s",
             l->location);
    while (!(r = add_field(l, m, e)) && l->p < l->end && *l->p == ',')
        l->p++;
    return r ? r : stamp(l, m, e);
}

static void refuse_line(struct message *m, size_t number, enum reject r, struct err *e)
{
    struct item *it = message_last(m);
    it->r.n = 0;
    it->reject = r;
    err_prefix(e, "line %zu", number);
    message_refuse(m, it, r, e);
}

/* An item of m's for each line that says something; used counts them. */
static enum reject take_line(const char *p, size_t n, size_t number, struct message *m,
                             size_t *used, struct err *e)
{
    struct line l = {.p = p, .end = p + n, .rank = N_DEVICE_TAGS};
    if (*used == m->n && !message_add(m)) {
        message_begin(m); /* what was taken of it is not */
        message_add(m);
        return reject_say(REJECT_TOO_MANY_VALUES, e, "the message has more than %d lines",
                          MESSAGE_ITEMS_MAX);
    }
    enum reject r = read_line(&l, m, e);
    struct item *it = message_last(m);
    if (r)
        refuse_line(m, number, r, e);
    if (r || it->r.n || it->left_out) {
        *used += 1;
        return REJECT_NONE;
    }
    m->n--; /* only texts: nothing to store. Its memory is the next line's */
    return REJECT_NONE;
}

enum reject decode_line(const struct input *in, struct message *m, struct err *e)
{
    const char *p = in->payload, *end = p + in->len;
    size_t used = 0, number = 1;
    enum reject r = REJECT_NONE;
    bool any = false;
    for (; p < end && !r; number++) {
        const char *nl = memchr(p, '\n', (size_t)(end - p));
        const char *stop = nl ? nl : end;
        const char *next = nl ? nl + 1 : end;
        while (stop > p && (stop[-1] == '\r' || stop[-1] == ' '))
            stop--;
        while (p < stop && *p == ' ')
            p++;
        if (p < stop && *p != '#') {
            any = true;
            r = take_line(p, (size_t)(stop - p), number, m, &used, e);
        }
        p = next;
    }
    if (!r && !any)
        return reject_say(REJECT_NO_VALUES, e, "the message has no line");
    if (!r)
        m->n = used;
    return r;
}
