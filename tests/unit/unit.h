/* SPDX-License-Identifier: GPL-3.0-or-later */
/* unit: what every cmocka program here includes, in the order cmocka wants. */
#ifndef FC_TESTS_UNIT_H
#define FC_TESTS_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "common/err.h"

#define N_OF(a) (sizeof(a) / sizeof *(a))

/* The call failed with this code and exactly this text. */
#define assert_failed(rc, e, want_code, want_text)                                       \
    do {                                                                                 \
        assert_int_equal((rc), -1);                                                      \
        assert_string_equal((e).text, (want_text));                                      \
        assert_int_equal((e).code, (want_code));                                         \
    } while (0)

#define assert_ok(rc, e)                                                                 \
    do {                                                                                 \
        if (rc)                                                                          \
            fail_msg("failed: %s", (e).text);                                            \
    } while (0)

/* A file in the temporary folder with this text; its path (static buffer per call site is
 * the caller's: size >= 64). */
static inline void temp_file(char path[64], const char *text)
{
    strcpy(path, "/tmp/fieldcast-unit-XXXXXX");
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    FILE *f = fdopen(fd, "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

#endif
