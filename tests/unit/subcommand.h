/* SPDX-License-Identifier: GPL-3.0-or-later */
/* subcommand: runs one of the command's on a file and looks at what it says. */
#ifndef FC_TESTS_SUBCOMMAND_H
#define FC_TESTS_SUBCOMMAND_H

#include "tests/unit/unit.h"

#include <fcntl.h>
#include <unistd.h>

static char dir[] = "/tmp/fieldcast-command-XXXXXX";
static char in_path[64], out_path[64], rows_path[64];

static inline int setup(void **state)
{
    (void)state;
    if (!mkdtemp(dir))
        return -1;
    snprintf(in_path, sizeof in_path, "%s/in.csv", dir);
    snprintf(out_path, sizeof out_path, "%s/out.txt", dir);
    snprintf(rows_path, sizeof rows_path, "%s/rows.csv", dir);
    return 0;
}

static inline int teardown(void **state)
{
    (void)state;
    unlink(in_path);
    unlink(out_path);
    unlink(rows_path);
    return rmdir(dir);
}

static inline FILE *open_input(void)
{
    FILE *f = fopen(in_path, "w");
    assert_non_null(f);
    return f;
}

static inline void write_input(const char *text)
{
    FILE *f = open_input();
    fputs(text, f);
    fclose(f);
}

/* Runs the subcommand with its output in out_path; ends with the exit code. */
static inline int run(int (*command)(int, char **), const char *const *args)
{
    char *argv[16] = {(char *)"command"};
    int argc = 1;
    for (; args[argc - 1]; argc++)
        argv[argc] = (char *)args[argc - 1];
    fflush(stdout);
    fflush(stderr);
    int old = dup(STDOUT_FILENO), old_err = dup(STDERR_FILENO);
    int fd = open(out_path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    dup2(fd, STDOUT_FILENO);
    dup2(fd, STDERR_FILENO);
    int rc = command(argc, argv);
    fflush(stdout);
    fflush(stderr);
    dup2(old, STDOUT_FILENO);
    dup2(old_err, STDERR_FILENO);
    close(fd);
    close(old);
    close(old_err);
    return rc;
}

/* What the last run printed, its first 64 KiB; until the next call. */
static inline const char *printed(void)
{
    static char got[65536];
    FILE *f = fopen(out_path, "r");
    assert_non_null(f);
    got[fread(got, 1, sizeof got - 1, f)] = '\0';
    fclose(f);
    return got;
}

static inline void said(const char *text)
{
    const char *got = printed();
    if (!strstr(got, text))
        fail_msg("\"%s\" is not in: %s", text, got);
}

static inline void not_said(const char *text)
{
    const char *got = printed();
    if (strstr(got, text))
        fail_msg("\"%s\" is in: %s", text, got);
}

#endif
