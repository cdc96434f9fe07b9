/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The publisher against a broker made of this file: it stands in for all of
 * common/mqtt.h. */
#include "tools/publish.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "common/mqtt.h"
#include "common/stop.h"

enum { MOST = 10000 };

static struct {
    struct mqtt_opts opts;
    char password[64];
    int seen[MOST]; /* how often each message arrived */
    int order[3 * MOST], n_order;
    int inflight;
    int first; /* the oldest in flight */
    long failed;
    int away;     /* so many calls find no connection */
    int break_at; /* the connection breaks when so many have arrived; 0 = never */
    bool acknowledges;
} broker;

struct mqtt *mqtt_open(const struct mqtt_opts *o, struct err *e)
{
    (void)e;
    broker.opts = *o;
    snprintf(broker.password, sizeof broker.password, "%s", o->password);
    return (struct mqtt *)&broker;
}

void mqtt_close(struct mqtt *m)
{
    (void)m;
}

bool mqtt_is_up(const struct mqtt *m)
{
    (void)m;
    return broker.away == 0;
}

bool mqtt_wait_up(struct mqtt *m, int ms)
{
    (void)m;
    (void)ms;
    if (broker.away == 0)
        return true;
    broker.away--;
    broker.opts.on_state(broker.opts.arg, false, "connection refused");
    return false;
}

/* With break_at, the message under way and the four before it are lost. */
int mqtt_publish(struct mqtt *m, const char *topic, const void *payload, size_t len,
                 int qos, bool retain, struct err *e)
{
    (void)m;
    (void)topic;
    (void)retain;
    char text[32];
    snprintf(text, sizeof text, "%.*s", (int)len, (const char *)payload);
    int k = atoi(text);
    if (broker.break_at && broker.n_order == broker.break_at) {
        broker.break_at = 0;
        broker.away = 3;
        broker.failed += 5;
        for (int i = 0; i < 4; i++)
            broker.seen[broker.order[broker.n_order - 1 - i]]--;
        return err_set(e, ERR_UNAVAILABLE, "not connected to the broker");
    }
    broker.seen[k]++;
    broker.order[broker.n_order++] = k;
    if (!broker.acknowledges)
        broker.inflight += qos > 0;
    return 0;
}

int mqtt_inflight(const struct mqtt *m)
{
    (void)m;
    return broker.inflight;
}

int mqtt_drain(struct mqtt *m, int ms)
{
    (void)m;
    if (broker.acknowledges)
        broker.inflight = 0;
    else
        usleep((unsigned)ms * 10);
    return broker.inflight;
}

long mqtt_failed(const struct mqtt *m)
{
    (void)m;
    return broker.failed;
}

bool mqtt_match(const char *filter, const char *topic)
{
    return strcmp(filter, topic) == 0;
}

static int setup(void **unused)
{
    (void)unused;
    memset(&broker, 0, sizeof broker);
    broker.acknowledges = true;
    return 0;
}

static int send_number(struct publisher *p, int k, struct err *e)
{
    char text[16];
    int n = snprintf(text, sizeof text, "%d", k);
    return publisher_send(p, "t", text, (size_t)n, e);
}

static const struct publish_opts plain = {
    .command = "test", .url = "tcp://h:1", .qos = 1};

static void test_all_arrive_in_order(void **unused)
{
    (void)unused;
    struct err e = ERR_INIT;
    struct publisher *p = publisher_open(&plain, &e);
    assert_non_null(p);
    assert_true(broker.opts.clean);
    for (int k = 0; k < 2500; k++)
        assert_int_equal(send_number(p, k, &e), 0);
    assert_int_equal(publisher_finish(p, &e), 0);
    assert_int_equal(publisher_done(p), 2500);
    for (int k = 0; k < 2500; k++)
        assert_int_equal(broker.order[k], k);
    publisher_close(p);
}

/* What was under way when the connection broke comes again, before what follows. */
static void test_broken_connection(void **unused)
{
    (void)unused;
    for (int at = 5; at <= 2400; at += 479) {
        struct err e = ERR_INIT;
        setup(NULL);
        struct publisher *p = publisher_open(&plain, &e);
        broker.break_at = at;
        for (int k = 0; k < 2500; k++)
            assert_int_equal(send_number(p, k, &e), 0);
        assert_int_equal(publisher_finish(p, &e), 0);
        for (int k = 0; k < 2500; k++)
            assert_in_range(broker.seen[k], 1, 2);
        assert_int_equal(broker.order[at], at >= 1000 ? at - 999 : 0);
        publisher_close(p);
    }
}

/* The last messages are lost after all were handed over: finishing finds that out. */
static void test_lost_at_the_end(void **unused)
{
    (void)unused;
    struct err e = ERR_INIT;
    struct publisher *p = publisher_open(&plain, &e);
    for (int k = 0; k < 10; k++)
        assert_int_equal(send_number(p, k, &e), 0);
    for (int k = 5; k < 10; k++)
        broker.seen[k]--;
    broker.failed = 5;
    broker.away = 2;
    assert_int_equal(publisher_finish(p, &e), 0);
    for (int k = 0; k < 10; k++)
        assert_in_range(broker.seen[k], 1, 2);
    publisher_close(p);
}

static void test_qos0_is_not_repeated(void **unused)
{
    (void)unused;
    struct err e = ERR_INIT;
    struct publish_opts o = plain;
    o.qos = 0;
    struct publisher *p = publisher_open(&o, &e);
    assert_int_equal(send_number(p, 1, &e), 0);
    broker.failed = 1;
    assert_int_equal(publisher_finish(p, &e), 0);
    assert_int_equal(broker.n_order, 1);
    publisher_close(p);
}

static void test_password_file(void **unused)
{
    (void)unused;
    char path[] = "/tmp/test_publish_XXXXXX";
    int fd = mkstemp(path);
    assert_int_equal(write(fd, "geheim\nrest\n", 12), 12);
    struct err e = ERR_INIT;
    struct publish_opts o = plain;
    o.user = "me";
    o.password_file = path;
    publisher_close(publisher_open(&o, &e));
    assert_string_equal(broker.password, "geheim");
    assert_int_equal(ftruncate(fd, 0), 0);
    assert_int_equal(pwrite(fd, "\n\n", 2, 0), 2);
    assert_null(publisher_open(&o, &e));
    assert_non_null(strstr(e.text, "is empty"));
    assert_int_equal(ftruncate(fd, 0), 0);
    close(fd);
    assert_null(publisher_open(&o, &e));
    assert_non_null(strstr(e.text, "is empty"));
    unlink(path);
    assert_null(publisher_open(&o, &e));
    assert_non_null(strstr(e.text, "could not open the password file"));
}

static void test_boot(void **unused)
{
    (void)unused;
    struct publish_opts dry = {.dry_run = true};
    assert_int_equal(publisher_boot(&plain, 7), 7);
    assert_int_equal(publisher_boot(&dry, -1), 1);
    assert_true(publisher_boot(&plain, -1) > 1);
}

/* Last, because a stop cannot be taken back. */
static void test_stop(void **unused)
{
    (void)unused;
    struct err e = ERR_INIT;
    struct publish_opts o = plain;
    o.patient = true;
    struct publisher *p = publisher_open(&o, &e);
    assert_int_equal(send_number(p, 1, &e), 0);
    stop_request();
    broker.away = 1000000;
    assert_int_equal(send_number(p, 2, &e), -1);
    assert_int_equal(e.code, ERR_NONE);
    assert_string_equal(e.text, "stopped before all was acknowledged");
    publisher_close(p);
}

int main(void)
{
    stop_init();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_all_arrive_in_order, setup),
        cmocka_unit_test_setup(test_broken_connection, setup),
        cmocka_unit_test_setup(test_lost_at_the_end, setup),
        cmocka_unit_test_setup(test_qos0_is_not_repeated, setup),
        cmocka_unit_test_setup(test_password_file, setup),
        cmocka_unit_test_setup(test_boot, setup),
        cmocka_unit_test_setup(test_stop, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
