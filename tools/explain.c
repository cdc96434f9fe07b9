/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tools/explain.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "common/base64.h"
#include "common/plain.h"
#include "common/utf8.h"
#include "tools/options.h"
#include "tools/remote.h"

#define PAYLOAD_MAX (256u * 1024) /* what ingest takes */

struct explain_opts {
    const char *url, *token, *token_file;
    bool retain, json, help;
};

#define AT(field) offsetof(struct explain_opts, field)
static const struct option table[] = {
    REMOTE_OPTIONS(struct explain_opts, "ingest"),
    {"retain", NULL, OPT_FLAG, AT(retain), 0, 0,
     "as if the broker had kept the message for later subscribers"},
    {"json", NULL, OPT_FLAG, AT(json), 0, 0, "print ingest's answer as it is"},
    {"help", NULL, OPT_FLAG, AT(help), 0, 0, "this text"},
    {0}};

static void help(void)
{
    printf("Says what would become of a message: which decoder reads it, of which "
           "devices, with\n"
           "which times, values and units, and the lines that would be written; or why "
           "it would be\n"
           "refused. Nothing is stored. A running ingest is asked, so its settings and "
           "its own\n"
           "decoders (FC_DECODE_FILE) count.\n\n"
           "  fieldcast explain [options] TOPIC [PAYLOAD | @FILE | -]\n\n"
           "Without a payload, or with -, standard input is read. Exits with 0 when the "
           "message is\n"
           "accepted, with 1 when it is refused.\n\n");
    options_print(table, stdout);
    printf("\nExamples\n"
           "  fieldcast explain fieldcast/kitchen/readings "
           "'{\"values\":{\"temperature\":21.4}}'\n"
           "  fieldcast explain --json tele/attic/SENSOR @message.json\n"
           "  A message as it comes, through the services' own port:\n"
           "  mosquitto_sub -t 'home/#' -C 1 | fieldcast explain --url "
           "http://127.0.0.1:8101 home/attic/dht22\n");
}

/* ---- what is asked
 * -------------------------------------------------------------------------- */

static int read_stream(FILE *f, const char *name, struct buf *b, struct err *e)
{
    char piece[4096];
    size_t n;
    while ((n = fread(piece, 1, sizeof piece, f)) > 0)
        if (buf_add(b, piece, n))
            return err_set(e, ERR_TOO_LARGE, "%s has more than %u bytes", name,
                           PAYLOAD_MAX);
    return ferror(f)
               ? err_set(e, ERR_INVALID, "could not read %s: %s", name, strerror(errno))
               : 0;
}

static int read_file(const char *path, struct buf *b, struct err *e)
{
    FILE *f = fopen(path, "re");
    if (!f)
        return err_set(e, ERR_INVALID, "could not open %s: %s", path, strerror(errno));
    int rc = read_stream(f, path, b, e);
    fclose(f);
    return rc;
}

static int read_payload(const char *operand, struct buf *b, struct err *e)
{
    if (!operand || !strcmp(operand, "-"))
        return read_stream(stdin, "standard input", b, e);
    if (*operand == '@')
        return read_file(operand + 1, b, e);
    return buf_adds(b, operand)
               ? err_set(e, ERR_TOO_LARGE, "the payload has more than %u bytes",
                         PAYLOAD_MAX)
               : 0;
}

static json_t *question(const char *topic, const struct buf *payload, bool retain)
{
    const char *text = payload->data ? payload->data : "";
    json_t *j = json_pack("{s:s, s:b}", "topic", topic, "retain", retain);
    if (strlen(text) == payload->len && utf8_valid(text)) {
        json_object_set_new(j, "payload", json_string(text));
        return j;
    }
    struct buf coded;
    buf_init(&coded, 2 * PAYLOAD_MAX);
    base64_add(&coded, text, payload->len);
    json_object_set_new(j, "payload_base64", json_string(coded.data));
    buf_done(&coded);
    return j;
}

/* ---- asking
 * ------------------------------------------------------------------------------- */

static json_t *ask(const struct explain_opts *o, const char *topic,
                   const struct buf *payload, struct err *e)
{
    struct remote *r = remote_open("ingest", o->url, o->token, o->token_file, e);
    if (!r)
        return NULL;
    json_t *q = question(topic, payload, o->retain), *j = NULL;
    if (!q)
        err_set(e, ERR_INVALID, "the topic is not UTF-8");
    else if ((j = remote_ask(r, "POST", "/api/v1/explain", q, e)) &&
             !json_is_array(json_object_get(j, "items"))) {
        remote_strange(r, e);
        json_decref(j);
        j = NULL;
    }
    json_decref(q);
    remote_close(r);
    return j;
}

/* ---- for people
 * --------------------------------------------------------------------------- */

static const char *text_of(const json_t *o, const char *key)
{
    const char *text = json_string_value(json_object_get(o, key));
    return text ? text : "";
}

/* Texts with words of our own between them. NULL ends the list. */
static void say(FILE *to, ...)
{
    va_list ap;
    va_start(ap, to);
    for (const char *text; (text = va_arg(ap, const char *));)
        plain_put(to, text);
    va_end(ap);
    fputc('\n', to);
}

static void print_reading(const json_t *item, FILE *to)
{
    const char *name, *why = text_of(item, "why");
    json_t *v;
    int width = 0;
    bool late = json_is_true(json_object_get(item, "late"));
    say(to, "  time  ", text_of(item, "time"), " (",
        *why ? why : text_of(item, "time_source"), late ? "; late)" : ")", NULL);
    json_object_foreach(json_object_get(item, "values"), name, v)
    {
        int n = (int)strlen(name);
        width = n > width ? n : width;
    }
    json_object_foreach(json_object_get(item, "values"), name, v)
    {
        char value[64];
        const char *unit = text_of(v, "unit");
        snprintf(value, sizeof value, "%*s  %.15g", width - (int)strlen(name), "",
                 json_number_value(json_object_get(v, "value")));
        say(to, "  ", name, value, *unit ? " " : "", unit, NULL);
    }
    say(to, "  line  ", text_of(item, "line"), NULL);
}

int explain_print(const json_t *answer, FILE *to)
{
    bool accepted = json_is_true(json_object_get(answer, "accepted"));
    const json_t *item, *items = json_object_get(answer, "items");
    const char *decoder = text_of(answer, "decoder"), *reason = text_of(answer, "reason");
    size_t i;
    say(to, "decoder: ", *decoder ? decoder : "none", NULL);
    json_array_foreach(items, i, item)
    {
        const char *device = text_of(item, "device");
        bool taken = json_is_true(json_object_get(item, "accepted"));
        if (!accepted)
            break;
        fputc('\n', to);
        say(to, *device ? device : "(no device)", NULL);
        if (!taken)
            say(to, "  refused: ", text_of(item, "reason"), NULL);
        else if (json_object_get(item, "status"))
            say(to, "  is ", text_of(item, "status"), NULL);
        else
            print_reading(item, to);
    }
    if (accepted && !json_array_size(items))
        say(to, "the message is in order and says nothing that is stored", NULL);
    if (*reason) {
        fputc('\n', to);
        say(to, accepted ? "not taken of it" : "refused", ": ", reason, ": ",
            text_of(answer, "detail"), NULL);
    }
    if (json_is_false(json_object_get(answer, "subscribed"))) {
        fputc('\n', to);
        say(to,
            "by MQTT it would not come: neither FC_MQTT_FILTERS nor FC_DECODE_FILE has "
            "its topic",
            NULL);
    }
    return accepted ? 0 : 1;
}

static int print(const struct explain_opts *o, const json_t *answer)
{
    if (!o->json)
        return explain_print(answer, stdout);
    char *text = json_dumps(answer, JSON_INDENT(2) | JSON_REAL_PRECISION(17));
    plain_put_lines(stdout, text ? text : "");
    putchar('\n');
    free(text);
    return json_is_true(json_object_get(answer, "accepted")) ? 0 : 1;
}

int explain_main(int argc, char **argv)
{
    struct explain_opts o = {0};
    const char *operand[2] = {NULL};
    struct err e = ERR_INIT;
    size_t n;
    if (options_parse(table, argc, argv, &o, operand, 2, &n, &e))
        return options_refuse("explain", &e);
    if (o.help) {
        help();
        return 0;
    }
    if (remote_check(o.token, o.token_file, &e) ||
        (!n && err_set(&e, ERR_INVALID, "a topic is missing")))
        return options_refuse("explain", &e);
    struct buf payload;
    int rc = 1;
    buf_init(&payload, PAYLOAD_MAX);
    json_t *answer =
        read_payload(operand[1], &payload, &e) ? NULL : ask(&o, operand[0], &payload, &e);
    if (answer)
        rc = print(&o, answer);
    else
        options_fail("explain", &e);
    json_decref(answer);
    buf_done(&payload);
    return rc;
}
