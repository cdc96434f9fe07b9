/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/unit/unit.h"

#include "common/log.h"
#include "common/process_metrics.h"

static double value(struct metrics *m, const char *name)
{
    return metric_value(metric_gauge(m, name, "", NULL));
}

static double lines(struct metrics *m, const char *level)
{
    char labels[40];
    snprintf(labels, sizeof labels, "level=\"%s\"", level);
    return metric_value(metric_counter(m, "fieldcast_log_messages_total", "", labels));
}

static void test_brought_up_to_date(void **unused)
{
    (void)unused;
    struct metrics *m = metrics_new("x");
    struct buf b;
    buf_init(&b, 65536);
    process_metrics_add(m, 1795132800500);
    metrics_render(m, &b);
    assert_non_null(strstr(b.data, "fieldcast_build_info{service=\"x\",version=\""));
    assert_true(value(m, "process_start_time_seconds") == 1795132800.5);
    assert_true(value(m, "process_resident_memory_bytes") > 100000);
    assert_true(value(m, "process_virtual_memory_bytes") >
                value(m, "process_resident_memory_bytes"));
    assert_true(value(m, "process_threads") >= 1); /* sanitizers have their own */
    double files = value(m, "process_open_fds"), warned = lines(m, "warn");
    assert_true(value(m, "process_max_fds") > files);
    FILE *f = fopen("/dev/null", "r");
    assert_non_null(f);
    log_warn("one more");
    buf_reset(&b);
    metrics_render(m, &b);
    assert_true(value(m, "process_open_fds") == files + 1);
    assert_true(lines(m, "warn") == warned + 1);
    fclose(f);
    buf_done(&b);
    metrics_free(m);
}

int main(void)
{
    log_init("test", LOG_FATAL);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_brought_up_to_date),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
