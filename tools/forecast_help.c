/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tools/forecast_help.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "common/buf.h"
#include "tools/forecast_candidate.h"

#define WIDTH 90

static void candidate_names(void)
{
    struct buf b;
    buf_init(&b, 4096);
    forecast_candidate_names(&b);
    int column = printf("--candidate can be");
    for (const char *name = b.data; *name; name += strspn(name, " ")) {
        int n = (int)strcspn(name, " ");
        bool fits = column + 1 + n <= WIDTH;
        int printed = printf("%c%.*s", fits ? ' ' : '\n', n, name);
        column = fits ? column + printed : n;
        name += n;
    }
    printf(".\n\n");
    buf_done(&b);
}

void forecast_help(const struct option *table)
{
    printf("Forecasts the series of a file, without any server: each one's candidates "
           "are compared\n"
           "by backtest, the best or a blend of the best is fitted to all of the "
           "history, and the\n"
           "hours after it are forecast, with a band made from the errors of the "
           "backtest.\n\n"
           "  fieldcast forecast [FILE] [options]\n\n");
    options_print(table, stdout);
    printf("\nThe file is as for \"fieldcast backtest\". The answer is a table of "
           "series, lead, time,\n"
           "yhat, yhat_lower, yhat_upper. A series that cannot be forecast is named on "
           "standard error\n"
           "and left out; so is told what a forecast lacks: a band, readings by the "
           "hour, or hours\n"
           "that it reads; and a newest hour far outside of all others, which it most "
           "often follows.\n\n"
           "Several readings in an hour are averaged. A first or last hour that they do "
           "not fill does\n"
           "not count: of a file of minutes that ends at 03:29, 02:00 is the last hour, "
           "and the\n"
           "forecast begins with 03:00.\n\n");
    candidate_names();
    printf("A file is read twice, first to check it. However many series it has, only "
           "those being worked\n"
           "on are in memory, if it is --wide or the rows of each series stand together. "
           "If they do not,\n"
           "and from a pipe without --grouped, all hours are: 8 to 12 bytes each.\n\n"
           "Examples\n"
           "  The next two days of what a file holds:\n"
           "    fieldcast forecast --input temperatures.csv --horizon 48\n"
           "  A benchmark set, a series per row, bands that hold 80 of 100 hours:\n"
           "    fieldcast forecast --wide --level 80 --input hourly.csv > forecasts.csv\n"
           "  A picture of it:\n"
           "    fieldcast forecast --plot forecast.svg temperatures.csv > forecast.csv\n"
           "  A hundred thousand series, sorted by series, in a few megabytes:\n"
           "    zcat all.csv.gz | fieldcast forecast --grouped - > forecasts.csv\n"
           "\nExit code: 0 when done, 1 when nothing could be forecast, 2 for a wrong "
           "command line.\n");
}
