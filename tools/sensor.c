/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tools/sensor.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/mem.h"
#include "tools/noise.h"

#define DAY_MS (24 * HOUR_MS)
#define YEAR_MS (INT64_C(36525) * DAY_MS / 100)

enum quantity { TEMPERATURE, HUMIDITY, CO2, PRESSURE, N_QUANTITIES };

static const struct {
    const char *name;
    double step, least, most; /* what the sensor can say */
    double phi, sd;           /* the room's own swings, hour by hour */
    double noise;             /* sensor noise, standard deviation */
    double drift;             /* half width of the sensor's slow drift */
    double fault;             /* usual size of a fault */
} kinds[N_QUANTITIES] = {
    [TEMPERATURE] = {"temperature", 0.1, -40, 80, 0.93, 0.22, 0.05, 0.15, 3},
    [HUMIDITY] = {"humidity", 0.1, 0, 100, 0.93, 1.2, 0.3, 0.8, 15},
    [CO2] = {"co2", 1, 380, 5000, 0.85, 22, 6, 12, 400},
    [PRESSURE] = {"pressure", 0.1, 300, 1100, 0.80, 0.05, 0.06, 0.2, 12},
};

/* When people are there: days (bit 0 = Monday), from and to as hours, how many. */
struct presence {
    unsigned days;
    double from, to, level;
};
enum { WEEKDAYS = 0x1f, WEEKEND = 0x60, ALL_WEEK = 0x7f, PRESENCES = 4 };

static const struct room {
    const char *name;
    double temp, outside, swing, peak; /* degC; share of outside; daily swing; its hour */
    double humidity, warmth, damp;     /* %; degC and % that people add */
    enum quantity third;
    struct presence presence[PRESENCES];
} rooms[] = {
    {"kitchen",
     21.2,
     0.10,
     0.5,
     16,
     48,
     1.6,
     9,
     CO2,
     {{ALL_WEEK, 6.5, 8, 0.8}, {ALL_WEEK, 18, 20.5, 1}, {WEEKEND, 11.5, 13.5, 0.9}}},
    {"office",
     20.6,
     0.12,
     0.8,
     15,
     42,
     1.8,
     3,
     CO2,
     {{WEEKDAYS, 8.5, 12.2, 1}, {WEEKDAYS, 13, 17.5, 0.9}}},
    {"cellar", 14.5, 0.22, 0.15, 18, 66, 0.3, 2, PRESSURE, {{0x20, 9, 11, 1}}},
    {"bedroom",
     18.9,
     0.14,
     0.6,
     17,
     52,
     0.9,
     6,
     CO2,
     {{ALL_WEEK, 0, 6.5, 1}, {ALL_WEEK, 22.5, 24, 1}}},
    {"bathroom",
     22.0,
     0.08,
     0.3,
     16,
     55,
     1.4,
     24,
     CO2,
     {{WEEKDAYS, 6.3, 7.3, 1}, {WEEKEND, 8.5, 10, 1}, {ALL_WEEK, 21, 22, 0.6}}},
    {"attic", 17.5, 0.55, 2.4, 16, 50, 0.2, 1, PRESSURE, {{0}}},
};
enum { N_ROOMS = sizeof rooms / sizeof *rooms };

struct channel {
    enum quantity quantity;
    uint64_t key;
    struct noise_ar own;
};

struct device {
    char name[32];
    const struct room *room;
    double shift; /* rooms of one kind still differ: degC, and hours / 2 */
    struct channel channel[SENSOR_VALUES_MAX];
};

struct active_fault {
    struct fault fault;
    size_t device;
    enum quantity quantity;
    double held; /* FAULT_STUCK: the value it keeps */
};

struct house {
    size_t n;
    struct device *devices; /* owned */
    struct noise_ar front_temp, front_damp, front_pressure;
    struct active_fault faults[SENSOR_FAULTS_MAX];
    size_t n_faults;
};

/* What the rooms share at a moment. */
struct moment {
    int64_t t_ms;
    double hour;    /* of the day, 0..24 */
    int weekday;    /* 0 = Monday */
    double outside; /* degC */
    double damp, pressure;
};

static double cycle(double x, double period, double peak)
{
    return cos(2 * M_PI * (x - peak) / period);
}

/* Milliseconds into a period, also before 1970. */
static int64_t phase_ms(int64_t t_ms, int64_t period_ms)
{
    int64_t r = t_ms % period_ms;
    return r < 0 ? r + period_ms : r;
}

static void init_device(struct house *h, size_t i, uint64_t seed)
{
    struct device *d = &h->devices[i];
    uint64_t key = noise_key(noise_key(seed, 1), i);
    d->room = &rooms[i % N_ROOMS];
    if (i < N_ROOMS)
        snprintf(d->name, sizeof d->name, "%s", d->room->name);
    else
        snprintf(d->name, sizeof d->name, "device-%04zu", i + 1);
    d->shift = 1.2 * (noise_uniform(key, 0) - 0.5);
    enum quantity q[SENSOR_VALUES_MAX] = {TEMPERATURE, HUMIDITY, d->room->third};
    for (int c = 0; c < SENSOR_VALUES_MAX; c++) {
        d->channel[c].quantity = q[c];
        d->channel[c].key = noise_key(key, 100 + q[c]);
        noise_ar_init(&d->channel[c].own, noise_key(d->channel[c].key, 1),
                      kinds[q[c]].phi, kinds[q[c]].sd);
    }
}

struct house *house_new(uint64_t seed, size_t devices)
{
    struct house *h = xcalloc(1, sizeof *h);
    h->n = devices;
    h->devices = xcalloc(devices ? devices : 1, sizeof *h->devices);
    uint64_t key = noise_key(seed, 0);
    noise_ar_init(&h->front_temp, noise_key(key, 1), 0.985, 2.6);
    noise_ar_init(&h->front_damp, noise_key(key, 2), 0.975, 5);
    noise_ar_init(&h->front_pressure, noise_key(key, 3), 0.992, 7);
    for (size_t i = 0; i < devices; i++)
        init_device(h, i, seed);
    return h;
}

void house_free(struct house *h)
{
    if (!h)
        return;
    free(h->devices);
    free(h);
}

size_t house_devices(const struct house *h)
{
    return h->n;
}

const char *house_device(const struct house *h, size_t device)
{
    return h->devices[device].name;
}

size_t house_quantities(const struct house *h, size_t device,
                        const char *out[SENSOR_VALUES_MAX])
{
    for (int c = 0; c < SENSOR_VALUES_MAX; c++)
        out[c] = kinds[h->devices[device].channel[c].quantity].name;
    return SENSOR_VALUES_MAX;
}

static struct moment look_outside(struct house *h, int64_t t_ms)
{
    struct moment m = {.t_ms = t_ms};
    m.hour = (double)phase_ms(t_ms, DAY_MS) / (double)HOUR_MS;
    /* 1970-01-01 was a Thursday */
    m.weekday = (int)(phase_ms(t_ms + 3 * DAY_MS, 7 * DAY_MS) / DAY_MS);
    double day = (double)phase_ms(t_ms, YEAR_MS) / (double)DAY_MS;
    m.outside = 10.5 + 8.5 * cycle(day, 365.25, 201) + 4.2 * cycle(m.hour, 24, 15) +
                noise_ar_at(&h->front_temp, t_ms);
    m.damp = noise_ar_at(&h->front_damp, t_ms);
    m.pressure =
        1013.2 + 0.7 * cycle(m.hour, 12, 10) + noise_ar_at(&h->front_pressure, t_ms);
    return m;
}

/* From 0 to 1 within an hour and a half around x = 0: air and walls are slow. */
static double edge(double x)
{
    return 1 / (1 + exp(-x / 0.25));
}

/* How many people are in the room; windows that reach midnight run on into the next day.
 */
static double presence(const struct room *room, const struct moment *m)
{
    double sum = 0;
    for (int i = 0; i < PRESENCES; i++) {
        const struct presence *p = &room->presence[i];
        for (int day = -1; day <= 1; day++)
            if (p->days >> ((m->weekday + day + 7) % 7) & 1)
                sum += p->level * (edge(m->hour - 24.0 * day - p->from) -
                                   edge(m->hour - 24.0 * day - p->to));
    }
    return sum;
}

/* What is really there. */
static double climate(const struct device *d, enum quantity q, const struct moment *m)
{
    const struct room *room = d->room;
    double people = presence(room, m);
    double temp = room->temp + d->shift + room->outside * (m->outside - 10.5) +
                  room->swing * cycle(m->hour, 24, room->peak + d->shift / 2) +
                  room->warmth * people;
    switch (q) {
    case TEMPERATURE:
        return temp;
    case HUMIDITY:
        return room->humidity + room->damp * people + m->damp +
               1.5 * (room->temp + d->shift - temp);
    case CO2:
        return 440 + 620 * people;
    default:
        return m->pressure - 2 * d->shift;
    }
}

/* What the sensor makes of it, before any fault and before rounding. */
static double sense(struct device *d, struct channel *ch, const struct moment *m)
{
    enum quantity q = ch->quantity;
    int64_t period_ms = (int64_t)((70 + 50 * noise_uniform(ch->key, 2)) * (double)DAY_MS);
    double turn = (double)phase_ms(m->t_ms, period_ms) / (double)period_ms;
    return climate(d, q, m) + noise_ar_at(&ch->own, m->t_ms) +
           kinds[q].drift * sin(2 * M_PI * (turn + noise_uniform(ch->key, 3))) +
           kinds[q].noise * noise_normal(noise_key(ch->key, 4), m->t_ms);
}

static double said(enum quantity q, double x)
{
    x = round(x / kinds[q].step) * kinds[q].step;
    x = fmin(fmax(x, kinds[q].least), kinds[q].most);
    /* a multiple of 0.1 as people write it, not as it came out of the product */
    return kinds[q].step < 1 ? round(x * 10) / 10 : x;
}

/* Applies a fault to *x; returns false when the value is not sent at all. */
static bool apply(const struct active_fault *a, uint64_t key, int64_t t_ms, double *x)
{
    const struct fault *f = &a->fault;
    uint64_t k = noise_key(key, 10 + (uint64_t)f->kind);
    switch (f->kind) {
    case FAULT_STUCK:
        *x = a->held;
        return true;
    case FAULT_GAP:
        return false;
    case FAULT_SPIKE:
        if (noise_uniform(k, t_ms) < 0.05)
            *x += noise_uniform(noise_key(k, 1), t_ms) < 0.5 ? -f->size : f->size;
        return true;
    case FAULT_OFFSET:
        *x += f->size;
        return true;
    case FAULT_NOISE:
        *x += f->size * noise_normal(k, t_ms);
        return true;
    case FAULT_DRIFT:
        *x += f->size * (double)(t_ms - f->from_ms) / (double)DAY_MS;
        return true;
    }
    return true;
}

int house_add_fault(struct house *h, const struct fault *f, struct err *e)
{
    if (h->n_faults == SENSOR_FAULTS_MAX)
        return err_set(e, ERR_INVALID, "there may be at most %d faults",
                       SENSOR_FAULTS_MAX);
    for (size_t i = 0; i < h->n; i++) {
        struct device *d = &h->devices[i];
        for (int c = 0; c < SENSOR_VALUES_MAX && strcmp(d->name, f->device) == 0; c++) {
            enum quantity q = d->channel[c].quantity;
            if (strcmp(kinds[q].name, f->quantity) != 0)
                continue;
            struct active_fault *a = &h->faults[h->n_faults++];
            *a = (struct active_fault){.fault = *f, .device = i, .quantity = q};
            if (!f->has_size)
                a->fault.size = kinds[q].fault;
            struct moment m = look_outside(h, f->from_ms);
            a->held = sense(d, &d->channel[c], &m);
            return 0;
        }
    }
    return err_set(e, ERR_INVALID, "there is no series %s.%s for a fault", f->device,
                   f->quantity);
}

size_t house_read(struct house *h, size_t device, int64_t t_ms,
                  struct sensor_value out[SENSOR_VALUES_MAX])
{
    struct device *d = &h->devices[device];
    struct moment m = look_outside(h, t_ms);
    size_t n = 0;
    for (int c = 0; c < SENSOR_VALUES_MAX; c++) {
        struct channel *ch = &d->channel[c];
        double x = sense(d, ch, &m);
        bool sent = true;
        for (size_t i = 0; i < h->n_faults; i++) {
            const struct active_fault *a = &h->faults[i];
            if (a->device == device && a->quantity == ch->quantity &&
                t_ms >= a->fault.from_ms && t_ms < a->fault.to_ms)
                sent = apply(a, ch->key, t_ms, &x) && sent;
        }
        if (sent)
            out[n++] =
                (struct sensor_value){kinds[ch->quantity].name, said(ch->quantity, x)};
    }
    return n;
}
