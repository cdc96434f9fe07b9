/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "services/ingest/decoders/cayenne.h"

#define NUMBERS_MAX 3

/* A type is one number or several, each of `bytes` bytes, times its factor. Types below
 * 0x80 are those of the first specification and of its sensors; the rest is what the
 * common libraries send beside them. A type without names is known and passed over. */
static const struct type {
    unsigned char type, bytes, numbers;
    bool is_signed;
    double factor[NUMBERS_MAX];
    const char *name[NUMBERS_MAX], *unit;
} types[] = {
    {0x00, 1, 1, false, {1}, {"digital_input"}, NULL},
    {0x01, 1, 1, false, {1}, {"digital_output"}, NULL},
    {0x02, 2, 1, true, {0.01}, {"analog_input"}, NULL},
    {0x03, 2, 1, true, {0.01}, {"analog_output"}, NULL},
    {0x64, 4, 1, false, {1}, {"generic"}, NULL},
    {0x65, 2, 1, false, {1}, {"light"}, "lx"},
    {0x66, 1, 1, false, {1}, {"presence"}, NULL},
    {0x67, 2, 1, true, {0.1}, {"temperature"}, "c"},
    {0x68, 1, 1, false, {0.5}, {"humidity"}, "%"},
    {0x71,
     2,
     3,
     true,
     {9.80665e-3, 9.80665e-3, 9.80665e-3}, /* thousandths of g, to m/s² */
     {"vibration_x", "vibration_y", "vibration_z"},
     NULL},
    {0x73, 2, 1, false, {0.1}, {"pressure"}, "hpa"},
    {0x74, 2, 1, false, {0.01}, {"voltage"}, "v"},
    {0x75, 2, 1, false, {0.001}, {"current"}, "a"},
    {0x76, 4, 1, false, {1}, {"frequency"}, NULL},
    {0x78, 1, 1, false, {1}, {"percentage"}, NULL},
    {0x79, 2, 1, true, {1}, {"altitude"}, NULL},
    {0x7d, 2, 1, false, {1}, {"concentration"}, NULL},
    {0x80, 2, 1, false, {1}, {"power"}, "w"},
    {0x82, 4, 1, false, {0.001}, {"distance"}, NULL},
    {0x83, 4, 1, false, {0.001}, {"energy"}, "kwh"},
    {0x84, 2, 1, false, {1}, {"direction"}, NULL},
    {0x85, 4, 1, false, {0}, {NULL}, NULL}, /* the device's clock */
    {0x86,
     2,
     3,
     true,
     {0.01, 0.01, 0.01},
     {"gyrometer_x", "gyrometer_y", "gyrometer_z"},
     NULL},
    {0x87, 3, 1, false, {0}, {NULL}, NULL}, /* a colour */
    {0x88,
     3,
     3,
     true,
     {0.0001, 0.0001, 0.01},
     {"latitude", "longitude", "altitude"},
     NULL},
    {0x8e, 1, 1, false, {1}, {"switch"}, NULL},
};
#define N_TYPES (sizeof types / sizeof *types)

static const struct type *find(unsigned char type)
{
    for (size_t i = 0; i < N_TYPES; i++)
        if (types[i].type == type)
            return &types[i];
    return NULL;
}

static double number(const struct type *t, const unsigned char *p)
{
    int64_t x = 0;
    for (unsigned i = 0; i < t->bytes; i++)
        x = x << 8 | p[i];
    if (t->is_signed && (p[0] & 0x80))
        x -= INT64_C(1) << 8 * t->bytes;
    return (double)x;
}

/* Factors are decimal fractions: dividing by their inverse, a whole number, gives the
 * number that the same decimals have as text (21.5, not 21.500000000000004). */
static double scaled(double x, double factor)
{
    double inverse = factor > 0 && factor < 1 ? 1 / factor : 0;
    int64_t whole = (int64_t)(inverse + 0.5);
    double off = inverse - (double)whole;
    return whole && off < 1e-6 && off > -1e-6 ? x / (double)whole : x * factor;
}

/* The type whose value lies whole at p; NULL with the reason in *e. */
static const struct type *whole(const unsigned char *p, size_t at, size_t n,
                                struct err *e)
{
    const struct type *t = n - at < 2 ? NULL : find(p[at + 1]);
    if (n - at < 2)
        reject_say(REJECT_BAD_SHAPE, e,
                   "the Cayenne LPP bytes end after a channel: byte %zu", at);
    else if (!t)
        reject_say(REJECT_BAD_SHAPE, e,
                   "byte %zu, 0x%02x, is not a type of Cayenne LPP: let the network "
                   "server decode what this device sends",
                   at + 1, p[at + 1]);
    else if (n - at - 2 < (size_t)t->bytes * t->numbers)
        reject_say(REJECT_BAD_SHAPE, e,
                   "the Cayenne LPP bytes end within a value: type 0x%02x at byte %zu "
                   "has %d bytes, %zu are there",
                   t->type, at + 1, t->bytes * t->numbers, n - at - 2);
    else
        return t;
    return NULL;
}

enum reject decode_cayenne(struct message *m, const unsigned char *p, size_t n,
                           struct err *e)
{
    for (size_t at = 0; at < n;) {
        const struct type *t = whole(p, at, n, e);
        if (!t) {
            message_refuse(m, message_last(m), REJECT_BAD_SHAPE, e);
            return REJECT_NONE;
        }
        at += 2;
        for (unsigned i = 0; i < t->numbers; i++, at += t->bytes) {
            if (!t->name[i])
                continue;
            enum reject r = decode_loose(
                m, t->name[i], scaled(number(t, p + at), t->factor[i]), t->unit, e);
            if (r)
                return r;
        }
    }
    return REJECT_NONE;
}
