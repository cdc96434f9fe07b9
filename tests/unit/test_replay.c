/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tools/replay.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>
#include <cmocka.h>

#include "common/clock.h"

static char path[] = "/tmp/test_replay_XXXXXX";

static int setup(void **unused)
{
    (void)unused;
    int fd = mkstemp(path);
    return fd < 0 ? -1 : close(fd);
}

static int teardown(void **unused)
{
    (void)unused;
    return unlink(path);
}

static void put_file(const char *text, bool packed)
{
    gzFile gz = gzopen(path, packed ? "wb" : "wT"); /* T: as it is */
    assert_int_equal(gzwrite(gz, text, (unsigned)strlen(text)), (int)strlen(text));
    assert_int_equal(gzclose(gz), Z_OK);
}

/* The samples of a file as text: "TIME DEVICE quantity=value ...\n". */
struct seen {
    char text[2000];
    int64_t t_ms;
};

static int take(void *arg, struct sample *s, struct err *e)
{
    (void)e;
    struct seen *seen = arg;
    char time[CLOCK_RFC3339_SIZE], *at = seen->text + strlen(seen->text);
    size_t room = sizeof seen->text - strlen(seen->text);
    int n = snprintf(at, room, "%.16s %s", clock_format(seen->t_ms, time), s->device);
    for (size_t i = 0; i < s->n; i++)
        n += snprintf(at + n, room - (size_t)n, " %s=%.12g%s", s->value[i].quantity,
                      s->value[i].value, s->value[i].boolean ? "?" : "");
    snprintf(at + n, room - (size_t)n, "\n");
    return 0;
}

/* Reads the whole file with a layout; 0 or -1 with e. */
static int read_all(const struct replay_layout *l, struct seen *seen, struct err *e)
{
    *e = (struct err)ERR_INIT;
    seen->text[0] = '\0';
    struct csv *c = csv_open(path, e);
    assert_non_null(c);
    assert_int_equal(csv_next(c, e), 1);
    csv_header(c);
    struct replay_columns *rc = replay_columns_new(l, c, e);
    int got = rc ? 1 : -1;
    while (got == 1 && (got = csv_next(c, e)) == 1)
        if (replay_row_time(rc, c, &seen->t_ms, e) ||
            replay_row_samples(rc, c, take, seen, e))
            got = -1;
    replay_columns_free(rc);
    csv_close(c);
    return got;
}

static void expect(const char *preset, const char *file, const char *text)
{
    for (int packed = 0; packed < 2; packed++) {
        struct seen seen;
        struct err e;
        put_file(file, packed);
        assert_int_equal(read_all(replay_preset(preset), &seen, &e), 0);
        assert_string_equal(seen.text, text);
    }
}

static void test_presets(void **unused)
{
    (void)unused;
    expect("esp32-home",
           "temp_kitchen,temp_office,time\n"
           ",27.7,2025-11-02T10:02:00.000Z\n"
           "27.2,27.75,2025-11-02T10:03:00.000Z\n"
           ",,2025-11-02T10:04:00.000Z\n",
           "2025-11-02T10:02 office temperature=27.7\n"
           "2025-11-02T10:03 kitchen temperature=27.2\n"
           "2025-11-02T10:03 office temperature=27.75\n");
    expect("esp32-home",
           "time,temp_hall,hum_hall\n"
           "2025-11-02 00:00:00,27.6,52.5\n", /* no zone: six hours behind */
           "2025-11-02T06:00 hall temperature=27.6 humidity=52.5\n");
    expect(
        "iot-telemetry",
        "ts,device,co,humidity,light,lpg,motion,smoke,temp\r\n"
        "1594598424.502,0e:9c:00,0.0117,73.8,false,0.0142,true,0.0397,18.9\r\n",
        "2020-07-13T00:00 0e:9c:00 co=0.0117 humidity=73.8 light=0? lpg=0.0142 motion=1? "
        "smoke=0.0397 temperature=18.9\n");
    expect("uci",
           "Date,Time,CO_GT,NO2_GT,C6H6_GT,T,RH\n"
           "10/03/2004,18:00:00,2,113,-200,13.6,48.9\n"
           "4/04/2005,09:00:00,-200,-200,-200,-200,-200\n",
           "2004-03-10T17:00 station co=1.74580507 no2=113 temperature=13.6 "
           "humidity=48.9\n");
    expect("beijing",
           "No,year,month,day,hour,pm2.5,DEWP,TEMP,PRES,cbwd\n"
           "1,2010,1,1,0,NA,-21,-11,1021,NW\n"
           "2,2010,1,1,23,129,-21,-11,1021,NW\n",
           "2009-12-31T16:00 beijing dew_point=-21 temperature=-11 pressure=1021\n"
           "2010-01-01T15:00 beijing pm25=129 dew_point=-21 temperature=-11 "
           "pressure=1021\n");
    expect(
        "occupancy", /* the rows have a number that the header does not name */
        "\"date\",\"Temperature\",\"Humidity\",\"Light\",\"CO2\",\"HumidityRatio\","
        "\"Occupancy\"\n"
        "\"1\",\"2015-02-04 17:51:00\",23.18,27.272,426,721.25,0.00479,1\n",
        "2015-02-04T16:51 office temperature=23.18 humidity=27.272 light=426 co2=721.25 "
        "occupancy=1\n");
    assert_null(replay_preset("nope"));
}

static void test_own_layout(void **unused)
{
    (void)unused;
    struct replay_layout l = {.time = "when",
                              .device = "=lab",
                              .maps = {{"T (C)=temperature", "p=pressure*0.01",
                                        "t_*_x=*.temperature", "out=garden.temperature"},
                                       4}};
    struct seen seen;
    struct err e;
    put_file("when,T (C),p,t_a_x,t_b_x,out\n1795132800,20.5,101325,1,2,3\n", false);
    assert_int_equal(read_all(&l, &seen, &e), 0);
    assert_string_equal(seen.text,
                        "2026-11-20T00:00 lab temperature=20.5 pressure=1013.25\n"
                        "2026-11-20T00:00 a temperature=1\n"
                        "2026-11-20T00:00 b temperature=2\n"
                        "2026-11-20T00:00 garden temperature=3\n");
}

static void test_refusals(void **unused)
{
    (void)unused;
    static const struct {
        const char *map, *time, *device, *offset, *row, *error;
    } cases[] = {
        {"t=temperature", NULL, "=lab", NULL, "0,1",
         "say which column is the time: --time COLUMN"},
        {"t=temperature", "ts", "=lab", NULL, "0,1",
         "there is no column \"ts\"; there are time, t"},
        {"t=temperature", "time", "who", NULL, "0,1",
         "there is no column \"who\"; there are time, t"},
        {"x=temperature", "time", "=lab", NULL, "0,1",
         "there is no column \"x\"; there are time, t"},
        {"t=temperature", "time", NULL, NULL, "0,1",
         "say which device column \"t\" belongs to: --device COLUMN or --device =NAME"},
        {"t=temperature", "time", "=", NULL, "0,1",
         "--device = needs a name after the ="},
        {"t", "time", "=lab", NULL, "0,1",
         "--map \"t\" must read COLUMN=QUANTITY or COLUMN=DEVICE.QUANTITY"},
        {"t=Temp", "time", "=lab", NULL, "0,1",
         "--map \"t=Temp\": a quantity has lower-case letters, digits and _"},
        {"t=co*x", "time", "=lab", NULL, "0,1",
         "--map \"t=co*x\": the factor must be a number"},
        {"t=co", "time", "=lab", "1:00", "0,1",
         "the offset from UTC must read like +01:00 or -06:00, not \"1:00\""},
        {"t=co", "time", "=lab", NULL, "0,wet",
         "PATH, line 2, column 2 (t): \"wet\" is not a number"},
        {"t=co", "time", "=lab", NULL, "noon,1",
         "PATH, line 2, column 1 (time): \"noon\" is not a time"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct replay_layout l = {.time = cases[i].time,
                                  .device = cases[i].device,
                                  .utc_offset = cases[i].offset,
                                  .maps = {{cases[i].map}, 1}};
        char file[100], text[300] = "";
        struct seen seen;
        struct err e;
        snprintf(file, sizeof file, "time,t\n%s\n", cases[i].row);
        put_file(file, false);
        assert_int_equal(read_all(&l, &seen, &e), -1);
        if (strncmp(cases[i].error, "PATH", 4) == 0)
            snprintf(text, sizeof text, "%s%s", path, cases[i].error + 4);
        else
            snprintf(text, sizeof text, "%s", cases[i].error);
        assert_string_equal(e.text, text);
    }
}

/* A gzip file that was cut is an error, not a shorter file. */
static void test_cut(void **unused)
{
    (void)unused;
    static char file[60000];
    strcpy(file, "time,t\n");
    for (size_t n = strlen(file), i = 0; i < 2000; i++)
        n +=
            (size_t)snprintf(file + n, sizeof file - n, "%zu,%zu\n", i * 60, i * i % 997);
    put_file(file, true);
    assert_int_equal(truncate(path, 2000), 0);
    struct csv *c = csv_open(path, NULL);
    struct err e = ERR_INIT;
    int got;
    while ((got = csv_next(c, &e)) == 1)
        ;
    assert_int_equal(got, -1);
    assert_non_null(strstr(e.text, "could not read"));
    csv_close(c);
}

static int options(const char *line, struct replay_opts *o, struct err *e)
{
    static char copy[1000];
    char *argv[40] = {(char *)"replay"}, *rest = copy, *word;
    int argc = 1;
    snprintf(copy, sizeof copy, "%s", line);
    while ((word = strsep(&rest, " ")) && argc < 40)
        if (*word)
            argv[argc++] = word;
    *e = (struct err)ERR_INIT;
    return replay_options(argc, argv, o, e);
}

static void test_options(void **unused)
{
    (void)unused;
    struct replay_opts o;
    struct err e;
    assert_int_equal(
        options("--preset uci f.csv --dry-run --device =roof --speed 60", &o, &e), 0);
    assert_string_equal(o.layout.device, "=roof");
    assert_string_equal(o.layout.missing, "-200");
    assert_int_equal(o.layout.maps.n, 5);
    assert_true(o.speed == 60);
    assert_int_equal(options("--preset uci f.csv --dry-run --map T=temperature", &o, &e),
                     0);
    assert_int_equal(o.layout.maps.n, 1);
    assert_false(o.layout.loose);
    static const struct {
        const char *line, *error;
    } cases[] = {
        {"--dry-run", "say which file to replay"},
        {"f.csv", "say where to publish (--mqtt tcp://HOST:PORT), or --dry-run"},
        {"f.csv --dry-run --preset x",
         "there is no preset \"x\" (fieldcast replay --help lists them)"},
        {"f.csv --dry-run --speed fast",
         "--speed must be max or from 0.001 to 1000000, not fast"},
        {"f.csv --dry-run --shape x",
         "--shape must be native, system0, system1, system2 or system3, not x"},
        {"f.csv --dry-run --from 2000 --to 1000", "--to must be later than --from"},
        {"f.csv --dry-run --from x",
         "--from must be a time such as 2026-11-20T10:00:00Z, "
         "epoch seconds or epoch milliseconds, not \"x\""},
        {"- --dry-run --shift-to-now",
         "--shift-to-now reads the file twice: it cannot be standard input"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(options(cases[i].line, &o, &e), -1);
        assert_string_equal(e.text, cases[i].error);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_presets),  cmocka_unit_test(test_own_layout),
        cmocka_unit_test(test_refusals), cmocka_unit_test(test_cut),
        cmocka_unit_test(test_options),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
