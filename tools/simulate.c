/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tools/simulate.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/mem.h"
#include "common/stop.h"
#include "tools/duration.h"
#include "tools/progress.h"
#include "tools/sensor.h"

#define AT(field) offsetof(struct simulate_opts, field)

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
    {"devices", "N", OPT_INT, AT(devices), 1, SIMULATE_DEVICES_MAX,
     "number of devices, three quantities each (default 6)"},
    {"every", "TIME", OPT_DURATION, AT(every_ms), 1, 86400000,
     "how often each device sends, such as 30s (default 5m)"},
    {"backfill", "TIME", OPT_DURATION, AT(backfill_ms), 1, (double)DURATION_MAX_MS,
     "begin this long ago, such as 6w, as fast as the broker takes it"},
    {"start", "TIME", OPT_TEXT, AT(start), 0, 0,
     "begin at this time; with --backfill, that long from there"},
    {"live", NULL, OPT_FLAG, AT(live), 0, 0, "go on in real time until interrupted"},
    {"count", "N", OPT_INT, AT(count), 1, 1e15,
     "end after so many samples; alone: the last N"},
    {"rate", "R", OPT_REAL, AT(rate), 0.001, 1e9, "at most so many samples a second"},
    {"shape", "NAME", OPT_TEXT, AT(shape_name), 0, 0,
     "native (default), system0, system1, system2 or system3"},
    {"prefix", "TEXT", OPT_TEXT, AT(prefix), 0, 0,
     "first level of the topic (default: the shape's own, such as fieldcast)"},
    {"fault", "FAULT", OPT_LIST, AT(faults), 0, 0,
     "KIND[=SIZE]@DEVICE.QUANTITY:FROM..TO, see below; may be repeated"},
    {"seed", "N", OPT_INT, AT(seed), 0, 9e15,
     "another number, another house (default 1)"},
    {"boot", "N", OPT_INT, AT(boot), 0, UINT32_MAX,
     "the boot counter in native messages (default: another for each run)"},
    {"help", NULL, OPT_FLAG, AT(help), 0, 0, "this text"},
    {0}};

static void help(void)
{
    printf("Publishes a house of simulated sensors over MQTT: kitchen, office, cellar, "
           "bedroom,\n"
           "bathroom, attic, then device-0007 and so on; each with temperature, humidity "
           "and\n"
           "co2 or pressure. The same seed gives the same values at the same times.\n\n"
           "  fieldcast simulate --mqtt tcp://HOST:PORT [options]\n\n");
    options_print(table, stdout);
    printf("\nA fault is one of\n"
           "  stuck    keeps the value it had at the start\n"
           "  gap      is not sent\n"
           "  spike    one reading in 20 jumps by SIZE\n"
           "  offset   reads SIZE too high\n"
           "  noise    has noise of standard deviation SIZE on top\n"
           "  drift    creeps away by SIZE a day\n"
           "with SIZE in the quantity's unit. FROM and TO are times "
           "(2026-11-20T10:00:00Z), or\n"
           "lengths from now (-2d, +1h, now); without TO it stays for good.\n\n"
           "Examples\n"
           "  Six weeks of history, then live, as the demo does:\n"
           "    fieldcast simulate --mqtt tcp://127.0.0.1:1883 --backfill 6w --live\n"
           "  A kitchen sensor that reads 3 degrees too high from yesterday on:\n"
           "    fieldcast simulate --mqtt tcp://127.0.0.1:1883 --backfill 2w \\\n"
           "        --fault offset=3@kitchen.temperature:-1d..\n"
           "  A thousand devices, each every minute:\n"
           "    fieldcast simulate --mqtt tcp://127.0.0.1:1883 --devices 1000 --every 1m "
           "--live\n"
           "  See what one message looks like, without any broker:\n"
           "    fieldcast simulate --dry-run --count 1 --shape system0\n\n"
           "FC_CLOCK_FILE, if set, is the clock, as for the services. Exit code: 0 when "
           "all was\n"
           "acknowledged, 1 when not, 2 for a wrong command line.\n");
}

int simulate_options(int argc, char **argv, struct simulate_opts *o, struct err *e)
{
    *o = (struct simulate_opts){.to = {.command = "simulate", .qos = 1},
                                .shape_name = "native",
                                .devices = 6,
                                .every_ms = 300000,
                                .seed = 1,
                                .boot = -1};
    size_t n;
    if (options_parse(table, argc, argv, o, NULL, 0, &n, e) || o->help)
        return o->help ? 0 : -1;
    o->shape = shape_find(o->shape_name);
    if (!o->shape)
        return err_set(e, ERR_INVALID, "--shape must be %s, not %.40s", shape_names(),
                       o->shape_name);
    if (!o->to.url && !o->to.dry_run)
        return err_set(e, ERR_INVALID,
                       "say where to publish (--mqtt tcp://HOST:PORT), or --dry-run");
    if (!o->backfill_ms && !o->start && !o->live && !o->count)
        return err_set(
            e, ERR_INVALID,
            "say what to send: --backfill TIME, --live, --start TIME or --count N");
    if (o->backfill_ms && o->start && o->live)
        return err_set(
            e, ERR_INVALID,
            "--start with --live runs up to now by itself: leave --backfill out");
    o->to.patient = o->live;
    return 0;
}

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

int64_t simulate_time(const struct simulate_opts *o, int64_t k)
{
    int64_t round = floor_div(k, o->devices), turn = k - round * o->devices;
    return round * o->every_ms + turn * o->every_ms / o->devices;
}

int64_t simulate_first(const struct simulate_opts *o, int64_t t_ms)
{
    int64_t k = floor_div(t_ms, o->every_ms) * o->devices;
    while (simulate_time(o, k) < t_ms)
        k++;
    return k;
}

/* Samples [first, end); those before `join` are sent at once, the others when it is time.
 */
struct plan {
    int64_t first, join, end;
};

static int make_plan(const struct simulate_opts *o, int64_t now_ms, struct plan *p,
                     struct err *e)
{
    int64_t from_ms = now_ms - o->backfill_ms, until_ms = now_ms;
    if (o->start && clock_parse(o->start, "--start", &from_ms, e))
        return -1;
    if (o->start && o->backfill_ms)
        until_ms = from_ms + o->backfill_ms;
    p->first = simulate_first(o, from_ms);
    p->join = simulate_first(o, until_ms + 1);
    if (p->join < p->first)
        return err_set(e, ERR_INVALID, "--start %s is in the future", o->start);
    if (!o->backfill_ms && !o->start && !o->live)
        p->first = p->join - o->count;
    p->end = o->live ? INT64_MAX : p->join;
    if (o->count && o->count < p->end - p->first)
        p->end = p->first + o->count;
    if (p->join > p->end)
        p->join = p->end;
    return 0;
}

struct run {
    const struct simulate_opts *o;
    struct house *house;
    struct publisher *out;
    uint32_t boot, *seq; /* seq: per device, owned */
    int64_t started_us, samples;
    struct shape_message message; /* here, for it is large */
};

static int send_sample(struct run *r, int64_t k, bool past, struct err *e)
{
    int64_t round = floor_div(k, r->o->devices);
    size_t device = (size_t)(k - round * r->o->devices);
    struct sensor_value v[SENSOR_VALUES_MAX];
    struct sample s = {.device = house_device(r->house, device),
                       .boot = r->boot,
                       .seq = r->seq[device] + 1,
                       .ts_ms = simulate_time(r->o, k),
                       .past = past};
    s.n = house_read(r->house, device, s.ts_ms, v);
    for (size_t i = 0; i < s.n; i++)
        s.value[i] = (struct sample_value){v[i].quantity, v[i].value, false};
    size_t parts = s.n ? shape_parts(r->o->shape, &s) : 0;
    r->seq[device] += parts > 0;
    for (size_t i = 0; i < parts; i++)
        if (shape_write(r->o->shape, &s, i, r->o->prefix, &r->message, e) ||
            publisher_send(r->out, r->message.topic, r->message.payload, r->message.len,
                           e))
            return -1;
    r->samples++;
    return 0;
}

/* Waits for a sample's time (live), and for its turn (--rate); false when to stop. */
static bool wait_for(struct run *r, int64_t k, bool live)
{
    int64_t left_ms;
    while (live && (left_ms = simulate_time(r->o, k) - clock_now_ms()) > 0)
        if (!stop_wait(clock_is_virtual() ? 5 : left_ms < 1000 ? left_ms : 1000))
            return false;
    while (r->o->rate > 0 && (double)r->samples * 1e6 >
                                 (double)(clock_mono_us() - r->started_us) * r->o->rate)
        if (!stop_wait(1))
            return false;
    return r->samples % 64 || stop_wait(0);
}

static int send_past(struct run *r, const struct plan *p, struct err *e)
{
    if (p->join <= p->first)
        return 0;
    struct progress bar;
    progress_init(&bar, "backfill", "samples", (uint64_t)(p->join - p->first),
                  clock_mono_ms());
    for (int64_t k = p->first; k < p->join; k++) {
        if (!wait_for(r, k, false))
            return err_set(e, ERR_NONE, "stopped before the end of the backfill");
        if (send_sample(r, k, true, e))
            return -1;
        progress_update(&bar, (uint64_t)(k - p->first), clock_mono_ms());
    }
    if (publisher_finish(r->out, e))
        return -1;
    progress_end(&bar, (uint64_t)(p->join - p->first), clock_mono_ms());
    return 0;
}

static int send_live(struct run *r, const struct plan *p, struct err *e)
{
    if (p->end <= p->join)
        return 0;
    char every[DURATION_TEXT_SIZE];
    fprintf(stderr, "live: %" PRId64 " devices, each every %s\n", r->o->devices,
            duration_format(r->o->every_ms, every));
    for (int64_t k = p->join; k < p->end; k++) {
        if (!wait_for(r, k, true))
            break; /* the way a live run ends */
        if (send_sample(r, k, false, e))
            return -1;
        if (r->o->to.dry_run)
            fflush(stdout);
    }
    return publisher_finish(r->out, e);
}

static void warn_not_carried(const struct run *r)
{
    const char *names[SENSOR_VALUES_MAX], *warned[8] = {0};
    size_t n_warned = 0;
    for (size_t d = 0; d < 6 && d < house_devices(r->house); d++) {
        size_t n = house_quantities(r->house, d, names);
        for (size_t i = 0; i < n; i++) {
            bool known = shape_carries(r->o->shape, names[i]);
            for (size_t w = 0; w < n_warned; w++)
                known = known || warned[w] == names[i];
            if (known || n_warned == 8)
                continue;
            warned[n_warned++] = names[i];
            fprintf(stderr, "fieldcast simulate: shape %s does not carry %s: left out\n",
                    r->o->shape_name, names[i]);
        }
    }
}

static int add_faults(struct run *r, int64_t now_ms, struct err *e)
{
    for (size_t i = 0; i < r->o->faults.n; i++) {
        struct fault f;
        if (fault_parse(r->o->faults.item[i], now_ms, &f, e) ||
            house_add_fault(r->house, &f, e))
            return -1;
    }
    return 0;
}

int simulate_main(int argc, char **argv)
{
    struct err e = ERR_INIT;
    struct simulate_opts o;
    if (simulate_options(argc, argv, &o, &e))
        return options_refuse("simulate", &e);
    if (o.help) {
        help();
        return 0;
    }
    stop_init();
    struct run r = {.o = &o};
    struct plan plan = {0};
    int rc = 2;
    if (clock_init(getenv("FC_CLOCK_FILE"), &e) ||
        make_plan(&o, clock_now_ms(), &plan, &e))
        goto out;
    r.house = house_new((uint64_t)o.seed, (size_t)o.devices);
    r.seq = xcalloc((size_t)o.devices, sizeof *r.seq);
    r.boot = publisher_boot(&o.to, o.boot);
    if (add_faults(&r, clock_now_ms(), &e))
        goto out;
    warn_not_carried(&r);
    rc = 1;
    r.out = publisher_open(&o.to, &e);
    r.started_us = clock_mono_us();
    if (r.out && send_past(&r, &plan, &e) == 0 && send_live(&r, &plan, &e) == 0)
        rc = 0;
out:
    if (rc == 2)
        options_refuse("simulate", &e);
    else if (rc)
        options_fail("simulate", &e);
    publisher_close(r.out);
    house_free(r.house);
    free(r.seq);
    return rc;
}
