/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The exposition is compared byte by byte, which shows grouping, cumulation and escaping;
 * and promtool, the reader it is made for, lints it. */
#include "tests/unit/unit.h"

#include <math.h>
#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/metrics.h"
#include "common/metrics_merge.h"

static const double bounds[] = {0.1, 1};

static struct metrics *sample(const char *service)
{
    struct metrics *m = metrics_new(service);
    metric_add(metric_counter(m, "fieldcast_things_total", "Things \\ counted,\nby kind.",
                              "kind=\"a\""),
               2);
    struct metric *h = metric_histogram(m, "fieldcast_wait_seconds", "Time waited.", NULL,
                                        bounds, N_OF(bounds));
    metric_observe(h, 0.1); /* a bound belongs to its bucket */
    metric_observe(h, 0.5);
    metric_observe(h, 7);
    /* the same family again, after another one: still one group */
    metric_add(metric_counter(m, "fieldcast_things_total", "ignored", "kind=\"b\""), 0.5);
    metric_add(metric_counter(m, "fieldcast_things_total", "ignored", "kind=\"a\""), 1);
    metric_set(metric_gauge(m, "fieldcast_level", "A level.", NULL), -1.5);
    return m;
}

static const char expected[] =
    "# HELP fieldcast_things_total Things \\\\ counted,\\nby kind.\n"
    "# TYPE fieldcast_things_total counter\n"
    "fieldcast_things_total{service=\"x\",kind=\"a\"} 3\n"
    "fieldcast_things_total{service=\"x\",kind=\"b\"} 0.5\n"
    "# HELP fieldcast_wait_seconds Time waited.\n"
    "# TYPE fieldcast_wait_seconds histogram\n"
    "fieldcast_wait_seconds_bucket{service=\"x\",le=\"0.1\"} 1\n"
    "fieldcast_wait_seconds_bucket{service=\"x\",le=\"1\"} 2\n"
    "fieldcast_wait_seconds_bucket{service=\"x\",le=\"+Inf\"} 3\n"
    "fieldcast_wait_seconds_sum{service=\"x\"} 7.6\n"
    "fieldcast_wait_seconds_count{service=\"x\"} 3\n"
    "# HELP fieldcast_level A level.\n"
    "# TYPE fieldcast_level gauge\n"
    "fieldcast_level{service=\"x\"} -1.5\n";

static void add_text(void *arg, const char *service, struct buf *out)
{
    buf_addf(out, "# HELP own What.\n# TYPE own gauge\nown{service=\"%s\"} %d\n", service,
             ++*(int *)arg);
}

static void test_text_of_its_own(void **unused)
{
    (void)unused;
    struct metrics *m = metrics_new("ingest");
    struct buf b;
    int n = 0;
    metric_set(metric_gauge(m, "a", "A.", NULL), 1);
    metrics_on_text(m, add_text, &n);
    for (int i = 1; i <= 2; i++) {
        char want[200];
        snprintf(want, sizeof want,
                 "# HELP a A.\n# TYPE a gauge\na{service=\"ingest\"} 1\n"
                 "# HELP own What.\n# TYPE own gauge\nown{service=\"ingest\"} %d\n",
                 i);
        buf_init(&b, 4096);
        metrics_render(m, &b);
        assert_string_equal(b.data, want);
        buf_done(&b);
    }
    metrics_free(m);
}

static void test_render(void **unused)
{
    (void)unused;
    struct metrics *m = sample("x");
    struct buf b;
    buf_init(&b, 65536);
    metrics_render(m, &b);
    assert_string_equal(b.data, expected);
    buf_done(&b);
    metrics_free(m);
    metrics_free(NULL);
}

static void test_special_values(void **unused)
{
    (void)unused;
    static const struct {
        double x;
        const char *end;
    } rows[] = {{NAN, "} NaN\n"},       {-NAN, "} NaN\n"},
                {INFINITY, "} +Inf\n"}, {-INFINITY, "} -Inf\n"},
                {1e15, "} 1e+15\n"},    {0.1 + 0.2, "} 0.30000000000000004\n"}};
    struct buf b;
    buf_init(&b, 65536);
    for (size_t i = 0; i < N_OF(rows); i++) {
        struct metrics *m = metrics_new("x");
        metric_set(metric_gauge(m, "g", "h", NULL), rows[i].x);
        buf_reset(&b);
        metrics_render(m, &b);
        assert_string_equal(b.data + b.len - strlen(rows[i].end), rows[i].end);
        metrics_free(m);
    }
    buf_done(&b);
}

static void test_labels(void **unused)
{
    (void)unused;
    struct buf b;
    buf_init(&b, 200);
    metrics_label(&b, "device", "a\"b\\c\nd");
    metrics_label(&b, "quantity", "t");
    assert_string_equal(b.data, "device=\"a\\\"b\\\\c\\nd\",quantity=\"t\"");
    buf_done(&b);
}

static void test_too_many_label_sets(void **unused)
{
    (void)unused;
    struct metrics *m = metrics_new("x");
    char labels[80];
    for (int i = 0; i < METRICS_MAX_SAMPLES + 50; i++) {
        snprintf(labels, sizeof labels, "device=\"d%d\\\"\",quantity=\"t\"", i);
        metric_add(metric_counter(m, "c_total", "Many.", labels), 1);
    }
    struct metric *other =
        metric_counter(m, "c_total", "Many.", "device=\"new\",quantity=\"h\"");
    assert_true(metric_value(other) == 50);
    struct buf b;
    buf_init(&b, 1 << 20);
    metrics_render(m, &b);
    assert_non_null(strstr(
        b.data, "\nc_total{service=\"x\",device=\"other\",quantity=\"other\"} 50\n"));
    buf_done(&b);
    metrics_free(m);
}

static void hook(void *arg)
{
    metric_set(arg, 9);
}

static void test_drop(void **unused)
{
    (void)unused;
    struct metrics *m = metrics_new("x");
    struct buf b;
    struct metric *s[3];
    static const char *const labels[] = {"v=\"1\"", "v=\"2\"", "v=\"other\""};
    buf_init(&b, 4096);
    for (int i = 0; i < 3; i++)
        metric_set(s[i] = metric_gauge(m, "fieldcast_v", "V.", labels[i]), i);
    metric_drop(m, s[1]);
    metric_drop(m, s[2]); /* shared by all label sets that found no room: stays */
    metric_set(metric_gauge(m, "fieldcast_v", "V.", "v=\"3\""), 3);
    metric_drop(m, s[0]);
    metrics_render(m, &b);
    assert_string_equal(b.data, "# HELP fieldcast_v V.\n# TYPE fieldcast_v gauge\n"
                                "fieldcast_v{service=\"x\",v=\"other\"} 2\n"
                                "fieldcast_v{service=\"x\",v=\"3\"} 3\n");
    buf_done(&b);
    metrics_free(m);
}

static void test_hook(void **unused)
{
    (void)unused;
    struct metrics *m = metrics_new("x");
    struct metric *g = metric_gauge(m, "g", "h", NULL);
    metrics_on_render(m, hook, g);
    struct buf b;
    buf_init(&b, 1000);
    metrics_render(m, &b);
    assert_non_null(strstr(b.data, "g{service=\"x\"} 9\n"));
    buf_done(&b);
    metrics_free(m);
}

static void *add_many(void *arg)
{
    for (int i = 0; i < 10000; i++) {
        metric_add(((struct metric **)arg)[0], 1);
        metric_observe(((struct metric **)arg)[1], 0.5);
    }
    return NULL;
}

static void test_threads(void **unused)
{
    (void)unused;
    struct metrics *m = metrics_new("x");
    struct metric *s[] = {metric_counter(m, "c_total", "C.", NULL),
                          metric_histogram(m, "h", "H.", NULL, bounds, N_OF(bounds))};
    pthread_t t[4];
    for (size_t i = 0; i < N_OF(t); i++)
        assert_int_equal(pthread_create(&t[i], NULL, add_many, s), 0);
    for (size_t i = 0; i < N_OF(t); i++)
        pthread_join(t[i], NULL);
    assert_true(metric_value(s[0]) == 40000);
    assert_true(metric_value(s[1]) == 40000);
    metrics_free(m);
}

static void test_promtool(void **unused)
{
    (void)unused;
    struct metrics *a = sample("a"), *b = sample("b");
    struct buf ta, tb, out;
    buf_init(&ta, 65536);
    buf_init(&tb, 65536);
    buf_init(&out, 65536);
    metrics_render(a, &ta);
    metrics_render(b, &tb);
    const char *texts[] = {ta.data, tb.data};
    metrics_merge(texts, 2, &out);
    char path[64], command[128];
    temp_file(path, out.data);
    snprintf(command, sizeof command, "promtool check metrics <%s", path);
    int rc = system(command);
    unlink(path);
    if (!WIFEXITED(rc) || WEXITSTATUS(rc))
        fail_msg("promtool check metrics ended with %d (127: not installed)",
                 WEXITSTATUS(rc));
    buf_done(&ta);
    buf_done(&tb);
    buf_done(&out);
    metrics_free(a);
    metrics_free(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text_of_its_own),
        cmocka_unit_test(test_render),
        cmocka_unit_test(test_special_values),
        cmocka_unit_test(test_labels),
        cmocka_unit_test(test_too_many_label_sets),
        cmocka_unit_test(test_hook),
        cmocka_unit_test(test_drop),
        cmocka_unit_test(test_threads),
        cmocka_unit_test(test_promtool),
    };
    return cmocka_run_group_tests_name("metrics", tests, NULL, NULL);
}
