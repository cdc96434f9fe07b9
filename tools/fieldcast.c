/* SPDX-License-Identifier: GPL-3.0-or-later */
/* fieldcast: the command. One table of subcommands; each has its own file and its own
 * help. Exit codes: 0 done, 1 failed, 2 wrong command line. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "common/err.h"
#include "common/version.h"
#include "tools/backtest.h"
#include "tools/diagnose.h"
#include "tools/explain.h"
#include "tools/forecast.h"
#include "tools/output.h"
#include "tools/replay.h"
#include "tools/simulate.h"
#include "tools/suggest.h"
#include "tools/train.h"

static const struct command {
    const char *name, *sentence;
    int (*main)(int argc, char **argv);
} commands[] = {
    {"simulate", "publish a house of simulated sensors over MQTT", simulate_main},
    {"replay", "publish a CSV file over MQTT, as it was measured or faster", replay_main},
    {"forecast", "forecast the series of a file, without any server", forecast_main},
    {"backtest", "measure forecasts on a file, without any server", backtest_main},
    {"diagnose", "say what series are made of, and which predict which", diagnose_main},
    {"train", "have a running trainer learn series anew, and watch it", train_main},
    {"explain", "say what would become of a message, and why", explain_main},
};
enum { N_COMMANDS = sizeof commands / sizeof *commands };

static void help(FILE *to)
{
    fprintf(to, "Usage: fieldcast SUBCOMMAND [options]\n\nSubcommands\n");
    for (size_t i = 0; i < N_COMMANDS; i++)
        fprintf(to, "  %-10s %s\n", commands[i].name, commands[i].sentence);
    fprintf(
        to,
        "\n\"fieldcast SUBCOMMAND --help\" explains one; \"fieldcast --version\" says "
        "which build this is.\n");
}

static int unknown(const char *name)
{
    fprintf(stderr, "fieldcast: there is no subcommand \"%.60s\"", name);
    for (size_t i = 0; i < N_COMMANDS; i++)
        if (suggest_near(name, commands[i].name)) {
            fprintf(stderr, ": did you mean \"%s\"?\n", commands[i].name);
            return 2;
        }
    fprintf(stderr, "\nTry \"fieldcast --help\".\n");
    return 2;
}

static int run(int argc, char **argv)
{
    if (argc < 2) {
        help(stderr);
        return 2;
    }
    if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") ||
        !strcmp(argv[1], "help")) {
        help(stdout);
        return 0;
    }
    if (!strcmp(argv[1], "--version")) {
        printf("fieldcast %s (%s)\n", fc_version, fc_revision);
        return 0;
    }
    for (size_t i = 0; i < N_COMMANDS; i++)
        if (!strcmp(argv[1], commands[i].name))
            return commands[i].main(argc - 1, argv + 1);
    return unknown(argv[1]);
}

/* Where one was closed, the next file to be opened would become it. What takes its place
 * cannot be used either: a table with nowhere to go is a failure. */
static void hold_standard_files(void)
{
    for (int fd = 0; fd <= 2; fd++)
        if (fcntl(fd, F_GETFD) < 0 && errno == EBADF)
            (void)!open("/dev/null", fd ? O_RDONLY : O_WRONLY);
}

int main(int argc, char **argv)
{
    hold_standard_files();
    struct err e = ERR_INIT;
    struct output o = {0};
    int rc = run(argc, argv);
    errno = 0; /* it may be of anything by now */
    /* a table on a full disk is a failure, like a file on one */
    if (rc == 0 && output_end(&o, &e)) {
        fprintf(stderr, "fieldcast: %s\n", e.text);
        return 1;
    }
    return rc;
}
