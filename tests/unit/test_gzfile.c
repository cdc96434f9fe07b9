/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Files to read, gzip'ed or not; and what only looks like all of one. */
#include "tests/unit/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>
#include <zlib.h>

#include "tools/gzfile.h"

#define LONG_SIZE 300000

static char path[64];
static unsigned char packed[LONG_SIZE];
static char text[LONG_SIZE], got[LONG_SIZE + 1];

static int setup(void **state)
{
    (void)state;
    uint32_t r = 1;
    temp_file(path, "");
    for (size_t i = 0; i < sizeof text; i++)
        text[i] = (char)(32 + (r = r * 1664525 + 1013904223) % 90);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    return unlink(path);
}

static void put(const char *mode, const void *bytes, size_t n)
{
    FILE *f = fopen(path, mode);
    assert_int_equal(fwrite(bytes, 1, n, f), n);
    fclose(f);
}

/* A member of its own: "wb" begins the file anew, "ab" appends. */
static void pack(const char *mode, size_t n)
{
    gzFile gz = gzopen(path, mode);
    assert_int_equal(gzwrite(gz, text, (unsigned)n), (int)n);
    assert_int_equal(gzclose(gz), Z_OK);
}

/* All there is, with what the error is in *why: 0, none. */
static size_t read_all(FILE *f, int *why)
{
    assert_non_null(f);
    size_t n = fread(got, 1, LONG_SIZE, f);
    *why = ferror(f) ? errno : 0;
    fclose(f);
    return n;
}

static void expect(size_t n, int want)
{
    int why;
    assert_int_equal(read_all(gzfile_open(path), &why), n);
    assert_int_equal(why, want);
    assert_memory_equal(got, text, n);
}

static void forms(void **state)
{
    (void)state;
    put("w", "", 0);
    expect(0, 0);
    for (size_t n = 1; n <= 100000; n *= 10) {
        put("w", text, n);
        expect(n, 0);
        pack("wb", n);
        expect(n, 0);
    }
    pack("wb", 0);
    expect(0, 0);
    put("w", "\x1f", 1); /* too short for a gzip'ed one */
    int why;
    assert_int_equal(read_all(gzfile_open(path), &why), 1);
    assert_int_equal(why, 0);
    assert_null(gzfile_open("/nowhere/x"));
    assert_int_equal(errno, ENOENT);
    assert_null(gzfile_open("/tmp"));
    assert_int_equal(errno, EISDIR);
}

static void members(void **state)
{
    (void)state;
    int why;
    pack("wb", 70000);
    pack("ab", 0);
    pack("ab", 30);
    assert_int_equal(read_all(gzfile_open(path), &why), 70030);
    assert_int_equal(why, 0);
    assert_memory_equal(got + 70000, text, 30);
    put("a", "\0\0\0\0\0", 5);
    assert_int_equal(read_all(gzfile_open(path), &why), 70030);
    assert_int_equal(why, 0);
}

static void broken(void **state)
{
    (void)state;
    pack("wb", 1000);
    put("a", "a,1,2\n", 6);
    expect(1000, EILSEQ);
    pack("wb", 1000);
    put("a", "\0\0\0a", 4);
    expect(1000, EILSEQ);
    pack("wb", 1000);
    put("a", "\x1fx", 2);
    expect(1000, EBADMSG);
    pack("wb", 1000);
    put("a", "\x1f\x8b", 2);
    expect(1000, EBADMSG);
    pack("wb", 1000);
    FILE *f = fopen(path, "r");
    size_t size = fread(packed, 1, sizeof packed, f);
    fclose(f);
    put("w", packed, size - 1);
    expect(1000, EBADMSG);
    packed[size - 5] ^= 1; /* of the checksum */
    put("w", packed, size);
    expect(0, EBADMSG);
    assert_string_equal(gzfile_why(EBADMSG), "its gzip stream is damaged or cut off");
    assert_string_equal(gzfile_why(EILSEQ),
                        "something that is not gzip'ed follows its gzip stream");
    assert_string_equal(gzfile_why(EIO), "Input/output error");
}

/* A pipe that brings a byte at a time. */
static void drops(void **state)
{
    (void)state;
    int end[2], why;
    pack("wb", 500);
    pack("ab", 20);
    assert_int_equal(pipe(end), 0);
    pid_t pid = fork();
    if (!pid) {
        char c;
        int fd = open(path, O_RDONLY);
        close(end[0]);
        while (read(fd, &c, 1) == 1 && write(end[1], &c, 1) == 1)
            usleep(20);
        _exit(0);
    }
    close(end[1]);
    assert_int_equal(read_all(gzfile_dup(end[0]), &why), 520);
    assert_int_equal(why, 0);
    assert_memory_equal(got + 500, text, 20);
    close(end[0]);
    waitpid(pid, NULL, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(forms),
        cmocka_unit_test(members),
        cmocka_unit_test(broken),
        cmocka_unit_test(drops),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
