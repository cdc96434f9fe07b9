/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tools/replay.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/mem.h"
#include "common/reading.h"
#include "common/stop.h"
#include "tools/progress.h"

#define AT(field) offsetof(struct replay_opts, field)

static const struct option table[] = {
    {"mqtt", "URL", OPT_TEXT, AT(to.url), 0, 0,
     "the broker: tcp://HOST:PORT or ssl://HOST:PORT"},
    {"user", "NAME", OPT_TEXT, AT(to.user), 0, 0, "user name at the broker"},
    {"password-file", "FILE", OPT_TEXT, AT(to.password_file), 0, 0,
     "file whose first line is the password"},
    {"ca-file", "FILE", OPT_TEXT, AT(to.ca_file), 0, 0,
     "certificate authority for ssl:// (default: the system's)"},
    {"qos", "N", OPT_INT, AT(to.qos), 0, 1,
     "0 or 1 (default 1: each message is acknowledged)"},
    {"dry-run", NULL, OPT_FLAG, AT(to.dry_run), 0, 0,
     "print \"topic payload\" lines instead of publishing"},
    {"preset", "NAME", OPT_TEXT, AT(preset), 0, 0,
     "the columns of a known kind of file, see below; other options replace parts of it"},
    {"time", "COLUMN", OPT_TEXT, AT(layout.time), 0, 0,
     "column of the time; several joined by + are read with a space between"},
    {"time-format", "FORMAT", OPT_TEXT, AT(layout.time_format), 0, 0,
     "such as \"%d/%m/%Y %H:%M:%S\" (default: RFC 3339 or epoch)"},
    {"utc-offset", "+HH:MM", OPT_TEXT, AT(layout.utc_offset), 0, 0,
     "of times that name no zone (default +00:00)"},
    {"device", "COLUMN|=NAME", OPT_TEXT, AT(layout.device), 0, 0,
     "column of the device's name, or one name for all rows"},
    {"map", "MAP", OPT_LIST, AT(layout.maps), 0, 0,
     "COLUMN=QUANTITY or COLUMN=DEVICE.QUANTITY, with *FACTOR after it if the unit needs "
     "it; "
     "may be repeated"},
    {"missing", "TEXT", OPT_TEXT, AT(layout.missing), 0, 0,
     "a cell that means no value, such as -200 (empty and NA always do)"},
    {"shape", "NAME", OPT_TEXT, AT(layout.shape), 0, 0,
     "native (default), system0, system1, system2 or system3"},
    {"prefix", "TEXT", OPT_TEXT, AT(prefix), 0, 0,
     "first level of the topic (default: the shape's own, such as fieldcast)"},
    {"speed", "X|max", OPT_TEXT, AT(speed_text), 0, 0,
     "how many times faster than it was measured (default max)"},
    {"from", "TIME", OPT_TEXT, AT(from_text), 0, 0, "leave out rows before this time"},
    {"to", "TIME", OPT_TEXT, AT(to_text), 0, 0, "leave out rows at and after this time"},
    {"count", "N", OPT_INT, AT(count), 1, 1e15, "end after so many messages"},
    {"shift-to-now", NULL, OPT_FLAG, AT(shift_to_now), 0, 0,
     "move all times so that the last row lies at the present moment"},
    {"clock-file", "FILE", OPT_TEXT, AT(clock_file), 0, 0,
     "keep this clock file (FC_CLOCK_FILE of the services) at the time of the rows"},
    {"boot", "N", OPT_INT, AT(boot), 0, UINT32_MAX,
     "the boot counter in native messages (default: another for each run)"},
    {"help", NULL, OPT_FLAG, AT(help), 0, 0, "this text"},
    {0}};

static void help(void)
{
    printf("Publishes a CSV file (also gzip'ed) over MQTT: each row as the messages its "
           "devices\n"
           "would have sent.\n\n"
           "  fieldcast replay FILE.csv --mqtt tcp://HOST:PORT [options]\n\n");
    options_print(table, stdout);
    printf("\nPresets\n");
    const char *name, *sentence;
    for (size_t i = 0; (name = replay_preset_name(i, &sentence)); i++)
        printf("  %-14s %s\n", name, sentence);
    printf("\nExamples\n"
           "  A week of two rooms as their ESP32s sent it, so that it ends now:\n"
           "    fieldcast replay --preset esp32-home raw_1min_kitchen_office.csv \\\n"
           "        --mqtt tcp://127.0.0.1:1883 --shift-to-now\n"
           "  A table of one's own, a hundred times faster than it was measured:\n"
           "    fieldcast replay log.csv --mqtt tcp://127.0.0.1:1883 --speed 100 --time "
           "when \\\n"
           "        --device sensor --map \"T (C)=temperature\" --map \"P "
           "(Pa)=pressure*0.01\"\n"
           "  A column for each room (t_attic, t_hall, ...):\n"
           "    fieldcast replay wide.csv --dry-run --time time --map "
           "\"t_*=*.temperature\"\n\n"
           "Exit code: 0 when all was acknowledged, 1 when not, 2 for a wrong command "
           "line.\n");
}

static const char *either(const char *said, const char *preset)
{
    return said ? said : preset;
}

static int apply_preset(struct replay_opts *o, struct err *e)
{
    struct replay_layout *l = &o->layout;
    const struct replay_layout *p = replay_preset(o->preset);
    if (!p)
        return err_set(
            e, ERR_INVALID,
            "there is no preset \"%.40s\" (fieldcast replay --help lists them)",
            o->preset);
    l->time = either(l->time, p->time);
    l->time_format = either(l->time_format, p->time_format);
    l->utc_offset = either(l->utc_offset, p->utc_offset);
    l->device = either(l->device, p->device);
    l->missing = either(l->missing, p->missing);
    l->shape = either(l->shape, p->shape);
    if (!l->maps.n) {
        l->maps = p->maps;
        l->loose = p->loose;
    }
    return 0;
}

static int read_speed(struct replay_opts *o, struct err *e)
{
    if (!o->speed_text || strcmp(o->speed_text, "max") == 0)
        return 0;
    char *end;
    o->speed = strtod(o->speed_text, &end);
    if (end == o->speed_text || *end || !(o->speed >= 0.001 && o->speed <= 1e6))
        return err_set(e, ERR_INVALID,
                       "--speed must be max or from 0.001 to 1000000, not %.40s",
                       o->speed_text);
    return 0;
}

int replay_options(int argc, char **argv, struct replay_opts *o, struct err *e)
{
    *o = (struct replay_opts){.to = {.command = "replay", .qos = 1},
                              .from_ms = INT64_MIN,
                              .to_ms = INT64_MAX,
                              .count = INT64_MAX,
                              .boot = -1};
    size_t n;
    if (options_parse(table, argc, argv, o, &o->file, 1, &n, e) || o->help)
        return o->help ? 0 : -1;
    if (!n)
        return err_set(e, ERR_INVALID, "say which file to replay");
    if (!o->to.url && !o->to.dry_run)
        return err_set(e, ERR_INVALID,
                       "say where to publish (--mqtt tcp://HOST:PORT), or --dry-run");
    if ((o->preset && apply_preset(o, e)) || read_speed(o, e))
        return -1;
    if (!o->layout.shape)
        o->layout.shape = "native";
    o->shape = shape_find(o->layout.shape);
    if (!o->shape)
        return err_set(e, ERR_INVALID, "--shape must be %s, not %.40s", shape_names(),
                       o->layout.shape);
    if ((o->from_text && clock_parse(o->from_text, "--from", &o->from_ms, e)) ||
        (o->to_text && clock_parse(o->to_text, "--to", &o->to_ms, e)))
        return -1;
    if (o->from_ms >= o->to_ms)
        return err_set(e, ERR_INVALID, "--to must be later than --from");
    if (o->shift_to_now && strcmp(o->file, "-") == 0)
        return err_set(
            e, ERR_INVALID,
            "--shift-to-now reads the file twice: it cannot be standard input");
    return 0;
}

/* What a first look through the file tells. */
struct extent {
    uint64_t rows;
    int64_t first_ms, last_ms;
};

struct sender { /* a device and how many readings it has sent */
    char *raw;  /* owned */
    char name[DEVICE_MAX + 1];
    uint32_t seq;
};

struct run {
    const struct replay_opts *o;
    struct publisher *out;
    struct sender *senders; /* owned */
    size_t n_senders, last;
    uint32_t boot;
    int64_t shift_ms, row_ms; /* row_ms: the row at hand, shifted */
    uint64_t sent, empty_rows;
    struct shape_message message; /* here, for it is large */
};

static int open_table(const struct replay_opts *o, struct csv **c,
                      struct replay_columns **rc, struct err *e)
{
    *c = csv_open(o->file, e);
    if (!*c)
        return -1;
    int got = csv_next(*c, e);
    if (got == 0)
        err_set(e, ERR_INVALID, "%s is empty", o->file);
    if (got <= 0)
        return -1;
    csv_header(*c);
    *rc = replay_columns_new(&o->layout, *c, e);
    return *rc ? 0 : -1;
}

/* Goes to the next row between --from and --to: 1, 0 at the end, -1. */
static int next_row(const struct replay_opts *o, struct csv *c, struct replay_columns *rc,
                    int64_t *t_ms, struct err *e)
{
    int got;
    while ((got = csv_next(c, e)) == 1) {
        if (replay_row_time(rc, c, t_ms, e))
            return -1;
        if (*t_ms >= o->from_ms && *t_ms < o->to_ms)
            return 1;
    }
    return got;
}

static int look_through(const struct replay_opts *o, struct extent *x, struct err *e)
{
    struct csv *c = NULL;
    struct replay_columns *rc = NULL;
    int64_t t_ms;
    *x = (struct extent){0, INT64_MAX, INT64_MIN};
    int got = open_table(o, &c, &rc, e);
    while (got >= 0 && (got = next_row(o, c, rc, &t_ms, e)) == 1) {
        x->rows++;
        x->first_ms = t_ms < x->first_ms ? t_ms : x->first_ms;
        x->last_ms = t_ms > x->last_ms ? t_ms : x->last_ms;
    }
    if (got == 0 && !x->rows)
        got = err_set(e, ERR_INVALID, "%s has no row%s", o->file,
                      o->from_text || o->to_text ? " between --from and --to" : "");
    replay_columns_free(rc);
    csv_close(c);
    return got;
}

static struct sender *find_sender(struct run *r, const char *raw)
{
    if (r->last < r->n_senders && strcmp(r->senders[r->last].raw, raw) == 0)
        return &r->senders[r->last];
    for (r->last = 0; r->last < r->n_senders; r->last++)
        if (strcmp(r->senders[r->last].raw, raw) == 0)
            return &r->senders[r->last];
    r->senders = xrealloc(r->senders, (r->n_senders + 1) * sizeof *r->senders);
    struct sender *s = &r->senders[r->n_senders++];
    *s = (struct sender){.raw = xstrdup(raw)};
    if (device_from_raw(raw, s->name))
        *s->name = '\0'; /* shape_write() refuses it with a sentence */
    return s;
}

static int take(void *arg, struct sample *s, struct err *e)
{
    struct run *r = arg;
    enum { DEVICES_MAX = 10000 };
    if (r->n_senders > DEVICES_MAX)
        return err_set(e, ERR_INVALID, "the file has more than %d devices", DEVICES_MAX);
    struct sender *from = find_sender(r, s->device);
    if (!shape_sends_raw_ids(r->o->shape))
        s->device = from->name;
    s->boot = r->boot;
    s->seq = from->seq + 1;
    s->ts_ms = r->row_ms;
    s->past = !(r->o->speed == 1 && r->o->shift_to_now);
    size_t parts = shape_parts(r->o->shape, s);
    from->seq += parts > 0;
    for (size_t i = 0; i < parts && (int64_t)r->sent < r->o->count; i++, r->sent++)
        if (shape_write(r->o->shape, s, i, r->o->prefix, &r->message, e) ||
            publisher_send(r->out, r->message.topic, r->message.payload, r->message.len,
                           e))
            return -1;
    return 0;
}

/* Replaced as a whole, so that no service reads half a line. */
static int write_clock(const char *path, int64_t t_ms, double speed, struct err *e)
{
    char next[4096];
    int n = snprintf(next, sizeof next, "%s.next", path);
    FILE *f = n > 0 && (size_t)n < sizeof next ? fopen(next, "we") : NULL;
    bool ok = f && fprintf(f, "%" PRId64 " %.17g\n", t_ms, speed) > 0;
    ok = f && fclose(f) == 0 && ok && rename(next, path) == 0;
    return ok ? 0
              : err_set(e, ERR_INVALID, "could not write the clock file %.200s: %s", path,
                        strerror(errno));
}

/* Waits until it is the row's turn; false when to stop. */
static bool wait_for_row(const struct run *r, int64_t first_ms, int64_t began_us)
{
    if (r->o->speed <= 0)
        return r->sent % 64 || stop_wait(0);
    double due_us = (double)(r->row_ms - first_ms) * 1000 / r->o->speed;
    double left_us;
    while ((left_us = due_us - (double)(clock_mono_us() - began_us)) > 0)
        if (!stop_wait(left_us < 1e6 ? (int64_t)ceil(left_us / 1000) : 1000))
            return false;
    return stop_wait(0);
}

static int send_rows(struct run *r, const struct extent *x, struct csv *c,
                     struct replay_columns *rc, struct err *e)
{
    struct progress bar;
    progress_init(&bar, "replay", "rows", x->rows, clock_mono_ms());
    int64_t began_us = clock_mono_us(), first_ms = INT64_MIN, t_ms = 0;
    uint64_t rows = 0;
    int got;
    while ((int64_t)r->sent < r->o->count && (got = next_row(r->o, c, rc, &t_ms, e))) {
        if (got < 0)
            return -1;
        r->row_ms = t_ms + r->shift_ms;
        bool first = first_ms == INT64_MIN;
        first_ms = first ? r->row_ms : first_ms;
        if (r->o->clock_file && (first || r->o->speed <= 0) &&
            write_clock(r->o->clock_file, r->row_ms, r->o->speed, e))
            return -1;
        if (!wait_for_row(r, first_ms, began_us))
            return err_set(e, ERR_NONE, "stopped before the end of the file");
        uint64_t before = r->sent;
        if (replay_row_samples(rc, c, take, r, e))
            return -1;
        r->empty_rows += r->sent == before;
        progress_update(&bar, ++rows, clock_mono_ms());
    }
    if (publisher_finish(r->out, e))
        return -1;
    progress_end(&bar, rows, clock_mono_ms());
    fprintf(stderr,
            "replay: %" PRIu64 " messages of %zu device%s; %" PRIu64
            " rows had no value to send\n",
            r->sent, r->n_senders, r->n_senders == 1 ? "" : "s", r->empty_rows);
    return 0;
}

int replay_main(int argc, char **argv)
{
    struct err e = ERR_INIT;
    struct replay_opts o;
    if (replay_options(argc, argv, &o, &e))
        return options_refuse("replay", &e);
    if (o.help) {
        help();
        return 0;
    }
    stop_init();
    struct run r = {.o = &o};
    struct extent x = {0};
    struct csv *c = NULL;
    struct replay_columns *rc = NULL;
    int code = 1;
    if (clock_init(getenv("FC_CLOCK_FILE"), &e) ||
        (strcmp(o.file, "-") != 0 && look_through(&o, &x, &e)) ||
        open_table(&o, &c, &rc, &e))
        goto out;
    if (o.shift_to_now) { /* by whole minutes, so that rows on the hour stay on a minute
                           */
        r.shift_ms = clock_now_ms() - x.last_ms;
        r.shift_ms -= r.shift_ms % 60000;
    }
    r.boot = publisher_boot(&o.to, o.boot);
    r.out = publisher_open(&o.to, &e);
    if (r.out && send_rows(&r, &x, c, rc, &e) == 0)
        code = 0;
out:
    if (code)
        options_fail("replay", &e);
    publisher_close(r.out);
    replay_columns_free(rc);
    csv_close(c);
    for (size_t i = 0; i < r.n_senders; i++)
        free(r.senders[i].raw);
    free(r.senders);
    return code;
}
