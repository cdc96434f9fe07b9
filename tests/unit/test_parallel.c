/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Items from a source of unknown length: answers in order, few in memory, and what was
 * taken before a failure is told. */
#include "tests/unit/unit.h"

#include <stdatomic.h>

#include "tools/parallel.h"

struct source {
    int next, n, fail_at, told;
    atomic_int alive, most;
};

static int take(void *arg, void **item, struct err *e)
{
    struct source *s = arg;
    if (s->next == s->fail_at)
        return err_set(e, ERR_INVALID, "item %d is bad", s->next);
    if (s->next == s->n)
        return 0;
    int *x = malloc(sizeof *x), alive = ++s->alive;
    *x = s->next++;
    if (alive > s->most)
        s->most = alive;
    *item = x;
    return 1;
}

static int work(void *arg, void *item, struct buf *out, struct err *e)
{
    (void)arg;
    int x = *(int *)item;
    if (x % 7 == 3)
        return err_set(e, ERR_CONFLICT, "not %d", x);
    return buf_addf(out, "%d", x * x);
}

/* told is changed by one thread at a time: a sanitizer would say so */
static void tell(void *arg, size_t i, void *item, const struct buf *out,
                 const struct err *e)
{
    struct source *s = arg;
    int x = *(const int *)item;
    assert_int_equal(i, x);
    assert_int_equal(s->told++, x);
    if (x % 7 == 3)
        assert_int_equal(e->code, ERR_CONFLICT);
    else
        assert_int_equal(atoi(out->data), x * x);
    s->alive--;
}

static const struct parallel_items how = {take, work, tell, free};

static void all_in_order(void **state)
{
    (void)state;
    for (size_t threads = 1; threads <= 4; threads++) {
        struct source s = {.n = 1000, .fail_at = -1};
        struct err e = ERR_INIT;
        assert_ok(parallel_items(threads, 20, &how, &s, &e), e);
        assert_int_equal(s.told, 1000);
        assert_int_equal(s.alive, 0);
        assert_true((size_t)s.most <= threads * PARALLEL_AHEAD);
    }
}

static void bad_item(void **state)
{
    (void)state;
    struct source s = {.n = 1000, .fail_at = 500}, none = {.n = 0, .fail_at = -1};
    struct err e = ERR_INIT;
    assert_int_equal(parallel_items(3, 20, &how, &s, &e), -1);
    assert_string_equal(e.text, "item 500 is bad");
    assert_int_equal(s.told, 500);
    assert_ok(parallel_items(3, 20, &how, &none, &e), e);
    assert_int_equal(none.told, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_in_order),
        cmocka_unit_test(bad_item),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
