/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdio.h>
#include <string.h>

#include "common/json.h"
#include "common/ml/relation_report.h"
#include "tools/diagnose_work.h"

#define FEW 10  /* pairs: each gets its sentence, whatever was found */
#define MOST 50 /* sentences; JSON has all */

static void say(const char *head, const char *text)
{
    struct buf b;
    buf_init(&b, DIAGNOSE_BYTES);
    text_wrap(&b, head, text);
    fwrite(b.data, 1, b.len, stdout);
    buf_done(&b);
}

/* What was found; returns how many sentences that took. */
static size_t print_found(const struct diagnose_pairs *all, const size_t n[N_FOUND])
{
    size_t found = n[FOUND_PREDICTS] + n[FOUND_TOGETHER];
    size_t told = all->n <= FEW ? all->n : found < MOST ? found : MOST;
    char text[80];
    for (size_t i = 0; i < told; i++)
        say("  - ", all->pair[i].text);
    if (told < found) {
        snprintf(text, sizeof text, "%zu more: --output json has them", found - told);
        say("  - ", text);
    }
    return told;
}

static void print_doubtful(const struct diagnose_pairs *all, size_t n)
{
    char text[256];
    snprintf(text, sizeof text,
             "%zu of %zu pairs look related by themselves, but of so many questions some "
             "are answered so by chance: only p below %.2g (helps to predict) or %.2g "
             "(moves together) counts",
             n, all->n, RELATION_HELPS_P(all->n), RELATION_TOGETHER_P(all->n));
    say("  - ", text);
}

static void print_rest(const struct diagnose_pairs *all, const size_t n[N_FOUND])
{
    char text[256];
    if (n[FOUND_NOTHING]) {
        snprintf(text, sizeof text,
                 "%zu of %zu pairs: neither is seen to help to predict the other, nor do "
                 "they move together beyond the time of day",
                 n[FOUND_NOTHING], all->n);
        say("  - ", text);
    }
    if (n[FOUND_UNKNOWN]) {
        struct buf b;
        buf_init(&b, DIAGNOSE_BYTES);
        buf_addf(&b, "%zu of %zu pairs cannot be compared: %s%s", n[FOUND_UNKNOWN],
                 all->n, all->pair[all->n - n[FOUND_UNKNOWN]].text,
                 n[FOUND_UNKNOWN] > 1 ? ", and the like" : "");
        say("  - ", b.data);
        buf_done(&b);
    }
}

static void print_ties(const json_t *ties)
{
    const json_t *one;
    size_t i;
    json_array_foreach(ties, i, one)
    {
        struct buf b;
        buf_init(&b, DIAGNOSE_BYTES);
        text_tie(&b, "  - ", one);
        fwrite(b.data, 1, b.len, stdout);
        buf_done(&b);
    }
}

static void print_text(const struct diagnose_pairs *all, const json_t *ties)
{
    size_t n[N_FOUND] = {0};
    for (size_t i = 0; i < all->n; i++)
        n[all->pair[i].found]++;
    puts("Between the series");
    print_ties(ties);
    bool doubted = all->n <= FEW && n[FOUND_DOUBTFUL];
    if (!n[FOUND_PREDICTS] && !doubted && n[FOUND_UNKNOWN] < all->n)
        say("  - ", "no series is seen to help to predict another one");
    size_t told = print_found(all, n);
    if (n[FOUND_DOUBTFUL])
        print_doubtful(all, n[FOUND_DOUBTFUL]);
    if (told < all->n)
        print_rest(all, n);
}

/* ---- JSON, CSV ---- */

static void print_json(const struct diagnose_pairs *all, const json_t *ties)
{
    struct buf b;
    for (size_t i = 0; i < all->n; i++)
        printf("%s%s", i ? ",\n" : "[", all->pair[i].text);
    fputs(!all->pair ? "null" : all->n ? "]" : "[]", stdout);
    buf_init(&b, DIAGNOSE_BYTES);
    if (ties)
        json_write(&b, ties);
    printf(",\n\"same\":%s", ties ? b.data : "null");
    buf_done(&b);
}

/* The bytes of a name that JSON has. */
static const char *bytes_of(const struct diagnose *d, const char *name)
{
    size_t i = 0;
    while (i + 1 < d->n && strcmp(d->few[i].name, name))
        i++;
    return d->few[i].bytes;
}

static void print_csv(const struct diagnose_pairs *all, const json_t *ties)
{
    const json_t *one;
    struct buf b;
    size_t i;
    for (i = 0; i < all->n; i++)
        fputs(all->pair[i].text, stdout);
    buf_init(&b, DIAGNOSE_BYTES);
    json_array_foreach(ties, i, one)
    {
        json_t *same = json_pack("{s:O}", "same", one);
        const char *name = json_string_value(json_object_get(one, "series"));
        csv_figures(&b, bytes_of(all->d, name), "", same);
        json_decref(same);
    }
    if (b.len)
        fwrite(b.data, 1, b.len, stdout);
    buf_done(&b);
}

void diagnose_relations(const struct diagnose_pairs *all)
{
    struct diagnose *d = all->d;
    json_t *ties = diagnose_ties(d);
    if (json_array_size(ties))
        d->any = true;
    if (d->o->csv)
        print_csv(all, ties);
    else if (d->o->json)
        print_json(all, ties);
    else if (!all->pair)
        printf("Between the series\n  - %zu are too many to compare each two unasked: "
               "--with NAME compares one with all\n    others\n",
               d->n);
    else if (all->n)
        print_text(all, ties);
    json_decref(ties);
}
