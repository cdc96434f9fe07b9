/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The declared list stands behind every figure that is told with its version: it must
 * not change without it. */
#include "tests/unit/unit.h"

#include "common/buf.h"
#include "common/ml/candidates.h"
#include "common/ml/train.h"
#include "common/sha256.h"

/* The list that has this version, as list_text() writes it. */
static const struct {
    const char *version, *sha256;
} declared = {"2026-11-10",
              "ad48fee399cd019492a898986cadb1ff11dc69c6dc1edf8cece03eaba776e061"};

static void write_features(struct buf *b, const struct feature_spec *f)
{
    buf_adds(b, " lags");
    for (size_t i = 0; i < f->n_lags; i++)
        buf_addf(b, " %d", f->lags[i]);
    buf_adds(b, " windows");
    for (size_t i = 0; i < f->n_windows; i++)
        buf_addf(b, " %s %d", features_stats[f->windows[i].stat], f->windows[i].hours);
    buf_addf(b, " calendar %u transform %d exogenous %zu", f->calendar, (int)f->transform,
             f->n_exogenous);
}

/* A line per candidate. All parameters of the model that it makes: one that the list
 * leaves to the algorithm counts as well. */
static void list_text(struct buf *b)
{
    for (size_t c = 0; c < n_candidates; c++) {
        const struct candidate *one = &candidates[c];
        struct model *m = candidate_model(one, "x.y");
        buf_addf(b, "%s %s%s%s%s", one->name, m->algo->name, one->prior ? " prior" : "",
                 one->fallback ? " fallback" : "",
                 c < n_candidates_alone ? "" : " reads_others");
        for (size_t i = 0; i < m->algo->n_params; i++)
            buf_addf(b, " %s %.17g", m->algo->params[i].name, m->params[i]);
        write_features(b, &m->features);
        buf_adds(b, "\n");
        model_free(m);
    }
}

static void changes_only_with_its_version(void **state)
{
    (void)state;
    struct buf b;
    char sha[SHA256_HEX_SIZE];
    buf_init(&b, 16384);
    list_text(&b);
    assert_false(b.full);
    sha256_hex(b.data, b.len, sha);
    if (strcmp(TRAIN_CANDIDATES, declared.version) != 0)
        fail_msg("the list has a new version: put \"%s\" here, and its hash: %s",
                 TRAIN_CANDIDATES, sha);
    if (strcmp(sha, declared.sha256) != 0)
        fail_msg("the list of candidates is not that of %s any more: give the list a new "
                 "version (TRAIN_CANDIDATES in train.h, and docs/forecasting.md) and put "
                 "this hash here: %s",
                 TRAIN_CANDIDATES, sha);
    buf_done(&b);
}

/* Evidence and commands tell them by their names, and the blend by its own. */
static void names(void **state)
{
    (void)state;
    for (size_t c = 0; c < n_candidates; c++) {
        assert_null(candidates[c].recipe);
        assert_string_not_equal(candidates[c].name, "blend");
        for (size_t i = 0; i < c; i++)
            assert_string_not_equal(candidates[c].name, candidates[i].name);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(changes_only_with_its_version),
        cmocka_unit_test(names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
