/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "services/trainer/run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/ml/train.h"
#include "common/registry_models.h"
#include "common/registry_runs.h"
#include "common/sha256.h"
#include "common/version.h"
#include "services/trainer/counts.h"
#include "services/trainer/grow.h"

#define STORE_TRIES 5
#define STORE_PAUSE_MS 500 /* doubled after each try */
#define LEVEL 0.95
#define EVIDENCE_DIGITS 15 /* so that what was rounded is written as it reads */

_Static_assert(MODEL_ROW_MAX == 8 * (2 + OTHERS_MAX), "rows with all others fit");

/* A training on its way into the registry. */
struct run {
    const struct runner *r;
    const struct job *j;
    struct hours *hours;
    const json_t *beside;   /* NULL: none */
    struct model *champion; /* the serving one, NULL if there is none. owned */
    int served;             /* its version, 0 if there is none */
    struct train_result result;
    char id[RUN_ID_SIZE], code[64];
    int64_t started_ms;
    int version;
};

static bool away(const struct err *e)
{
    return e->code == ERR_UNAVAILABLE || e->code == ERR_TIMEOUT || e->code == ERR_BUSY;
}

/* What serves now. One whose document cannot be read serves nobody: then there is none to
 * beat, and the next version puts the series right. */
static int load_champion(struct run *x, struct err *e)
{
    struct model_row row;
    struct err why = ERR_INIT;
    if (registry_champion(x->r->pg, x->j->series, &x->served, e))
        return -1;
    if (!x->served)
        return 0;
    if (registry_model_get(x->r->pg, x->j->series, x->served, NULL, &row, e))
        return -1;
    x->champion = model_parse(row.document, row.document_len, &why);
    if (!x->champion)
        log_warn("%s version %d cannot be read and is not compared with: %s",
                 x->j->series, x->served, why.text);
    model_row_done(&row);
    return 0;
}

static int train(struct run *x, struct err *e)
{
    struct growing growing;
    growing_init(&growing, GROW_LIMIT_S);
    snprintf(x->code, sizeof x->code, "%s %s", fc_version, fc_revision);
    struct train_opts o = {
        .series = x->j->series,
        .preset = *x->j->preset ? x->j->preset : NULL,
        .grower = &growing.grower,
        .code = x->code,
        .horizon = HORIZON_MAX,
        .level = LEVEL,
        .seed = RUN_SEED,
        .progress = x->r->progress,
        .progress_arg = x->r->progress_arg,
    };
    if (train_series(x->hours, x->champion, &o, &x->result, e))
        return -1;
    return growing_check(&growing, e);
}

/* ---- storing --------------------------------------------------------------------- */

static const char *outcome(const struct run *x)
{
    return x->result.outcome == TRAIN_PROMOTE ? "promoted" : "kept";
}

/* The gate's evidence, and what ties it to the rest of the registry; new. */
static json_t *evidence(const struct run *x)
{
    json_t *ev = json_deep_copy(x->result.evidence);
    json_object_set_new(ev, "job", json_integer(x->j->id));
    json_object_set_new(ev, "asked", json_string(x->j->reason));
    json_object_set_new(ev, "run", json_string(x->id));
    json_object_set_new(ev, "challenger", json_integer(x->version));
    json_object_set_new(ev, "champion",
                        x->served ? json_integer(x->served) : json_null());
    if (x->beside)
        json_object_set(ev, "beside", (json_t *)x->beside);
    return ev;
}

/* Starts of the first and the last hour. */
static json_int_t from_ms(const struct hours *h)
{
    return h->start_s * 1000;
}

static json_int_t to_ms(const struct hours *h)
{
    return (h->start_s + (int64_t)(h->n - 1) * 3600) * 1000;
}

static int store_run(const struct run *x, struct err *e)
{
    char job[24];
    snprintf(job, sizeof job, "%lld", (long long)x->j->id);
    json_t *tags = json_pack("{s:s, s:s, s:s, s:s, s:s}", "series", x->j->series,
                             "algorithm", x->result.model->algo->name, "outcome",
                             outcome(x), "asked", x->j->reason, "job", job);
    json_t *source = json_pack("{s:s, s:I, s:I, s:I}", "measurement", "hourly", "from_ms",
                               from_ms(x->hours), "to_ms", to_ms(x->hours), "rows",
                               (json_int_t)x->hours->n);
    struct run_new run = {
        .id = x->id,
        .name = x->j->series,
        .series = x->j->series,
        .job_id = x->j->id,
        .started_ms = x->started_ms,
        .ended_ms = clock_now_ms(),
        .params = x->result.parameters,
        .metrics = x->result.metrics,
        .tags = tags,
        .input = "training",
        .input_sha256 = x->result.model->training.sha256,
        .input_source = source,
    };
    int rc = registry_run_insert(x->r->pg, &run, e);
    json_decref(tags);
    json_decref(source);
    return rc;
}

/* What no predictor could read must not become a champion. */
static int readable(const char *document, size_t len, struct err *e)
{
    struct err why = ERR_INIT;
    struct model *m = model_parse(document, len, &why);
    if (!m)
        return err_set(e, ERR_INTERNAL, "the trained model's document is wrong: %s",
                       why.text);
    model_free(m);
    return 0;
}

static int store_version(struct run *x, struct err *e)
{
    size_t rows_len, len;
    unsigned char *rows = hours_canonical(x->hours, &rows_len);
    char *document = model_document(x->result.model, &len);
    struct model_new_version v = {
        .name = x->j->series,
        .algorithm = x->result.model->algo->name,
        .document = document,
        .rows = rows,
        .rows_n = x->hours->n,
        .rows_len = rows_len,
        .rows_from_ms = from_ms(x->hours),
        .rows_to_ms = to_ms(x->hours),
        .rows_sha256 = x->result.model->training.sha256,
        .metrics = x->result.model->metrics,
        .run_id = x->id,
    };
    int rc =
        readable(document, len, e) || registry_model_insert(x->r->pg, &v, &x->version, e)
            ? -1
            : 0;
    free(document);
    free(rows);
    return rc;
}

/* Aliases and the decision. It was the champion of the training's start that was beaten,
 * or not: if another one serves by now, that says nothing. A decision to keep names the
 * version that goes on serving. */
static int decide(struct run *x, const json_t *ev, struct err *e)
{
    struct pg *pg = x->r->pg;
    int served;
    if (registry_lock(pg, e) || registry_champion(pg, x->j->series, &served, e))
        return -1;
    if (served != x->served)
        return err_kind(e, ERR_BUSY, "champion_changed",
                        "version %d became champion of %s while this was trained", served,
                        x->j->series);
    if (x->result.outcome == TRAIN_PROMOTE)
        return registry_promote(pg, x->j->series, x->version, x->j->actor,
                                x->result.reason, ev, e);
    if (registry_challenger(pg, x->j->series, x->version, e))
        return -1;
    return registry_decide(pg, x->j->series, "kept", x->served, 0, x->j->actor,
                           x->result.reason, ev, e);
}

/* evidence.json: what the decision says, and the error at each origin. */
static int store_evidence(const struct run *x, json_t *ev, struct err *e)
{
    json_object_set(ev, "scores", x->result.scores);
    char *text = json_dumps(ev, JSON_COMPACT | JSON_REAL_PRECISION(EVIDENCE_DIGITS));
    int rc =
        registry_run_artifact(x->r->pg, x->id, "evidence.json", text, strlen(text), e);
    json_object_del(ev, "scores");
    free(text);
    return rc;
}

/* The lock, for which other trainers wait, comes last. */
static int store_decision(struct run *x, struct err *e)
{
    json_t *ev = evidence(x);
    int rc = store_evidence(x, ev, e) || decide(x, ev, e) ? -1 : 0;
    json_decref(ev);
    return rc;
}

/* Everything in one transaction, the job's end included: who has lost the job meanwhile
 * leaves no trace. */
static enum run_end store_once(struct run *x, struct err *e)
{
    struct pg *pg = x->r->pg;
    enum run_end end = RUN_AGAIN;
    if (pg_begin(pg, e))
        return end;
    if (!store_run(x, e) && !store_version(x, e) && !store_decision(x, e)) {
        int ours = registry_job_finish(pg, x->r->worker, x->j, "done", outcome(x), x->id,
                                       x->version, x->result.reason, e);
        if (ours == 0)
            end = RUN_GONE;
        else if (ours == 1 && !pg_commit(pg, e))
            end = RUN_DONE;
    }
    pg_rollback(pg); /* nothing after a commit */
    return end;
}

static enum run_end store(struct run *x, struct err *e)
{
    enum run_end end;
    for (int i = 0;; i++) {
        end = store_once(x, e);
        if (end != RUN_AGAIN || e->code != ERR_UNAVAILABLE || i + 1 == STORE_TRIES ||
            !x->r->progress(x->r->progress_arg, 1))
            break;
        clock_sleep_ms(STORE_PAUSE_MS << i);
    }
    return end;
}

/* ---- what does not end in a version ---------------------------------------------- */

/* Ends the job as failed, saying why. data: the series cannot be learned as it is, which
 * is a decision too. As in decide() the registry's lock comes before the job's
 * row: who waits for it with that row in hand lets nobody cancel the job, nor its heart
 * beat. */
static enum run_end give_up(const struct run *x, const struct err *why, bool data,
                            struct err *e)
{
    struct pg *pg = x->r->pg;
    char text[sizeof why->text + sizeof why->slug + 2];
    snprintf(text, sizeof text, "%s%s%s", why->slug, *why->slug ? ": " : "", why->text);
    json_t *ev =
        json_pack("{s:I, s:s, s:s, s:I, s:I}", "job", (json_int_t)x->j->id, "asked",
                  x->j->reason, "why", err_slug(why), "hours", (json_int_t)x->hours->n,
                  "complete", (json_int_t)hours_complete(x->hours));
    enum run_end end = RUN_AGAIN;
    if (!pg_begin(pg, e)) {
        int ours = data && registry_lock(pg, e)
                       ? -1
                       : registry_job_finish(pg, x->r->worker, x->j, "failed",
                                             data ? "refused" : NULL, NULL, 0, text, e);
        if (ours == 0)
            end = RUN_GONE;
        else if (ours == 1 &&
                 (!data || !registry_decide(pg, x->j->series, "refused", x->served, 0,
                                            x->j->actor, text, ev, e)) &&
                 !pg_commit(pg, e))
            end = RUN_REFUSED;
        pg_rollback(pg);
    }
    json_decref(ev);
    if (end == RUN_REFUSED) {
        counts_run(x->r->metrics, x->j->series, data ? "refused" : "failed");
        log_warn("job %lld, %s: %s", (long long)x->j->id, x->j->series, text);
    }
    return end;
}

/* ---- the whole ------------------------------------------------------------------- */

static enum run_end run(struct run *x, struct err *e)
{
    struct err why = ERR_INIT;
    if (random_hex(x->id, sizeof x->id / 2))
        return err_set(e, ERR_UNAVAILABLE, "no randomness for the run's id"), RUN_AGAIN;
    if (load_champion(x, e))
        return RUN_AGAIN;
    train_window(x->hours, x->j->preset, x->champion);
    if (train(x, &why)) {
        if (!strcmp(why.slug, "cancelled"))
            return RUN_GONE;
        return give_up(x, &why, why.code == ERR_CONFLICT || why.code == ERR_INVALID, e);
    }
    enum run_end end = store(x, e);
    if (end != RUN_AGAIN || away(e))
        return end;
    why = *e;
    return give_up(x, &why, false, e);
}

enum run_end run_job(const struct runner *r, const struct job *j, struct hours *hours,
                     const json_t *beside, struct err *e)
{
    struct run x = {
        .r = r, .j = j, .hours = hours, .beside = beside, .started_ms = clock_now_ms()};
    int64_t began_us = clock_mono_us();
    *e = (struct err)ERR_INIT;
    enum run_end end = run(&x, e);
    if (end == RUN_DONE) {
        counts_stored(r->metrics, j->series, outcome(&x), hours->n, x.result.metrics,
                      (double)(clock_mono_us() - began_us) / 1e6);
        log_info("job %lld, %s: version %d %s: %s", (long long)j->id, j->series,
                 x.version, outcome(&x), x.result.reason);
    }
    model_free(x.champion);
    train_result_done(&x.result);
    return end;
}
