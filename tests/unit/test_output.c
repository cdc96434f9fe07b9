/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Standard output that takes no more: why, and that it stays so. */
#include "tests/unit/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "tools/output.h"

static int into(const char *path)
{
    fflush(stdout);
    int old = dup(STDOUT_FILENO), fd = open(path, O_WRONLY);
    dup2(fd, STDOUT_FILENO);
    close(fd);
    return old;
}

static void back(int old)
{
    dup2(old, STDOUT_FILENO);
    close(old);
    clearerr(stdout);
}

static void taken(void **state)
{
    (void)state;
    struct output o = {0};
    struct err e = ERR_INIT;
    int old = into("/dev/null");
    puts("x");
    errno = ENOTTY;
    int rc = output_end(&o, &e);
    back(old);
    assert_ok(rc, e);
}

static void refused(void **state)
{
    (void)state;
    struct output o = {0};
    struct err e = ERR_INIT;
    int old = into("/dev/full");
    puts("x");
    int before = output_check(&o, &e);
    output_flush(&o);
    errno = ENOTTY;
    output_flush(&o);
    back(old);
    assert_int_equal(before, 0);
    assert_failed(output_check(&o, &e), e, ERR_INTERNAL,
                  "could not write to standard output: No space left on device");
    assert_int_equal(output_end(&o, &e), -1);
}

/* That a write has failed is seen, but not when, nor why. */
static void refused_before(void **state)
{
    (void)state;
    struct output o = {0};
    struct err e = ERR_INIT;
    int old = into("/dev/full");
    puts("x");
    fflush(stdout);
    errno = 0;
    int rc = output_end(&o, &e);
    back(old);
    assert_failed(rc, e, ERR_INTERNAL,
                  "could not write to standard output: Input/output error");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(taken),
        cmocka_unit_test(refused),
        cmocka_unit_test(refused_before),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
