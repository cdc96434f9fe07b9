/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "services/ingest/kafka_side.h"

#include "tests/unit/unit.h"

struct set {
    const char *brokers, *preset, *topic, *source;
};

static int check(const struct set *c, struct err *e)
{
    struct kafka_side_settings s = {.at = {.brokers = (char *)c->brokers,
                                           .ca_file = (char *)"",
                                           .user = (char *)"",
                                           .password = (char *)"",
                                           .sasl = (char *)"PLAIN"},
                                    .preset = (char *)c->preset,
                                    .topic = (char *)c->topic,
                                    .source_topics = (char *)c->source,
                                    .group = (char *)"g"};
    *e = (struct err)ERR_INIT;
    return kafka_side_check(&s, e);
}

static void test_good(void **unused)
{
    (void)unused;
    static const struct set good[] = {
        {"", "fieldcast", "", ""},
        {"a:1", "system2", "", "fieldcast-readings"},
        {"a:1", "fieldcast", "mine", "fieldcast-readings, event-frames-model"},
        {"a:1", "none", "", "fieldcast-readings"},
    };
    struct err e;
    for (size_t i = 0; i < N_OF(good); i++)
        assert_ok(check(&good[i], &e), e);
}

static void test_bad(void **unused)
{
    (void)unused;
    static const struct {
        struct set set;
        const char *text;
    } bad[] = {
        {{"a:x", "fieldcast", "", ""}, "FC_KAFKA_BROKERS: \"a:x\" is not host:port"},
        {{"a:1", "system1", "", ""},
         "FC_KAFKA_PRESET must be fieldcast, system2 or none, not \"system1\""},
        {{"a:1", "fieldcast", "a/b", ""},
         "FC_KAFKA_TOPIC: \"a/b\" is not a topic: 1 to 249 letters, digits, '.', '_' and "
         "'-'"},
        {{"", "fieldcast", "", "x"}, "FC_KAFKA_SOURCE_TOPICS needs FC_KAFKA_BROKERS"},
        {{"a:1", "fieldcast", "", "a,^b"},
         "FC_KAFKA_SOURCE_TOPICS: \"^b\" is not a topic: 1 to 249 letters, digits, '.', "
         "'_' and '-'"},
        {{"a:1", "fieldcast", "", " , "}, "FC_KAFKA_SOURCE_TOPICS names no topic"},
        {{"a:1", "fieldcast", "",
          "a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,"
          "a,a,a,a,a,a"},
         "FC_KAFKA_SOURCE_TOPICS has more than 32"},
        {{"a:1", "fieldcast", "", "a,fieldcast-readings"},
         "FC_KAFKA_SOURCE_TOPICS: ingest writes to \"fieldcast-readings\" itself and "
         "would read its own readings again; take another topic, or set "
         "FC_KAFKA_PRESET=none"},
        {{"a:1", "system2", "", "event-frames-model"},
         "FC_KAFKA_SOURCE_TOPICS: ingest writes to \"event-frames-model\" itself and "
         "would read its own readings again; take another topic, or set "
         "FC_KAFKA_PRESET=none"},
        {{"a:1", "fieldcast", "mine", "mine"},
         "FC_KAFKA_SOURCE_TOPICS: ingest writes to \"mine\" itself and would read its "
         "own readings again; take another topic, or set FC_KAFKA_PRESET=none"},
    };
    struct err e;
    for (size_t i = 0; i < N_OF(bad); i++)
        assert_failed(check(&bad[i].set, &e), e, ERR_INVALID, bad[i].text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good),
        cmocka_unit_test(test_bad),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
