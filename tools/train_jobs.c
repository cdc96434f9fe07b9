/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tools/train_jobs.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "common/mem.h"
#include "common/plain.h"
#include "tools/csv.h"

#define PAGE 1000
#define JOBS_MAX 1000000          /* of one answer */
#define ID_MAX (INT64_C(1) << 53) /* beyond it no JSON number is sure to be itself */

static int by_id(const void *a, const void *b)
{
    int64_t x = ((const struct train_job *)a)->id, y = ((const struct train_job *)b)->id;
    return (x > y) - (x < y);
}

static struct train_job *find(const struct train_jobs *t, const json_t *id)
{
    struct train_job key = {.id = json_integer_value(id)};
    return t->n ? bsearch(&key, t->all, t->n, sizeof key, by_id) : NULL;
}

int train_jobs_init(struct train_jobs *t, const json_t *answer, const struct remote *r,
                    struct err *e)
{
    const json_t *jobs = json_object_get(answer, "jobs"), *job;
    size_t i, n = json_array_size(jobs);
    *t = (struct train_jobs){0};
    if (!json_is_array(jobs) || n > JOBS_MAX)
        return remote_strange(r, e);
    t->all = xcalloc(n + 1, sizeof *t->all);
    json_array_foreach(jobs, i, job)
    {
        json_int_t id = json_integer_value(json_object_get(job, "id"));
        if (id < 1 || id > ID_MAX)
            return remote_strange(r, e);
        const char *series = json_string_value(json_object_get(job, "series"));
        t->all[t->n++] = (struct train_job){
            .id = id, .series = xstrdup(series ? series : ""), .open = true};
    }
    qsort(t->all, t->n, sizeof *t->all, by_id);
    return 0;
}

void train_jobs_done(struct train_jobs *t)
{
    for (size_t i = 0; i < t->n; i++) {
        json_decref(t->all[i].end);
        free(t->all[i].series);
    }
    free(t->all);
    *t = (struct train_jobs){0};
}

/* ---- asking ---------------------------------------------------------------------- */

static size_t mark(struct train_jobs *t, const json_t *ids, const char *key)
{
    size_t i, n = 0;
    const json_t *v;
    json_array_foreach(ids, i, v)
    {
        struct train_job *j = find(t, key ? json_object_get(v, key) : v);
        n += j && !j->open;
        if (j)
            j->open = true;
        if (j && key) {
            double share = json_number_value(json_object_get(v, "progress"));
            t->begun += share > 1 ? 1 : share > 0 ? share : 0;
        }
    }
    return n;
}

int64_t train_jobs_look(struct train_jobs *t, struct remote *r, struct err *e)
{
    json_t *open = remote_ask(r, "GET", "/api/v1/jobs/open", NULL, e);
    const json_t *queued = json_object_get(open, "queued");
    const json_t *running = json_object_get(open, "running");
    int64_t n = -1;
    if (open && (!json_is_array(queued) || !json_is_array(running))) {
        remote_strange(r, e);
    } else if (open) {
        for (size_t i = 0; i < t->n; i++)
            t->all[i].open = false;
        t->begun = 0;
        n = (int64_t)(mark(t, queued, NULL) + mark(t, running, "id"));
    }
    json_decref(open);
    return n;
}

/* The page that begins with the job `from`, or with the next before it. */
static int fetch_page(struct train_jobs *t, int64_t from, struct remote *r, struct err *e)
{
    char path[80];
    size_t i;
    json_t *job;
    snprintf(path, sizeof path, "/api/v1/jobs?limit=%d&cursor=%" PRId64, PAGE, from + 1);
    json_t *page = remote_ask(r, "GET", path, NULL, e);
    if (!page)
        return -1;
    const json_t *items = json_object_get(page, "items");
    int rc = json_is_array(items) ? 0 : remote_strange(r, e);
    json_array_foreach(items, i, job)
    {
        struct train_job *j = find(t, json_object_get(job, "id"));
        if (j && !j->end)
            j->end = json_incref(job);
    }
    json_decref(page);
    return rc;
}

int train_jobs_fetch(struct train_jobs *t, struct remote *r, struct err *e)
{
    for (size_t i = t->n; i-- > 0;)
        if (!t->all[i].end && fetch_page(t, t->all[i].id, r, e))
            return -1;
    return 0;
}

/* ---- telling --------------------------------------------------------------------- */

static const char *text_of(const struct train_job *j, const char *key)
{
    const char *text = json_string_value(json_object_get(j->end, key));
    return text ? text : "";
}

/* "promoted", "kept", "refused", "failed", "cancelled", "queued", "running"; "" while it
 * is not known. */
static const char *how(const struct train_job *j)
{
    const char *outcome = text_of(j, "outcome");
    return *outcome ? outcome : text_of(j, "state");
}

static bool is_open(const struct train_job *j)
{
    const char *now = how(j);
    return *now ? !strcmp(now, "queued") || !strcmp(now, "running") : j->open;
}

struct train_counts train_jobs_count(const struct train_jobs *t)
{
    struct train_counts c = {0};
    struct {
        const char *how;
        size_t *n;
    } rows[] = {{"promoted", &c.promoted},
                {"kept", &c.kept},
                {"refused", &c.refused},
                {"failed", &c.failed},
                {"cancelled", &c.cancelled}};
    for (size_t i = 0; i < t->n; i++) {
        size_t k = 0;
        if (is_open(&t->all[i])) {
            c.open++;
            continue;
        }
        while (k < sizeof rows / sizeof *rows && strcmp(rows[k].how, how(&t->all[i])))
            k++;
        ++*(k < sizeof rows / sizeof *rows ? rows[k].n : &c.gone);
    }
    return c;
}

void train_jobs_tell(const struct train_jobs *t, bool each, FILE *to)
{
    for (size_t i = 0; i < t->n; i++) {
        const struct train_job *j = &t->all[i];
        const char *end = how(j);
        json_int_t version = json_integer_value(json_object_get(j->end, "version"));
        if (!each && (!strcmp(end, "promoted") || !strcmp(end, "kept")))
            continue;
        if (!j->end) {
            fprintf(to, "job %" PRId64 ": the trainer does not know it any more\n",
                    j->id);
            continue;
        }
        plain_put(to, text_of(j, "series"));
        fprintf(to, ": ");
        if (version)
            fprintf(to, "version %" JSON_INTEGER_FORMAT " ", version);
        plain_put(to, end);
        fprintf(to, ": ");
        plain_put(to, text_of(j, "message"));
        fputc('\n', to);
    }
}

void train_jobs_csv(const struct train_jobs *t, FILE *to)
{
    static const char *const texts[] = {"state", "outcome", "message"};
    struct buf b;
    buf_init(&b, 65536);
    fprintf(to, "series,job,version,state,outcome,message\n");
    for (size_t i = 0; i < t->n; i++) {
        const struct train_job *j = &t->all[i];
        json_int_t version = json_integer_value(json_object_get(j->end, "version"));
        buf_reset(&b);
        csv_add(&b, j->series);
        buf_addf(&b, ",%" PRId64 ",", j->id);
        if (version)
            buf_addf(&b, "%" JSON_INTEGER_FORMAT, version);
        for (size_t k = 0; k < sizeof texts / sizeof *texts; k++) {
            buf_addc(&b, ',');
            csv_add(&b, text_of(j, texts[k]));
        }
        fprintf(to, "%s\n", b.data);
    }
    buf_done(&b);
}

json_t *train_jobs_json(const struct train_jobs *t)
{
    struct train_counts c = train_jobs_count(t);
    json_t *jobs = json_array();
    for (size_t i = 0; i < t->n; i++)
        json_array_append_new(
            jobs, t->all[i].end ? json_incref(t->all[i].end)
                                : json_pack("{s:I, s:s}", "id", (json_int_t)t->all[i].id,
                                            "series", t->all[i].series));
    return json_pack("{s:o, s:I, s:I, s:I, s:I, s:I, s:I}", "jobs", jobs, "promoted",
                     (json_int_t)c.promoted, "kept", (json_int_t)c.kept, "refused",
                     (json_int_t)c.refused, "failed",
                     (json_int_t)c.failed + (json_int_t)c.gone, "cancelled",
                     (json_int_t)c.cancelled, "open", (json_int_t)c.open);
}
