/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tools/options.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "tools/progress.h"
#include "tools/simulate.h"
#include "tools/suggest.h"

struct target {
    bool flag;
    int64_t number, length_ms, letter;
    double real;
    const char *text;
    struct option_list list;
};

#define AT(field) offsetof(struct target, field)
static const struct option table[] = {
    {"flag", NULL, OPT_FLAG, AT(flag), 0, 0, "a flag"},
    {"number", "N", OPT_INT, AT(number), -5, 10, "a number"},
    {"length", "TIME", OPT_DURATION, AT(length_ms), 1000, 60000, "a duration"},
    {"real", "X", OPT_REAL, AT(real), 0, 1, "a real"},
    {"text", "TEXT", OPT_TEXT, AT(text), 0, 0, "a text"},
    {"list", "ITEM", OPT_LIST, AT(list), 0, 0, "a list"},
    {"j", "N", OPT_INT, AT(letter), 1, 9, "a number with a letter"},
    {0}};

enum { MOST = 200 };

/* Splits a line at spaces ('' is an empty argument) and parses it. */
static int parse(const char *line, struct target *t, const char **operands, size_t *n,
                 struct err *e)
{
    static char copy[4096];
    char *argv[MOST] = {(char *)"test"}, *rest = copy, *word;
    int argc = 1;
    snprintf(copy, sizeof copy, "%s", line);
    while ((word = strsep(&rest, " ")) && argc < MOST)
        if (*word)
            argv[argc++] = strcmp(word, "''") == 0 ? word + 2 : word;
    *t = (struct target){0};
    *e = (struct err)ERR_INIT;
    return options_parse(table, argc, argv, t, operands, 2, n, e);
}

static void test_letters(void **unused)
{
    (void)unused;
    struct target t;
    struct err e;
    const char *operands[2];
    size_t n;
    assert_int_equal(parse("-j4 x", &t, operands, &n, &e), 0);
    assert_int_equal(t.letter, 4);
    assert_int_equal(parse("x -j 5", &t, operands, &n, &e), 0);
    assert_int_equal(t.letter, 5);
    assert_int_equal(parse("-j", &t, operands, &n, &e), -1);
    assert_string_equal(e.text, "-j needs an argument (N)");
    assert_int_equal(parse("-j12", &t, operands, &n, &e), -1);
    assert_string_equal(e.text, "-j must be from 1 to 9, not 12");
    assert_int_equal(parse("--j 2", &t, operands, &n, &e), -1);
    assert_string_equal(e.text, "unknown option --j: did you mean -j?");
    assert_int_equal(parse("-k", &t, operands, &n, &e), -1);
    assert_string_equal(e.text, "unknown option -k");
}

static void test_all_kinds(void **unused)
{
    (void)unused;
    struct target t;
    struct err e;
    const char *operands[2];
    size_t n;
    assert_int_equal(
        parse("in --flag --number -3 --length=5s --real 0.5 --text=a=b --list x "
              "--list y -- --out",
              &t, operands, &n, &e),
        0);
    assert_true(t.flag);
    assert_int_equal(t.number, -3);
    assert_int_equal(t.length_ms, 5000);
    assert_true(t.real == 0.5);
    assert_string_equal(t.text, "a=b");
    assert_int_equal(t.list.n, 2);
    assert_string_equal(t.list.item[1], "y");
    assert_int_equal(n, 2);
    assert_string_equal(operands[0], "in");
    assert_string_equal(operands[1], "--out");
    assert_int_equal(parse("topic -61.5", &t, operands, &n, &e), 0);
    assert_int_equal(n, 2);
    assert_string_equal(operands[1], "-61.5");
    assert_int_equal(parse("-", &t, operands, &n, &e), 0); /* standard input */
    assert_string_equal(operands[0], "-");
}

static void test_refusals(void **unused)
{
    (void)unused;
    static const struct {
        const char *line, *error;
    } cases[] = {
        {"--nope", "unknown option --nope"},
        {"--numbre 3", "unknown option --numbre: did you mean --number?"},
        {"--len 3", "unknown option --len: did you mean --length?"},
        {"-x", "unknown option -x"},
        {"a b c", "\"c\" is one argument too many"},
        {"--number", "--number needs an argument (N)"},
        {"--number x", "--number must be a whole number, not \"x\""},
        {"--number 1.5", "--number must be a whole number, not \"1.5\""},
        {"--number ''", "--number must be a whole number, not \"\""},
        {"--number 11", "--number must be from -5 to 10, not 11"},
        {"--number 99999999999999999999", "--number must be from -5 to 10, not "
                                          "99999999999999999999"},
        {"--real nan", "--real must be a number, not \"nan\""},
        {"--real 1.1", "--real must be from 0 to 1, not 1.1"},
        {"--length 5",
         "--length must be a number and a unit (ms, s, m, h, d, w) such as 5m or "
         "6w, not \"5\""},
        {"--length 2m", "--length must be from 1 s to 1 min, not 2m"},
        {"--text=", "--text must not be empty"},
        {"--flag=1", "--flag takes no argument"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct target t;
        struct err e;
        const char *operands[2];
        size_t n;
        assert_int_equal(parse(cases[i].line, &t, operands, &n, &e), -1);
        assert_string_equal(e.text, cases[i].error);
    }
    char line[4096] = "";
    for (int i = 0; i <= OPTION_LIST_MAX; i++)
        strcat(line, "--list x ");
    struct target t;
    struct err e;
    const char *operands[2];
    size_t n;
    assert_int_equal(parse(line, &t, operands, &n, &e), -1);
    assert_string_equal(e.text, "--list may be given at most 64 times");
}

static void test_print(void **unused)
{
    (void)unused;
    static const struct option rows[] = {{"short", NULL, OPT_FLAG, 0, 0, 0, "one line"},
                                         {"a-very-long-option", "ARGUMENT", OPT_TEXT, 0,
                                          0, 0,
                                          "a sentence that is long enough to be broken "
                                          "somewhere before the ninetieth column"},
                                         {0}};
    char *text = NULL;
    size_t len;
    FILE *f = open_memstream(&text, &len);
    options_print(rows, f);
    fclose(f);
    assert_string_equal(
        text, "  --short                   one line\n"
              "  --a-very-long-option ARGUMENT\n"
              "                            a sentence that is long enough to be broken "
              "somewhere before\n"
              "                            the ninetieth column\n");
    free(text);
}

static void test_suggest(void **unused)
{
    (void)unused;
    assert_int_equal(suggest_distance("kitten", "sitting"), 3);
    assert_int_equal(suggest_distance("", "abc"), 3);
    assert_int_equal(suggest_distance("same", "same"), 0);
    assert_true(suggest_near("simulat", "simulate"));
    assert_true(suggest_near("bakctest", "backtest"));
    assert_false(suggest_near("x", "simulate"));
    assert_false(suggest_near("frobnicate", "simulate"));
}

static int simulate(const char *line, struct simulate_opts *o, struct err *e)
{
    static char copy[1000];
    char *argv[40] = {(char *)"simulate"}, *rest = copy, *word;
    int argc = 1;
    snprintf(copy, sizeof copy, "%s", line);
    while ((word = strsep(&rest, " ")) && argc < 40)
        if (*word)
            argv[argc++] = word;
    *e = (struct err)ERR_INIT;
    return simulate_options(argc, argv, o, e);
}

static void test_simulate(void **unused)
{
    (void)unused;
    struct simulate_opts o;
    struct err e;
    assert_int_equal(simulate("--mqtt tcp://h:1 --backfill 6w --live", &o, &e), 0);
    assert_int_equal(o.devices, 6);
    assert_int_equal(o.every_ms, 300000);
    assert_int_equal(o.backfill_ms, INT64_C(3628800000));
    assert_int_equal(o.to.qos, 1);
    assert_true(o.to.patient);
    assert_int_equal(simulate("--dry-run --count 1 --shape system3", &o, &e), 0);
    assert_false(o.to.patient);
    static const struct {
        const char *line, *error;
    } cases[] = {
        {"--live", "say where to publish (--mqtt tcp://HOST:PORT), or --dry-run"},
        {"--dry-run",
         "say what to send: --backfill TIME, --live, --start TIME or --count N"},
        {"--dry-run --live --shape x",
         "--shape must be native, system0, system1, system2 or system3, not x"},
        {"--dry-run --live --start 0 --backfill 1d",
         "--start with --live runs up to now by itself: leave --backfill out"},
        {"--dry-run --live --devices 0", "--devices must be from 1 to 100000, not 0"},
        {"--dry-run --live --every 2d", "--every must be from 1 ms to 1 d, not 2d"},
        {"--dry-run --live --qos 2", "--qos must be from 0 to 1, not 2"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(simulate(cases[i].line, &o, &e), -1);
        assert_string_equal(e.text, cases[i].error);
    }
}

/* Devices take turns, evenly; the grid does not depend on where a run begins. */
static void test_grid(void **unused)
{
    (void)unused;
    struct simulate_opts o;
    struct err e;
    assert_int_equal(simulate("--dry-run --live --devices 6 --every 5m", &o, &e), 0);
    for (int64_t k = -20; k < 20; k++)
        assert_int_equal(simulate_time(&o, k), k * 50000);
    for (int64_t t = -200000; t < 200000; t += 7919) {
        int64_t k = simulate_first(&o, t);
        assert_true(simulate_time(&o, k) >= t && simulate_time(&o, k - 1) < t);
    }
    assert_int_equal(simulate("--dry-run --live --devices 7 --every 3ms", &o, &e), 0);
    for (int64_t k = -20; k < 20; k++)
        assert_true(simulate_time(&o, k) <= simulate_time(&o, k + 1));
    assert_int_equal(simulate_time(&o, 7), 3);
}

static void test_progress(void **unused)
{
    (void)unused;
    struct progress p;
    char out[PROGRESS_TEXT_SIZE];
    progress_init(&p, "backfill", "samples", 1000, 0);
    assert_string_equal(progress_text(&p, 0, 1000, out),
                        "backfill:   0 %  0/1000 samples, 0/s, ? left");
    assert_string_equal(progress_text(&p, 250, 10000, out),
                        "backfill:  25 %  250/1000 samples, 25/s, 30 s left");
    assert_string_equal(progress_text(&p, 1000, 40000, out),
                        "backfill: 100 %  1000/1000 samples, 25/s, 0 ms left");
    progress_init(&p, "replay", "rows", 0, 0);
    assert_string_equal(progress_text(&p, 50, 1000, out), "replay: 50 rows, 50/s");
    progress_init(&p, "train", "series", 4, 0);
    p.begun = 0.5; /* half of one that takes its time */
    assert_string_equal(progress_text(&p, 0, 1000, out),
                        "train:  12 %  0/4 series, 0/s, 7 s left");
    assert_string_equal(progress_text(&p, 1, 3000, out),
                        "train:  38 %  1/4 series, 0.3/s, 5 s left");
    p.begun = 0;
    assert_string_equal(progress_text(&p, 4, 8000, out),
                        "train: 100 %  4/4 series, 0.5/s, 0 ms left");

    /* of work that may be short: on a terminal, after a second */
    char *said = NULL;
    size_t n = 0;
    progress_init(&p, "forecast", "series", 9, 0);
    p.to = open_memstream(&said, &n);
    p.terminal = false;
    progress_if_long(&p, 3, 60000);
    fflush(p.to);
    assert_int_equal(n, 0);
    p.terminal = true;
    progress_if_long(&p, 3, 999);
    fflush(p.to);
    assert_int_equal(n, 0);
    progress_if_long(&p, 3, 60000);
    fclose(p.to);
    assert_non_null(strstr(said, "3/9 series"));
    free(said);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_kinds), cmocka_unit_test(test_letters),
        cmocka_unit_test(test_refusals),  cmocka_unit_test(test_print),
        cmocka_unit_test(test_suggest),   cmocka_unit_test(test_simulate),
        cmocka_unit_test(test_grid),      cmocka_unit_test(test_progress),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
