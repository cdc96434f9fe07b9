/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "services/trainer/counts.h"

#include <string.h>

#include "common/clock.h"
#include "common/reading.h"

static const double seconds_bounds[] = {0.01, 0.025, 0.05, 0.1, 0.25,
                                        0.5,  1,     2.5,  10,  60};

/* device="…",quantity="…" */
static void label_series(struct buf *b, const char *series)
{
    char device[DEVICE_MAX + 1] = "", quantity[QUANTITY_MAX + 1] = "";
    struct err ignored;
    buf_init(b, 1024);
    if (series_split(series, NULL, device, quantity, &ignored))
        return;
    metrics_label(b, "device", device);
    metrics_label(b, "quantity", quantity);
}

void counts_run(struct metrics *m, const char *series, const char *result)
{
    struct buf b;
    label_series(&b, series);
    metrics_label(&b, "result", result);
    metric_add(metric_counter(m, "fieldcast_training_runs_total",
                              "Trainings that ended, by result.", b.data),
               1);
    buf_done(&b);
}

static void last_success(struct metrics *m, const char *series, const json_t *metrics)
{
    struct buf b;
    label_series(&b, series);
    metric_set(metric_gauge(m, "fieldcast_training_last_success_timestamp_seconds",
                            "When a training of the series was last stored.", b.data),
               (double)clock_now_ms() / 1000);
    const json_t *mae = json_object_get(metrics, "mae");
    const char *dot = strchr(series, '.');
    const struct quantity *q = dot ? quantity_find(dot + 1) : NULL;
    metrics_label(&b, "unit", q ? q->unit : "");
    if (json_is_number(mae))
        metric_set(metric_gauge(m, "fieldcast_model_validation_mae",
                                "Mean absolute error of the newest version over hours it "
                                "was not fitted to.",
                                b.data),
                   json_number_value(mae));
    buf_done(&b);
}

void counts_stored(struct metrics *m, const char *series, const char *outcome,
                   size_t rows, const json_t *metrics, double seconds)
{
    struct buf b;
    counts_run(m, series, outcome);
    last_success(m, series, metrics);
    metric_observe(metric_histogram(m, "fieldcast_training_duration_seconds",
                                    "From the hours to the stored version.", NULL,
                                    seconds_bounds,
                                    sizeof seconds_bounds / sizeof *seconds_bounds),
                   seconds);
    metric_set(
        metric_gauge(m, "fieldcast_training_rows", "Hours the last training read.", NULL),
        (double)rows);
    buf_init(&b, 256);
    metrics_label(&b, "decision", outcome);
    metric_add(metric_counter(m, "fieldcast_model_promotions_total",
                              "What the gate decided about new versions.", b.data),
               1);
    buf_done(&b);
}

void counts_queue(struct metrics *m, double jobs)
{
    metric_set(metric_gauge(m, "fieldcast_training_queue_jobs",
                            "Jobs that wait in the queue (counted up to 1000).", NULL),
               jobs);
}
