/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tools/sensor.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

#include "common/clock.h"
#include "common/reading.h"
#include "tools/noise.h"

#define T0 INT64_C(1795132800000) /* 2026-11-20T00:00:00Z, a Friday */
#define DAY (24 * HOUR_MS)

static double value(struct house *h, size_t device, int64_t t_ms, const char *quantity)
{
    struct sensor_value v[SENSOR_VALUES_MAX];
    size_t n = house_read(h, device, t_ms, v);
    for (size_t i = 0; i < n; i++)
        if (strcmp(v[i].quantity, quantity) == 0)
            return v[i].value;
    return NAN;
}

/* Asked forward, backward and at random: the same answers, to the bit. */
static void test_time_alone_decides(void **unused)
{
    (void)unused;
    struct house *a = house_new(1, 8), *b = house_new(1, 8), *other = house_new(2, 8);
    enum { N = 600 };
    double seen[N];
    int differs = 0;
    for (int i = 0; i < N; i++)
        seen[i] = value(a, (size_t)i % 8, T0 + i * INT64_C(4234567), "temperature");
    for (int i = N - 1; i >= 0; i--)
        assert_true(value(b, (size_t)i % 8, T0 + i * INT64_C(4234567), "temperature") ==
                    seen[i]);
    for (int i = 0; i < N; i++) {
        int k = (int)(noise_uniform(9, i) * N);
        assert_true(value(b, (size_t)k % 8, T0 + k * INT64_C(4234567), "temperature") ==
                    seen[k]);
        differs += value(other, (size_t)k % 8, T0 + k * INT64_C(4234567),
                         "temperature") != seen[k];
    }
    assert_in_range(differs, N / 2, N);
    house_free(a);
    house_free(b);
    house_free(other);
}

/* The same house whether it has 3 or 300 devices. */
static void test_size_does_not_matter(void **unused)
{
    (void)unused;
    struct house *small = house_new(1, 3), *large = house_new(1, 300);
    for (int i = 0; i < 100; i++)
        assert_true(value(small, 2, T0 + i * HOUR_MS, "humidity") ==
                    value(large, 2, T0 + i * HOUR_MS, "humidity"));
    house_free(small);
    house_free(large);
}

static void test_names(void **unused)
{
    (void)unused;
    struct house *h = house_new(1, 1234);
    static const char *const rooms[] = {"kitchen", "office",   "cellar",
                                        "bedroom", "bathroom", "attic"};
    assert_int_equal(house_devices(h), 1234);
    for (size_t i = 0; i < 6; i++)
        assert_string_equal(house_device(h, i), rooms[i]);
    assert_string_equal(house_device(h, 6), "device-0007");
    assert_string_equal(house_device(h, 1233), "device-1234");
    size_t series = 0;
    for (size_t i = 0; i < 6; i++) {
        const char *q[SENSOR_VALUES_MAX];
        size_t n = house_quantities(h, i, q);
        series += n;
        for (size_t k = 0; k < n; k++)
            assert_non_null(quantity_find(q[k]));
    }
    assert_int_equal(series, 18);
    house_free(h);
}

/* Two years of every channel stay possible and are on the sensor's grid; before 1970 too.
 */
static void test_plausible(void **unused)
{
    (void)unused;
    struct house *h = house_new(3, 12);
    for (int64_t t = -30 * DAY; t < T0 + 730 * DAY;
         t += t < DAY ? 5 * HOUR_MS : 17 * HOUR_MS)
        for (size_t d = 0; d < 12; d++) {
            struct sensor_value v[SENSOR_VALUES_MAX];
            size_t n = house_read(h, d, t, v);
            assert_int_equal(n, SENSOR_VALUES_MAX);
            for (size_t i = 0; i < n; i++) {
                const struct quantity *q = quantity_find(v[i].quantity);
                assert_true(v[i].value >= q->min && v[i].value <= q->max);
                assert_true(v[i].value == round(v[i].value * 10) / 10);
            }
            assert_true(v[0].value > -5 && v[0].value < 42);
        }
    house_free(h);
}

/* People make the difference: in the office by day, and not on Sundays. */
static void test_cycles(void **unused)
{
    (void)unused;
    struct house *h = house_new(1, 2);
    double noon = 0, night = 0, sunday = 0;
    for (int week = 0; week < 8; week++) {
        int64_t monday = T0 + (3 + 7 * week) * DAY;
        noon += value(h, 1, monday + 11 * HOUR_MS, "co2") / 8;
        night += value(h, 1, monday + 2 * HOUR_MS, "co2") / 8;
        sunday += value(h, 1, monday + (6 * 24 + 11) * HOUR_MS, "co2") / 8;
    }
    assert_true(noon > night + 300);
    assert_true(noon > sunday + 300);
    house_free(h);
}

static void test_ar(void **unused)
{
    (void)unused;
    struct noise_ar ar;
    noise_ar_init(&ar, 42, 0.9, 2);
    enum { N = 20000 };
    double sum = 0, square = 0, product = 0, last = 0;
    for (int i = 0; i < N; i++) {
        double x = noise_ar_at(&ar, i * HOUR_MS);
        sum += x;
        square += x * x;
        product += x * last;
        last = x;
    }
    assert_true(fabs(sum / N) < 0.3);
    assert_true(fabs(sqrt(square / N) - 2) < 0.15);
    assert_true(fabs(product / square - 0.9) < 0.02);
    /* straight between hours */
    double a = noise_ar_at(&ar, 5 * HOUR_MS), b = noise_ar_at(&ar, 6 * HOUR_MS);
    assert_true(fabs(noise_ar_at(&ar, 5 * HOUR_MS + HOUR_MS / 2) - (a + b) / 2) < 1e-12);
}

static struct fault parsed(const char *text)
{
    struct fault f;
    struct err e = ERR_INIT;
    assert_int_equal(fault_parse(text, T0, &f, &e), 0);
    return f;
}

static void test_fault_parse(void **unused)
{
    (void)unused;
    struct fault f = parsed("offset=2.5@kitchen.temperature:2026-11-20T10:00:00Z..");
    assert_int_equal(f.kind, FAULT_OFFSET);
    assert_true(f.has_size && f.size == 2.5);
    assert_string_equal(f.device, "kitchen");
    assert_string_equal(f.quantity, "temperature");
    assert_int_equal(f.from_ms, T0 + 10 * HOUR_MS);
    assert_int_equal(f.to_ms, INT64_MAX);
    f = parsed("gap@office.co2:-2d..+1h");
    assert_int_equal(f.kind, FAULT_GAP);
    assert_false(f.has_size);
    assert_int_equal(f.from_ms, T0 - 2 * DAY);
    assert_int_equal(f.to_ms, T0 + HOUR_MS);
    f = parsed("drift=-0.5@a.b:now..1795150000");
    assert_true(f.size == -0.5);
    assert_int_equal(f.from_ms, T0);
    assert_int_equal(f.to_ms, INT64_C(1795150000000));

    static const struct {
        const char *text, *error;
    } bad[] = {
        {"offset",
         "fault \"offset\" must read KIND[=SIZE]@DEVICE.QUANTITY:FROM..TO, such as "
         "offset=2@kitchen.temperature:-2d..-1d"},
        {"ofset@a.b:-1d..",
         "fault \"ofset@a.b:-1d..\": the kind must be stuck, gap, spike, "
         "offset, noise or drift"},
        {"offset=x@a.b:-1d..",
         "fault \"offset=x@a.b:-1d..\": the size after = must be a number"},
        {"offset=inf@a.b:-1d..",
         "fault \"offset=inf@a.b:-1d..\": the size after = must be a number"},
        {"offset=@a.b:-1d..",
         "fault \"offset=@a.b:-1d..\": the size after = must be a number"},
        {"gap@.b:-1d..",
         "fault \"gap@.b:-1d..\": device and quantity must have 1 to 64 letters"},
        {"gap@a.b:..", "fault \"gap@a.b:..\": a time is missing or too long"},
        {"gap@a.b:-1d..-2d",
         "fault \"gap@a.b:-1d..-2d\": its end must come after its start"},
        {"gap@a.b:x..",
         "fault \"gap@a.b:x..\": its time must be a time such as "
         "2026-11-20T10:00:00Z, epoch seconds or epoch milliseconds, not \"x\""},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct err e = ERR_INIT;
        assert_int_equal(fault_parse(bad[i].text, T0, &f, &e), -1);
        assert_string_equal(e.text, bad[i].error);
    }
}

/* Each kind of fault against the same house without it. */
static void test_faults(void **unused)
{
    (void)unused;
    static const char *const texts[] = {
        "stuck@kitchen.temperature:+1d..+2d",   "gap@kitchen.temperature:+1d..+2d",
        "spike=5@kitchen.temperature:+1d..+2d", "offset=3@kitchen.temperature:+1d..+2d",
        "noise=2@kitchen.temperature:+1d..+2d", "drift=4@kitchen.temperature:+1d..+2d"};
    struct house *clean = house_new(1, 2);
    for (int k = FAULT_STUCK; k <= FAULT_DRIFT; k++) {
        struct house *h = house_new(1, 2);
        struct fault f = parsed(texts[k]);
        struct err e = ERR_INIT;
        assert_int_equal(house_add_fault(h, &f, &e), 0);
        int jumps = 0, n = 0;
        double first = value(h, 0, T0 + DAY, "temperature"), square = 0, delta = 0;
        for (int64_t t = T0; t < T0 + 3 * DAY; t += 60000) {
            double x = value(h, 0, t, "temperature");
            double y = value(clean, 0, t, "temperature");
            assert_true(value(h, 0, t, "humidity") == value(clean, 0, t, "humidity"));
            if (t < T0 + DAY || t >= T0 + 2 * DAY) {
                assert_true(x == y);
                continue;
            }
            if (k == FAULT_GAP) {
                assert_true(isnan(x));
                continue;
            }
            n++;
            delta = x - y;
            square += delta * delta;
            jumps += fabs(delta) > 4.8 && fabs(delta) < 5.2;
            if (k == FAULT_STUCK)
                assert_true(x == first);
            if (k == FAULT_OFFSET)
                assert_true(fabs(delta - 3) < 0.11);
            if (k == FAULT_SPIKE)
                assert_true(fabs(delta) < 0.11 ||
                            (fabs(delta) > 4.8 && fabs(delta) < 5.2));
        }
        if (k == FAULT_SPIKE)
            assert_in_range(jumps, 50, 95); /* one in 20 of 1440 */
        if (k == FAULT_NOISE)
            assert_true(fabs(sqrt(square / n) - 2) < 0.15);
        if (k == FAULT_DRIFT)
            assert_true(fabs(delta - 4) < 0.11); /* a day later */
        house_free(h);
    }
    house_free(clean);
}

static void test_fault_refusals(void **unused)
{
    (void)unused;
    struct house *h = house_new(1, 2);
    struct err e = ERR_INIT;
    struct fault f = parsed("gap@kitchen.pressure:-1d..");
    assert_int_equal(house_add_fault(h, &f, &e), -1);
    assert_string_equal(e.text, "there is no series kitchen.pressure for a fault");
    f = parsed("gap@kitchen.co2:-1d..");
    for (int i = 0; i < SENSOR_FAULTS_MAX; i++)
        assert_int_equal(house_add_fault(h, &f, &e), 0);
    assert_int_equal(house_add_fault(h, &f, &e), -1);
    assert_string_equal(e.text, "there may be at most 64 faults");
    house_free(h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_time_alone_decides),
        cmocka_unit_test(test_size_does_not_matter),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_plausible),
        cmocka_unit_test(test_cycles),
        cmocka_unit_test(test_ar),
        cmocka_unit_test(test_fault_parse),
        cmocka_unit_test(test_faults),
        cmocka_unit_test(test_fault_refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
