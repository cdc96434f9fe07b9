/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Series of a file one after the other: the same whatever the order of the rows, from a
 * file, from a pipe, and a second time. */
#include "tests/unit/subcommand.h"

#include <math.h>
#include <sys/wait.h>

#include "tools/series_work.h"

#define T0_S INT64_C(1795132800)

/* What a pipe brings, for as long as the reader wants it. */
struct feeder {
    pid_t pid;
    int old_stdin;
};

static struct feeder feed_pipe(void)
{
    struct feeder f = {0};
    int end[2];
    char part[512];
    assert_int_equal(pipe(end), 0);
    f.pid = fork();
    if (!f.pid) {
        close(end[0]);
        int fd = open(in_path, O_RDONLY);
        ssize_t n;
        while ((n = read(fd, part, sizeof part)) > 0 &&
               write(end[1], part, (size_t)n) > 0)
            ;
        _exit(0);
    }
    close(end[1]);
    f.old_stdin = dup(STDIN_FILENO);
    dup2(end[0], STDIN_FILENO);
    close(end[0]);
    return f;
}

static void end_pipe(struct feeder f)
{
    dup2(f.old_stdin, STDIN_FILENO);
    close(f.old_stdin);
    waitpid(f.pid, NULL, 0);
}

/* "name:first hour after T0:values;…" of what is left. */
static const char *rest(struct series *s)
{
    static char got[2000];
    struct input_series one;
    struct err e = ERR_INIT;
    int rc;
    *got = '\0';
    while ((rc = series_next(s, &one, &e)) == 1) {
        char *at = got + strlen(got);
        at += sprintf(at, "%s:", one.name);
        if (one.h.n)
            at += sprintf(at, "%d:", (int)((one.h.start_s - T0_S) / 3600));
        for (size_t i = 0; i < one.h.n; i++)
            at += sprintf(at, "%s%g", i ? "," : "", one.h.y[i]);
        strcpy(at, ";");
        input_series_done(&one);
    }
    if (rc < 0)
        fail_msg("%s", e.text);
    return got;
}

static struct series *opened(const struct input_file *f, bool again)
{
    struct err e = ERR_INIT;
    struct series *s = series_open(f, again, &e);
    if (!s)
        fail_msg("%s", e.text);
    return s;
}

static void expect_file(struct input_file f, const char *want, bool together)
{
    struct err e = ERR_INIT;
    f.path = in_path;
    struct series *s = opened(&f, true);
    assert_int_equal(s->together, together);
    assert_string_equal(rest(s), want);
    assert_ok(series_rewind(s, &e), e);
    assert_string_equal(rest(s), want);
    series_close(s);
}

static void expect_pipe(struct input_file f, const char *want, bool kept)
{
    struct err e = ERR_INIT;
    f.path = "-";
    for (int again = 0; again < 2; again++) {
        struct feeder feeder = feed_pipe();
        struct series *s = opened(&f, again);
        assert_int_equal(s->c == NULL, kept || again);
        assert_string_equal(rest(s), want);
        if (again) {
            assert_ok(series_rewind(s, &e), e);
            assert_string_equal(rest(s), want);
        }
        series_close(s);
        end_pipe(feeder);
    }
}

#define ROW(name, hour, value) name "," hour "," value "\n"
#define H0 "2026-11-20T00:10:00Z"
#define H1 "2026-11-20T01:20:00Z"
#define H1_LATE "2026-11-20T01:50:00Z"
#define H4 "2026-11-20T04:00:00Z"
#define HEADER "series,time,value\n"

static void long_forms(void **state)
{
    (void)state;
    const char *want = "b:0:1,3,nan,nan,5;a:1:7;none:;";
    const struct input_file f = {0}, grouped = {.grouped = true};
    write_input(HEADER ROW("b", H4, "5") ROW("b", H1, "2") ROW("b", H1_LATE, "4") ROW(
        "b", H0, "1") ROW("b", H0, "") ROW("a", H1, "7") ROW("none", H0, "nan"));
    expect_file(f, want, true);
    expect_file(grouped, want, true);
    expect_pipe(f, want, true);
    expect_pipe(grouped, want, false);
    write_input(HEADER ROW("b", H0, "1") ROW("a", H1, "7") ROW("none", H0, "nan") ROW(
        "b", H1, "2") ROW("b", H1_LATE, "4") ROW("none", H0, "") ROW("b", H4, "5"));
    expect_file(f, want, false);
    expect_pipe(f, want, true);
    write_input("time,value\n" H1 ",-0\n" H0 ",2\n");
    const struct input_file one = {0};
    expect_file(one, "in:0:2,0;", true);
    expect_pipe(one, "series:0:2,0;", false);
    write_input("timestamp,value\n1795168800,2\n");
    expect_file(one, "in:10:2;", true);
}

/* Without a column for it, a series is called like its file. */
static void names_of_files(void **state)
{
    (void)state;
    static const char *const names[][2] = {
        {"kitchen.csv", "kitchen"},
        {"kitchen.temperature.csv", "kitchen.temperature"},
        {"kitchen.temperature.csv.gz", "kitchen.temperature"},
        {"kitchen.temperature.CSV", "kitchen.temperature"},
        {"kitchen.temperature.gz", "kitchen.temperature"},
        {"kitchen.temperature", "kitchen.temperature"},
        {"2026.01.txt", "2026.01"},
        {"kitchen", "kitchen"},
        {".csv", ".csv"},
        {".csv.gz", ".csv"},
    };
    write_input("time,value\n1795168800,2\n");
    for (size_t i = 0; i < N_OF(names); i++) {
        char path[128], want[64];
        snprintf(path, sizeof path, "%s/%s", dir, names[i][0]);
        snprintf(want, sizeof want, "%s:10:2;", names[i][1]);
        assert_int_equal(link(in_path, path), 0);
        const struct input_file f = {.path = path};
        struct series *s = opened(&f, false);
        assert_string_equal(rest(s), want);
        series_close(s);
        unlink(path);
    }
}

/* An hour is the mean of what it has; an empty cell and "nan" are nothing. */
static void hours_of_readings(void **state)
{
    (void)state;
    const struct input_file f = {0};
    write_input(HEADER "b,2026-11-20T11:59:59Z,3\n"
                       "a,2026-11-20T10:00:00Z,1\n"
                       "b,2026-11-20T10:10:00Z,5\n"
                       "b,2026-11-20T10:50:00Z,6\n"
                       "b,2026-11-20T10:55:00Z,\n"
                       "b,2026-11-20T13:00:00Z,7\n"
                       "c,2026-11-20T13:00:00Z,nan\n");
    expect_file(f, "b:10:5.5,3,nan,7;a:10:1;c:;", false);
}

static void wide_form(void **state)
{
    (void)state;
    const struct input_file f = {.wide = true, .start_s = T0_S};
    write_input("id,V1,V2\nx,1,,3\ny\nz,4,,\n");
    expect_file(f, "x:0:1,nan,3;y:;z:0:4;", false);
    expect_pipe(f, "x:0:1,nan,3;y:;z:0:4;", false);
    write_input("V1,V2,V3,V4\nH1,1,,3\nH2,4,5,,,\n");
    expect_file(f, "H1:0:1,nan,3;H2:0:4,5;", false);
    write_input("H1,1,2\n"); /* no header */
    expect_file(f, "H1:0:1,2;", false);
    write_input("w,-0,2\n");
    expect_file(f, "w:0:0,2;", false);
}

/* A file behind standard input is read twice as well, from where it stands. */
static void redirected(void **state)
{
    (void)state;
    struct input_file f = {.path = "-"};
    write_input("a comment\n" HEADER ROW("b", H0, "1") ROW("a", H1, "7"));
    int old = dup(STDIN_FILENO), fd = open(in_path, O_RDONLY);
    lseek(fd, 10, SEEK_SET);
    dup2(fd, STDIN_FILENO);
    close(fd);
    struct series *s = opened(&f, false);
    assert_true(s->c && s->together);
    assert_int_equal(series_count(s), 2);
    assert_string_equal(rest(s), "b:0:1;a:1:7;");
    series_close(s);
    dup2(old, STDIN_FILENO);
    close(old);
}

/* In both orders of the rows, before the first series is given out. */
static void refusals(void **state)
{
    (void)state;
    static const struct {
        const char *text, *said;
        bool wide, grouped;
    } cases[] = {
        {HEADER ROW("a", H0, "1") ROW("b", H0, "x"), "line 3, column 3 (value): \"x\"", 0,
         0},
        {HEADER ROW("a", H0, "1") ROW("b", "0", "2") ROW("b", "9000000000", "2"),
         "line 4, column 2 (time): series \"b\": a series must have 1 to 87600 hours", 0,
         0},
        {HEADER ROW("b", "0", "1") ROW("a", H0, "1") ROW("b", "9000000000", "2"),
         "line 4, column 2 (time): series \"b\": a series must have 1 to 87600 hours", 0,
         0},
        {HEADER ROW("a", H0, "1") ROW("b", H0, "1") ROW("a", H1, "2"),
         "the rows of a series do not stand together in ", 0, 1},
        {"x,1\ny,2,z\n", "line 2, column 3: \"z\" is not a number", 1, 0},
        {"x,1,2\ny,2,3\n", "line 1: the header must name", 0, 0},
        {"series;time;value\na;0;1\n",
         "it begins with \"series;time;value\"; columns must be separated by commas", 0,
         0},
        {"time\tvalue\n0\t1\n", "; columns must be separated by commas", 0, 0},
        {"H1;1;2\n", "line 1: columns must be separated by commas", 1, 0},
        {HEADER ROW("a", H0, "1"),
         "line 1: this looks like a long file: leave out --wide", 1, 0},
        {"Timestamp,Value\n0,1\n3600,2\n", "this looks like a long file", 1, 0},
    };
    for (size_t i = 0; i < N_OF(cases); i++) {
        struct err e = ERR_INIT;
        const struct input_file f = {
            .path = in_path, .wide = cases[i].wide, .grouped = cases[i].grouped};
        write_input(cases[i].text);
        assert_null(series_open(&f, false, &e));
        assert_non_null(strstr(e.text, in_path));
        if (!strstr(e.text, cases[i].said))
            fail_msg("%s", e.text);
    }
}

/* From a pipe it is found out when it comes. */
static void not_grouped_after_all(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    struct input_series one;
    const struct input_file f = {.path = "-", .grouped = true};
    write_input(HEADER ROW("a", H0, "1") ROW("b", H0, "1") ROW("a", H1, "2"));
    struct feeder feeder = feed_pipe();
    struct series *s = opened(&f, false);
    assert_int_equal(series_next(s, &one, &e), 1);
    input_series_done(&one);
    assert_int_equal(series_next(s, &one, &e), -1);
    assert_string_equal(e.text, "standard input, line 4, column 1 (series): series \"a\" "
                                "has rows further above, too: not with --grouped");
    series_close(s);
    end_pipe(feeder);
}

/* Values in any order make the same means. */
static void gathering(void **state)
{
    (void)state;
    struct gather g = {0};
    struct hours h;
    uint32_t x = 1;
    static double sum[3000], count[3000];
    for (int i = 0; i < 20000; i++) {
        x = x * 1664525 + 1013904223;
        size_t k = (x >> 8) % (size_t)(i < 100 ? 100 : 3000);
        size_t at = 2999 - k;
        int64_t t_ms = (T0_S + 3600 * (int64_t)at) * 1000;
        assert_int_equal(gather_fits(&g, t_ms), 0);
        gather_add(&g, t_ms, i);
        sum[at] += i;
        count[at]++;
    }
    assert_int_equal(gather_fits(&g, (g.first_s + INT64_C(3600) * 87599) * 1000), 0);
    assert_int_equal(gather_fits(&g, (g.first_s + INT64_C(3600) * 87600) * 1000), -1);
    assert_int_equal(gather_fits(&g, -1), -1);
    gather_take(&g, &h);
    assert_true(h.n > 2900 && h.n <= 3000);
    for (size_t i = 0; i < h.n; i++) {
        size_t at = (size_t)(h.start_s - T0_S) / 3600 + i;
        assert_true(count[at] > 0 ? h.y[i] == sum[at] / count[at] : isnan(h.y[i]));
    }
    hours_done(&h);
}

/* Readings each `step` minutes from minute `from` on, before minute `to`; each is worth
 * its hour. The minutes from `off` to `on` have none. */
struct minutes {
    int step, from, to, off, on;
};

static void write_minutes(FILE *f, const char *name, struct minutes m)
{
    for (int t = m.from; t < m.to; t += m.step)
        if (t < m.off || t >= m.on)
            fprintf(f, "%s,%lld,%d\n", name, (long long)T0_S + 60 * t, t / 60);
}

/* Only the ends, and only where hours have several readings. */
static void partial_hours(void **state)
{
    (void)state;
    static const struct {
        struct minutes m;
        const char *want;
    } cases[] = {
        {{1, 0, 180, 0, 0}, "a:0:0,1,2;"},      /* nothing is partial */
        {{1, 1, 181, 0, 0}, "a:0:0,1,2;"},      /* stamped at their ends: 03:00 is one */
        {{1, 0, 210, 0, 0}, "a:0:0,1,2;"},      /* ends at 03:29 */
        {{1, 0, 181, 0, 0}, "a:0:0,1,2;"},      /* a stray one at 03:00 */
        {{1, 30, 180, 0, 0}, "a:1:1,2;"},       /* begins at 00:30 */
        {{1, 30, 210, 0, 0}, "a:1:1,2;"},       /* both */
        {{1, 0, 179, 0, 0}, "a:0:0,1;"},        /* 02:58 and 1.5 minutes: not the end, */
        {{2, 0, 179, 0, 0}, "a:0:0,1,2;"},      /* but it is where they are two apart */
        {{1, 0, 240, 70, 120}, "a:0:0,1,2,3;"}, /* in the middle one may be partial, */
        {{1, 0, 250, 60, 180}, "a:0:0,nan,nan,3;"}, /* or missing */
        {{1, 0, 250, 120, 240}, "a:0:0,1;"},        /* what is then outermost goes, too */
        {{1, 50, 240, 60, 180}, "a:3:3;"},
        {{1, 5, 55, 0, 0}, "a:;"}, /* nothing is left */
        {{1, 30, 90, 0, 0}, "a:;"},
        {{15, 0, 240, 0, 0}, "a:0:0,1,2,3;"},
        {{15, 14, 240, 0, 0}, "a:0:0,1,2,3;"},
        {{15, 0, 220, 0, 0}, "a:0:0,1,2;"}, /* ends at 03:30 */
        {{30, 0, 240, 0, 0}, "a:0:0,1,2,3;"},
        {{30, 0, 210, 0, 0}, "a:0:0,1,2;"},   /* ends at 03:00 */
        {{60, 0, 240, 0, 0}, "a:0:0,1,2,3;"}, /* hourly: as it is */
        {{60, 59, 240, 0, 0}, "a:0:0,1,2,3;"},
        {{25, 10, 70, 0, 0}, "a:0:0,1;"}, /* two and one: the smaller counts */
        {{180, 0, 400, 0, 0}, "a:0:0,nan,nan,3,nan,nan,6;"},
    };
    for (size_t i = 0; i < N_OF(cases); i++) {
        FILE *f = open_input();
        fprintf(f, HEADER);
        write_minutes(f, "a", cases[i].m);
        fclose(f);
        expect_file((struct input_file){0}, cases[i].want, true);
    }
}

/* Whatever the form of the file; each series by its own readings. */
static void partial_hours_of_each(void **state)
{
    (void)state;
    const struct minutes by_minute = {1, 30, 210, 0, 0}, hourly = {60, 10, 210, 0, 0};
    const struct input_file f = {0}, grouped = {.grouped = true};
    const char *want = "a:1:1,2;b:0:0,1,2,3;";
    FILE *to = open_input();
    fprintf(to, HEADER);
    write_minutes(to, "a", by_minute);
    write_minutes(to, "b", hourly);
    fclose(to);
    expect_file(f, want, true);
    expect_pipe(f, want, true);
    expect_pipe(grouped, want, false);
    to = open_input();
    fprintf(to, HEADER);
    for (int t = 209; t >= 30; t--) {
        write_minutes(to, "a", (struct minutes){1, t, t + 1, 0, 0});
        if (t % 60 == 40)
            write_minutes(to, "b", (struct minutes){1, t - 30, t - 29, 0, 0});
    }
    write_minutes(to, "b", (struct minutes){1, 190, 191, 0, 0});
    fclose(to);
    expect_file(f, want, false);
    expect_pipe(f, want, true);
}

/* The same hours twice, or of two sensors with one name, are hours. */
static void hourly_more_than_once(void **state)
{
    (void)state;
    const struct input_file f = {0};
    FILE *to = open_input();
    fprintf(to, HEADER);
    for (int i = 0; i < 3; i++)
        write_minutes(to, "a", (struct minutes){60, 5 + i, 240, 0, 0});
    fclose(to);
    expect_file(f, "a:0:0,1,2,3;", true);
}

static void names_seen(void **state)
{
    (void)state;
    struct seen s = {0};
    char name[20];
    for (int again = 0; again < 2; again++)
        for (int i = 0; i < 5000; i++) {
            sprintf(name, "s%d", i);
            assert_int_equal(seen_add(&s, name), again);
        }
    assert_int_equal(s.n, 5000);
    seen_done(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(long_forms),
        cmocka_unit_test(names_of_files),
        cmocka_unit_test(hours_of_readings),
        cmocka_unit_test(wide_form),
        cmocka_unit_test(redirected),
        cmocka_unit_test(refusals),
        cmocka_unit_test(gathering),
        cmocka_unit_test(names_seen),
        cmocka_unit_test(not_grouped_after_all),
        cmocka_unit_test(partial_hours),
        cmocka_unit_test(partial_hours_of_each),
        cmocka_unit_test(hourly_more_than_once),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
