/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Homie: one value per topic, all retained.
 *   3 and 4  homie/kitchen/bme280/temperature             21.5
 *            homie/kitchen/bme280/temperature/$unit       °C
 *            homie/kitchen/bme280/temperature/$datatype   float
 *            homie/kitchen/$state                         ready
 *   5        homie/5/kitchen/bme280/temperature           21.5
 *            homie/5/kitchen/$description                 {"homie":"5.0","version":7,
 *              "nodes":{"bme280":{"properties":{"temperature":{"datatype":"float",
 *              "unit":"°C"}}}},"children":["kitchen-lamp"]}
 *            homie/5/kitchen/$state                       ready
 * The quantity is the property; with its node before it when the property is called value
 * or state, or when two nodes have one of that name. Types and units are remembered; of a
 * property without, a number is a number, true and false are 1 and 0. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/json.h"
#include "common/mem.h"
#include "services/ingest/decode.h"
#include "services/ingest/homie_description.h"
#include "services/ingest/wal_record.h"

/* A topic taken apart: up to four levels from the device on. */
struct place {
    bool five;
    int n; /* levels; -1: one is too long */
    char level[4][RAW_DEVICE_MAX + 1];
};

static void take_apart(const char *topic, struct place *p)
{
    int total = 1;
    *p = (struct place){.five = !strncmp(topic, "homie/5/", 8), .n = -1};
    for (const char *c = topic; *c; c++)
        total += *c == '/';
    int base = p->five ? 2 : 1;
    for (int i = 0; i < 4 && base + i < total; i++)
        if (!topic_level(topic, base + i, p->level[i], sizeof p->level[i]))
            return;
    p->n = total - base;
}

static bool is(const struct place *p, int level, const char *text)
{
    return p->n == level + 1 && !strcmp(p->level[level], text);
}

/* Attributes of devices and nodes, commands, broadcasts: nothing to be stored. */
static bool says_nothing(const struct place *p)
{
    return p->level[0][0] == '$' || p->level[1][0] == '$' || p->level[2][0] == '$' ||
           (p->n == 4 && (p->level[3][0] == '$' || !strcmp(p->level[3], "set")));
}

/* ---- what is remembered
 * --------------------------------------------------------------------- */

static void *make_text(const void *payload, size_t len)
{
    return xstrndup(payload, len);
}

static const struct memo_kind text_kind = {make_text, free};

/* What is known of a property. Texts are cut: no type or unit is that long. */
struct property {
    char datatype[24], unit[24];
    bool alone;
};

static void attribute(const struct input *in, const char *name, char out[24])
{
    char topic[WAL_TOPIC_MAX + 16];
    snprintf(topic, sizeof topic, "%s/%s", in->topic, name);
    struct memo *memo = memory_find(in->memory, topic, &text_kind);
    snprintf(out, 24, "%s", memo ? (const char *)memo_made(memo) : "");
    memo_release(memo);
}

struct others {
    const struct place *p;
    bool found;
};

/* Is it the type of a property of the same name, of another node? */
static bool is_other(void *arg, const char *topic)
{
    struct others *o = arg;
    char node[RAW_DEVICE_MAX + 1], property[RAW_DEVICE_MAX + 1], last[16];
    if (topic_level(topic, 2, node, sizeof node) &&
        topic_level(topic, 3, property, sizeof property) &&
        topic_level(topic, 4, last, sizeof last))
        o->found = !strcmp(last, "$datatype") && !strcmp(property, o->p->level[2]) &&
                   strcmp(node, o->p->level[1]) != 0;
    return !o->found;
}

static struct memo *description(const struct memory *memory, const char *device)
{
    char topic[RAW_DEVICE_MAX + 32];
    snprintf(topic, sizeof topic, "homie/5/%s/$description", device);
    return memory_find(memory, topic, &homie_description_kind);
}

static void look_up(const struct input *in, const struct place *p, struct property *out)
{
    *out = (struct property){.alone = true};
    if (p->five) {
        struct homie_property found;
        struct memo *memo = description(in->memory, p->level[0]);
        if (memo && memo_made(memo) &&
            homie_description_find(memo_made(memo), p->level[1], p->level[2], &found)) {
            snprintf(out->datatype, sizeof out->datatype, "%s", found.datatype);
            snprintf(out->unit, sizeof out->unit, "%s", found.unit);
            out->alone = found.alone;
        }
        memo_release(memo);
        return;
    }
    char prefix[RAW_DEVICE_MAX + 16];
    struct others o = {p, false};
    attribute(in, "$datatype", out->datatype);
    attribute(in, "$unit", out->unit);
    snprintf(prefix, sizeof prefix, "homie/%s/", p->level[0]);
    memory_each(in->memory, prefix, is_other, &o);
    out->alone = !o.found;
}

bool remember_homie(const struct input *in, struct memory_change *c, struct buf *texts)
{
    (void)texts;
    struct place p;
    take_apart(in->topic, &p);
    bool kept =
        p.five ? is(&p, 1, "$description") : is(&p, 3, "$unit") || is(&p, 3, "$datatype");
    c->put = kept && in->payload && in->len;
    if (c->put && p.five) { /* one that cannot be read has taken the older one's place */
        void *made = homie_description_kind.make(in->payload, in->len);
        c->put = made != NULL;
        if (made)
            homie_description_kind.free(made);
    }
    c->forget = !c->put;
    return kept;
}

/* ---- values
 * ------------------------------------------------------------------------------ */

static bool boolean(const struct input *in, double *x)
{
    *x = in->len == 4;
    return (in->len == 4 && !memcmp(in->payload, "true", 4)) ||
           (in->len == 5 && !memcmp(in->payload, "false", 5));
}

/* 1: a value; 0: passed over; -1: it is not what its type says. */
static int read_value(const struct input *in, const char *datatype, double *x)
{
    static const char *const numbers[] = {"integer", "float", "percent"};
    if (!*datatype)
        return decode_number(in->payload, in->len, x) || boolean(in, x);
    if (!strcmp(datatype, "boolean"))
        return boolean(in, x) ? 1 : -1;
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        if (!strcmp(datatype, numbers[i]))
            return decode_number(in->payload, in->len, x) ? 1 : -1;
    return 0;
}

static enum reject value(const struct input *in, const struct place *p, struct message *m,
                         struct err *e)
{
    struct property what;
    char key[2 * RAW_DEVICE_MAX + 2];
    double x = 0;
    look_up(in, p, &what);
    int rc = in->len ? read_value(in, what.datatype, &x) : 0;
    if (rc < 0)
        return reject_say(REJECT_BAD_VALUE, e, "the value of \"%.70s\" is no %s",
                          p->level[2], what.datatype);
    bool vague = !strcmp(p->level[2], "value") || !strcmp(p->level[2], "state");
    snprintf(key, sizeof key, "%s%s%s", vague || !what.alone ? p->level[1] : "",
             vague || !what.alone ? "_" : "", p->level[2]);
    if (!*what.unit && !strcmp(what.datatype, "percent"))
        strcpy(what.unit, "%");
    enum reject r = rc ? decode_loose(m, key, x, what.unit, e) : REJECT_NONE;
    if (!r && !message_last(m)->r.n && !m->n_refused)
        m->n = 0; /* passed over */
    return r;
}

/* ---- devices
 * ----------------------------------------------------------------------------- */

static bool among(const struct message *m, const char *raw)
{
    for (size_t i = 0; i < m->n; i++)
        if (!strcmp(m->item[i].r.raw_device, raw))
            return true;
    return false;
}

static void add_children(struct message *m, const struct homie_description *d)
{
    struct err e = ERR_INIT;
    const char *child;
    for (size_t i = 0; (child = homie_description_child(d, i)); i++) {
        if (among(m, child))
            continue;
        struct item *it = message_add(m);
        if (!it) {
            reject_say(REJECT_TOO_MANY_VALUES, &e,
                       "more than %d devices are lost with it: of some it is not noted",
                       MESSAGE_ITEMS_MAX - 1);
            message_refuse(m, NULL, REJECT_TOO_MANY_VALUES, &e);
            return;
        }
        it->kind = ITEM_STATUS;
        if (decode_device_text(m, child, &e)) {
            message_refuse(m, NULL, REJECT_BAD_DEVICE, &e);
            m->n--;
        }
    }
}

/* Only the root of a tree of devices can leave a last will: what hangs on a device that
 * is gone is gone as well. */
static enum reject state(const struct input *in, const struct place *p, struct message *m,
                         struct err *e)
{
    static const char *const states[] = {"ready", "init",         "sleeping",
                                         "alert", "disconnected", "lost"};
    size_t i = 0, n = sizeof states / sizeof *states;
    if (!in->len) { /* the device was removed */
        m->n = 0;
        return REJECT_NONE;
    }
    while (i < n &&
           (strlen(states[i]) != in->len || memcmp(states[i], in->payload, in->len) != 0))
        i++;
    if (i == n)
        return reject_say(
            REJECT_BAD_VALUE, e,
            "a $state is init, ready, sleeping, alert, disconnected or lost");
    message_last(m)->kind = ITEM_STATUS;
    message_last(m)->online = i < 4;
    for (size_t k = 0; p->five && i >= 4 && k < m->n; k++) {
        struct memo *memo = description(in->memory, m->item[k].r.raw_device);
        if (memo && memo_made(memo))
            add_children(m, memo_made(memo));
        memo_release(memo);
    }
    return REJECT_NONE;
}

static enum reject describe(const struct input *in, struct message *m, struct err *e)
{
    json_t *root = in->len ? json_parse(in->payload, in->len, "the payload", e) : NULL;
    struct homie_description *d = root ? homie_description_new(root) : NULL;
    enum reject r = REJECT_NONE;
    if (in->len && !root) {
        snprintf(e->slug, sizeof e->slug, "%s", reject_name(REJECT_BAD_JSON));
        r = REJECT_BAD_JSON;
    } else if (in->len && !d) {
        r = reject_say(REJECT_BAD_SHAPE, e,
                       "a $description must be a JSON object with an object \"nodes\"");
    } else {
        m->n = 0;
    }
    homie_description_free(d);
    json_decref(root);
    return r;
}

enum reject decode_homie(const struct input *in, struct message *m, struct err *e)
{
    struct place p;
    take_apart(in->topic, &p);
    if (p.n < 0)
        return reject_say(REJECT_BAD_DEVICE, e,
                          "a level of the topic %.200s has more than %d bytes", in->topic,
                          RAW_DEVICE_MAX);
    bool is_state = is(&p, 1, "$state");
    bool is_description = p.five && is(&p, 1, "$description");
    if (!is_state && !is_description && says_nothing(&p)) {
        m->n = 0;
        return REJECT_NONE;
    }
    if (!is_state && !is_description && p.n != 3)
        return reject_say(REJECT_UNKNOWN_TOPIC, e,
                          "\"%.200s\" is not the topic of a Homie property", in->topic);
    enum reject r = decode_device_text(m, p.level[0], e);
    if (r)
        return r;
    return is_state         ? state(in, &p, m, e)
           : is_description ? describe(in, m, e)
                            : value(in, &p, m, e);
}
