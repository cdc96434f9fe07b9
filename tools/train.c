/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tools/train.h"

#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/mem.h"
#include "common/ml/presets.h"
#include "common/plain.h"
#include "common/stop.h"
#include "common/utf8.h"
#include "tools/options.h"
#include "tools/progress.h"
#include "tools/remote.h"
#include "tools/train_jobs.h"

#define FEW 100  /* are looked at more often */
#define NAMED 10 /* so many are told of one by one */
#define LOOK_FEW_MS 250
#define LOOK_MS 1000
#define AWAY_MS 60000 /* a trainer that starts again is waited for */

enum format { TEXT, CSV, JSON };

struct train_opts {
    const char *url, *token, *token_file, *reason, *preset, *output;
    int64_t priority;
    bool all, cancel, no_wait, help;
    const char **series; /* n of them */
    size_t n;
    enum format format;
};

#define UNSET INT64_MIN
#define AT(field) offsetof(struct train_opts, field)
static const struct option table[] = {
    {"all", NULL, OPT_FLAG, AT(all), 0, 0, "every active series that is forecast"},
    {"reason", "TEXT", OPT_TEXT, AT(reason), 0, 0,
     "why, for the registry (default: asked by the token's role)"},
    {"preset", "NAME", OPT_TEXT, AT(preset), 0, 0,
     "system0 (four lags of the last week, as in the reference system), holt_winters, "
     "theta, boost or forest (default: the best of all candidates)"},
    {"priority", "N", OPT_INT, AT(priority), -100, 100,
     "higher ones are trained first (default: 10; with --all -10)"},
    {"no-wait", NULL, OPT_FLAG, AT(no_wait), 0, 0,
     "ask for the trainings and leave them to the trainer"},
    {"cancel", NULL, OPT_FLAG, AT(cancel), 0, 0,
     "cancel what is queued or running for these series instead"},
    {"output", "FORMAT", OPT_TEXT, AT(output), 0, 0,
     "what became of each series as csv or json (default: a summary, and each of up to "
     "10 series on standard error)"},
    REMOTE_OPTIONS(struct train_opts, "trainer"),
    {"help", NULL, OPT_FLAG, AT(help), 0, 0, "this text"},
    {0}};

static void help(void)
{
    printf("Asks a running trainer to learn series anew and shows how far it is. A "
           "training reads up\n"
           "to eight weeks of hours, compares all candidates on them, and makes the best "
           "the champion\n"
           "if it beats the one that serves (\"promoted\"), or keeps it beside "
           "(\"kept\"). A series that\n"
           "cannot be learned is \"refused\", with a sentence.\n\n"
           "  fieldcast train [options] SERIES... | --all\n\n"
           "The trainings are the trainer's: Ctrl-C ends this command alone. A series "
           "that is queued\n"
           "already is not queued twice: its job is joined, and if that makes another "
           "preset than was\n"
           "asked for, this is said. Exits with 0 when every series has a new version, "
           "with 1 when one\n"
           "was refused, failed or cancelled.\n\n");
    options_print(table, stdout);
    printf("\nExamples\n"
           "  fieldcast train kitchen.temperature kitchen.humidity --reason \"sensor "
           "was moved\"\n"
           "  fieldcast train --all --output csv > trained.csv\n"
           "  fieldcast train --all --cancel\n");
}

/* ---- the command line ------------------------------------------------------------ */

/* JSON takes nothing else, and what it does not take must not be left out. */
static int check_text(const char *what, const char *text, struct err *e)
{
    return !text || utf8_valid(text)
               ? 0
               : err_set(e, ERR_INVALID, "%s must be UTF-8, not \"%.130s\"", what, text);
}

static int check(struct train_opts *o, struct err *e)
{
    for (size_t i = 0; i < o->n; i++)
        if (check_text("the name of a series", o->series[i], e))
            return -1;
    if (check_text("--reason", o->reason, e) || check_text("--preset", o->preset, e))
        return -1;
    if (o->preset && !preset_find(o->preset))
        return err_set(e, ERR_INVALID, "--preset must be " PRESET_NAMES ", not \"%.40s\"",
                       o->preset);
    if (o->all == (o->n > 0))
        return err_set(e, ERR_INVALID, "%s",
                       o->all ? "give either names of series or --all, not both"
                              : "which series? Give their names (kitchen.temperature), "
                                "or --all");
    if (remote_check(o->token, o->token_file, e))
        return -1;
    if (o->cancel &&
        (o->reason || o->preset || o->priority != UNSET || o->no_wait || o->output))
        return err_set(e, ERR_INVALID,
                       "--cancel goes with names or --all, and nothing else but "
                       "--url and the token");
    if (o->output && !strcmp(o->output, "csv"))
        o->format = CSV;
    else if (o->output && !strcmp(o->output, "json"))
        o->format = JSON;
    else if (o->output)
        return err_set(e, ERR_INVALID, "--output must be csv or json, not \"%.40s\"",
                       o->output);
    return 0;
}

static json_t *names(const struct train_opts *o)
{
    if (o->all)
        return json_string("all");
    json_t *list = json_array();
    for (size_t i = 0; i < o->n; i++)
        json_array_append_new(list, json_string(o->series[i]));
    return list;
}

/* ---- asking and following -------------------------------------------------------- */

static json_t *ask(const struct train_opts *o, struct remote *r, struct err *e)
{
    json_t *body = json_pack("{s:o}", "series", names(o));
    if (o->reason)
        json_object_set_new(body, "reason", json_string(o->reason));
    if (o->preset)
        json_object_set_new(body, "preset", json_string(o->preset));
    if (o->priority != UNSET)
        json_object_set_new(body, "priority", json_integer(o->priority));
    json_t *answer = remote_ask(r, "POST", "/api/v1/train", body, e);
    json_decref(body);
    return answer;
}

static int cancel(const struct train_opts *o, struct remote *r, struct err *e)
{
    json_t *body = json_pack("{s:o}", "series", names(o));
    json_t *answer = remote_ask(r, "POST", "/api/v1/jobs/cancel", body, e);
    json_decref(body);
    if (!answer)
        return -1;
    size_t n = json_array_size(json_object_get(answer, "cancelled"));
    printf("%zu training%s cancelled\n", n, n == 1 ? " was" : "s were");
    json_decref(answer);
    return 0;
}

/* Until none of them is open (0), a stop was asked for (1), or nobody answers (-1). */
static int follow(struct train_jobs *jobs, struct remote *r, struct err *e)
{
    struct progress p;
    int64_t now = clock_mono_ms(), heard = now, open;
    bool stopped = false;
    progress_init(&p, "train", "series", jobs->n, now);
    for (;;) {
        *e = (struct err)ERR_INIT;
        open = train_jobs_look(jobs, r, e);
        now = clock_mono_ms();
        bool later = e->code == ERR_UNAVAILABLE || e->code == ERR_TIMEOUT;
        if (open >= 0)
            heard = now;
        else if (!later || now - heard > AWAY_MS)
            break;
        p.begun = jobs->begun;
        if (open >= 0)
            progress_if_long(&p, jobs->n - (uint64_t)open, now);
        if (!open)
            break;
        stopped = !stop_wait(jobs->n <= FEW ? LOOK_FEW_MS : LOOK_MS);
        if (stopped)
            break;
    }
    if (p.drawn || !open)
        progress_end(&p, jobs->n - (uint64_t)(open > 0 ? open : 0), now);
    return stopped ? 1 : open < 0 ? -1 : 0;
}

/* ---- the end --------------------------------------------------------------------- */

/* What --output asks for. */
static void put(const struct train_opts *o, const struct train_jobs *jobs)
{
    if (o->format == CSV)
        train_jobs_csv(jobs, stdout);
    if (o->format == JSON) {
        json_t *j = train_jobs_json(jobs);
        char *text = json_dumps(j, JSON_INDENT(2) | JSON_REAL_PRECISION(17));
        plain_put_lines(stdout, text);
        putchar('\n');
        free(text);
        json_decref(j);
    }
}

static int tell(const struct train_opts *o, const struct train_jobs *jobs)
{
    struct train_counts c = train_jobs_count(jobs);
    size_t not = c.refused + c.failed + c.cancelled + c.gone;
    train_jobs_tell(jobs, o->format == TEXT && jobs->n <= NAMED, stderr);
    put(o, jobs);
    fprintf(o->format == TEXT ? stdout : stderr,
            "%zu series: %zu promoted, %zu kept, %zu refused, %zu failed, %zu "
            "cancelled\n",
            jobs->n, c.promoted, c.kept, c.refused, c.failed + c.gone, c.cancelled);
    return not > 0;
}

static int left_alone(const struct train_opts *o, const struct train_jobs *jobs)
{
    size_t n = train_jobs_count(jobs).open;
    if (!n) /* they ended before this looked */
        return 0;
    fprintf(stderr,
            "train: %zu of %zu trainings go on without this command; \"fieldcast train "
            "%s --cancel\" cancels them\n",
            n, jobs->n,
            o->all         ? "--all"
            : jobs->n == 1 ? o->series[0]
                           : "SERIES...");
    return o->no_wait ? 0 : 1;
}

/* What is open already is joined: its result is not what this command asked for. */
static void tell_joined(const struct train_opts *o, const json_t *answer)
{
    size_t i;
    const json_t *job;
    json_array_foreach(json_object_get(answer, "jobs"), i, job)
    {
        const json_t *preset = json_object_get(job, "preset");
        const char *makes = json_is_string(preset) ? json_string_value(preset) : "";
        const char *series = json_string_value(json_object_get(job, "series"));
        if (!preset || !strcmp(makes, o->preset ? o->preset : ""))
            continue;
        plain_put(stderr, series ? series : "");
        fprintf(stderr, ": joins job %" JSON_INTEGER_FORMAT ", which makes %s",
                json_integer_value(json_object_get(job, "id")),
                *makes ? "preset " : "the best of all candidates");
        plain_put(stderr, makes);
        fputc('\n', stderr);
    }
}

static int see_through(const struct train_opts *o, struct train_jobs *jobs,
                       struct remote *r, struct err *e)
{
    int rc = follow(jobs, r, e);
    if (rc == 1)
        return left_alone(o, jobs);
    return rc || train_jobs_fetch(jobs, r, e) ? -1 : tell(o, jobs);
}

/* To the trainer, or there is none. They were asked for, whether or not more is known. */
static int leave(const struct train_opts *o, struct train_jobs *jobs, struct remote *r,
                 struct err *e)
{
    int rc = o->format == TEXT ? 0 : train_jobs_fetch(jobs, r, e);
    put(o, jobs);
    if (jobs->n)
        return left_alone(o, jobs) || rc ? -1 : 0;
    fprintf(stderr, "train: there is no active series that is forecast\n");
    return 0;
}

static int run(const struct train_opts *o, struct remote *r, struct err *e)
{
    struct train_jobs jobs = {0};
    json_t *answer = ask(o, r, e);
    int rc = answer ? train_jobs_init(&jobs, answer, r, e) : -1;
    if (!rc)
        tell_joined(o, answer);
    json_decref(answer);
    if (!rc)
        rc = jobs.n && !o->no_wait ? see_through(o, &jobs, r, e) : leave(o, &jobs, r, e);
    train_jobs_done(&jobs);
    return rc;
}

int train_main(int argc, char **argv)
{
    struct train_opts o = {.priority = UNSET};
    struct err e = ERR_INIT;
    o.series = xcalloc((size_t)argc + 1, sizeof *o.series);
    int rc = 2;
    if (options_parse(table, argc, argv, &o, o.series, (size_t)argc, &o.n, &e) ||
        (!o.help && check(&o, &e))) {
        options_refuse("train", &e);
    } else if (o.help) {
        help();
        rc = 0;
    } else {
        stop_init();
        struct remote *r = remote_open("trainer", o.url, o.token, o.token_file, &e);
        rc = !r ? -1 : o.cancel ? cancel(&o, r, &e) : run(&o, r, &e);
        remote_close(r);
    }
    free(o.series);
    return rc < 0 ? options_fail("train", &e) : rc;
}
