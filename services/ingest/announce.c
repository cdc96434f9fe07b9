/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "services/ingest/announce.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/json.h"
#include "common/log.h"
#include "common/mem.h"
#include "services/ingest/decode.h"
#include "services/ingest/ha_config.h"

#define UNREADABLE 0x8000 /* on a name's number: Home Assistant can not read it */

/* What a device is known to send, in the order in which it came. */
struct sent {
    uint16_t *name; /* in names; n of them, told of them announced; owned */
    uint8_t n, told;
    bool status; /* it tells its status */
    bool by_raw; /* its topic has the raw id, not the name */
};

struct announce {
    char prefix[129];
    int64_t expire_s;
    struct ledger *ledger;
    pthread_mutex_t lock; /* everything below */
    struct sent *device;  /* by the ledger's index; n_devices */
    size_t n_devices;
    char **names; /* quantities, n_names; owned */
    size_t n_names;
    bool full;      /* and said so */
    bool due;       /* something may be due */
    uint32_t next;  /* device that announce_some() looks at next */
    uint64_t round; /* counts announce_again() */
};

struct announce *announce_new(const char *prefix, int64_t expire_s, struct ledger *l)
{
    struct announce *a = xcalloc(1, sizeof *a);
    snprintf(a->prefix, sizeof a->prefix, "%s", prefix);
    a->expire_s = expire_s;
    a->ledger = l;
    pthread_mutex_init(&a->lock, NULL);
    return a;
}

void announce_free(struct announce *a)
{
    if (!a)
        return;
    for (size_t i = 0; i < a->n_devices; i++)
        free(a->device[i].name);
    for (size_t i = 0; i < a->n_names; i++)
        free(a->names[i]);
    free(a->device);
    free(a->names);
    pthread_mutex_destroy(&a->lock);
    free(a);
}

/* ---- seeing
 * --------------------------------------------------------------------------------- */

static struct sent *entry(struct announce *a, uint32_t index)
{
    if (index >= a->n_devices) {
        size_t n = a->n_devices ? a->n_devices : 64;
        while (n <= index)
            n *= 2;
        a->device = xrealloc(a->device, n * sizeof *a->device);
        memset(a->device + a->n_devices, 0, (n - a->n_devices) * sizeof *a->device);
        a->n_devices = n;
    }
    return &a->device[index];
}

/* The name's number; -1 when there are too many. */
static int number_of(struct announce *a, const char *quantity)
{
    for (size_t i = 0; i < a->n_names; i++)
        if (!strcmp(a->names[i], quantity))
            return (int)i;
    if (a->n_names == ANNOUNCE_NAMES_MAX) {
        if (!a->full)
            log_warn("Home Assistant is told of %d names of quantities, not of \"%s\" "
                     "and others",
                     ANNOUNCE_NAMES_MAX, quantity);
        a->full = true;
        return -1;
    }
    if (a->n_names % 64 == 0)
        a->names = xrealloc(a->names, (a->n_names + 64) * sizeof *a->names);
    a->names[a->n_names] = xstrdup(quantity);
    return (int)a->n_names++;
}

static bool is_known(const struct announce *a, const struct sent *s, const char *quantity)
{
    for (size_t i = 0; i < s->n; i++)
        if (!strcmp(a->names[s->name[i] & ~UNREADABLE], quantity))
            return true;
    return false;
}

/* Can Home Assistant read it: the same name, the same number? */
static bool is_readable(const json_t *values, const struct reading_value *v)
{
    const json_t *x = json_object_get(values, v->quantity);
    return (json_is_number(x) && json_number_value(x) == v->value) ||
           (json_is_boolean(x) && json_is_true(x) == (v->value != 0));
}

static void add(struct announce *a, struct sent *s, uint16_t name)
{
    if (s->n % 4 == 0)
        s->name = xrealloc(s->name, (s->n + 4u) * sizeof *s->name);
    s->name[s->n++] = name;
    a->due = true;
}

/* The payload is read once more, but only when there is a name that is new. */
static void see_values(struct announce *a, struct sent *s, const struct reading *r,
                       const void *payload, size_t len)
{
    struct err e = ERR_INIT;
    json_t *root = NULL;
    for (size_t i = 0; i < r->n && s->n < READING_VALUES_MAX; i++) {
        const struct reading_value *v = &r->values[i];
        int number = is_known(a, s, v->quantity) ? -1 : number_of(a, v->quantity);
        if (number < 0)
            continue;
        if (!root)
            root = json_parse(payload, len, "the payload", &e);
        bool readable = is_readable(json_object_get(root, "values"), v);
        add(a, s, (uint16_t)(number | (readable ? 0 : UNREADABLE)));
    }
    json_decref(root);
}

static void see_status(struct announce *a, struct sent *s)
{
    if (s->status)
        return;
    s->status = true;
    s->told = 0;
    a->due |= s->n > 0;
}

void announce_see(struct announce *a, const char *topic, const void *payload, size_t len,
                  const struct message *m)
{
    char level[RAW_DEVICE_MAX + 1], last[10];
    const struct item *it = m->n == 1 ? &m->item[0] : NULL;
    if (strncmp(topic, "fieldcast/", 10) != 0 || !it || it->reject || !it->device ||
        !topic_level(topic, 1, level, sizeof level) ||
        !topic_level(topic, 2, last, sizeof last))
        return;
    pthread_mutex_lock(&a->lock);
    struct sent *s = entry(a, it->device->index);
    s->by_raw = strcmp(level, it->device->name) != 0;
    if (it->kind == ITEM_STATUS && !strcmp(last, "status"))
        see_status(a, s);
    else if (it->kind == ITEM_READING && !strcmp(last, "readings"))
        see_values(a, s, &it->r, payload, len);
    pthread_mutex_unlock(&a->lock);
}

/* ---- announcing
 * ----------------------------------------------------------------------------- */

void announce_again(struct announce *a)
{
    pthread_mutex_lock(&a->lock);
    for (size_t i = 0; i < a->n_devices; i++)
        a->device[i].told = 0;
    a->due = true;
    a->round++;
    pthread_mutex_unlock(&a->lock);
}

/* What is to be told next. */
struct due {
    struct device *d;
    struct ha_config c;
    uint32_t index;
    uint8_t told;
    uint64_t round;
};

/* With the lock held. One look around from where it stopped; false: nothing is due. */
static bool find_due(struct announce *a, struct due *due)
{
    for (size_t k = 0; a->due && k < a->n_devices; k++, a->next++) {
        a->next = a->next < a->n_devices ? a->next : 0;
        struct sent *s = &a->device[a->next];
        while (s->told < s->n && (s->name[s->told] & UNREADABLE))
            s->told++;
        if (s->told >= s->n || !(due->d = ledger_at(a->ledger, a->next)))
            continue;
        due->index = a->next;
        due->told = s->told;
        due->round = a->round;
        due->c = (struct ha_config){.prefix = a->prefix,
                                    .device = due->d->name,
                                    .level = s->by_raw ? due->d->raw : due->d->name,
                                    .quantity = a->names[s->name[s->told]],
                                    .has_status = s->status,
                                    .expire_s = a->expire_s};
        return true;
    }
    a->due = false;
    return false;
}

/* With the lock held: unless it was to be told again meanwhile. */
static void was_told(struct announce *a, const struct due *due)
{
    struct sent *s = &a->device[due->index];
    if (a->round == due->round && s->told == due->told && s->status == due->c.has_status)
        s->told++;
}

static int tell(const struct due *due,
                int (*publish)(void *arg, const char *topic, const char *payload,
                               size_t len),
                void *arg)
{
    char topic[HA_TOPIC_MAX + 1];
    json_t *config = ha_config_json(&due->c);
    char *text = json_dumps(config, JSON_COMPACT);
    ha_config_topic(&due->c, topic);
    int rc = text ? publish(arg, topic, text, strlen(text)) : 0;
    json_decref(config);
    free(text);
    return rc;
}

size_t announce_some(struct announce *a, size_t most,
                     int (*publish)(void *arg, const char *topic, const char *payload,
                                    size_t len),
                     void *arg)
{
    struct due due;
    size_t n = 0;
    for (bool ok = true; ok && n < most; n += ok) {
        pthread_mutex_lock(&a->lock);
        bool found = find_due(a, &due);
        pthread_mutex_unlock(&a->lock);
        if (!found)
            break;
        ok = tell(&due, publish, arg) == 0;
        pthread_mutex_lock(&a->lock);
        if (ok)
            was_told(a, &due);
        pthread_mutex_unlock(&a->lock);
    }
    return n;
}
