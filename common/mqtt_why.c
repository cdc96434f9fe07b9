/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/mqtt_why.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/http_client.h"
#include "common/mem.h"

bool mqtt_is_tls(const char *url)
{
    return !strncmp(url, "ssl://", 6) || !strncmp(url, "mqtts://", 8);
}

/* MQTT 3.1.1, table 3.1. Mosquitto answers 5 to a wrong password. */
static void refused(const struct mqtt_opts *o, int code, char *out, size_t size)
{
    if (code == 1)
        snprintf(out, size, "the broker does not speak MQTT 3.1.1");
    else if (code == 2)
        snprintf(out, size, "the broker refuses the client id \"%s\"", o->client_id);
    else if (code == 3)
        snprintf(out, size, "the broker says that it is not available");
    else if (o->user && *o->user)
        snprintf(out, size,
                 "the broker refuses user \"%s\": the password is wrong, or it does not "
                 "know the user",
                 o->user);
    else
        snprintf(out, size, "the broker asks for a user and a password");
}

/* The broker's address as libcurl reads it; owned. */
static char *as_http(const char *url)
{
    bool tls = mqtt_is_tls(url);
    const char *host = strstr(url, "://");
    host = host ? host + 3 : url;
    size_t n = strcspn(host, "/?#");
    const char *after = *host == '[' ? memchr(host, ']', n) : host;
    bool port = after && memchr(after, ':', n - (size_t)(after - host));
    return xasprintf("%s://%.*s%s/", tls ? "https" : "http", (int)n, host,
                     port  ? ""
                     : tls ? ":8883"
                           : ":1883");
}

void mqtt_why(const struct mqtt_opts *o, int code, const char *said, char *out,
              size_t size)
{
    if (code >= 1 && code <= 5) {
        refused(o, code, out, size);
        return;
    }
    struct err e = ERR_INIT;
    char *url = as_http(o->url);
    bool tls = mqtt_is_tls(o->url);
    if (http_try_connect(url, o->ca_file, o->cert_file, o->key_file, MQTT_WHY_MS, &e))
        snprintf(out, size, "%s%s%s",
                 e.code == ERR_INVALID    ? "TLS does not trust it: "
                 : e.code == ERR_UPSTREAM ? "TLS does not come about: "
                                          : "",
                 e.text,
                 e.code == ERR_UPSTREAM ? "; is this the broker's port for TLS?" : "");
    else if (tls)
        snprintf(out, size, "TLS is fine, but the broker ended the connection: %s",
                 o->cert_file ? "perhaps it does not take our certificate"
                              : "perhaps it asks for a client certificate");
    else
        snprintf(
            out, size,
            "the port is open, but no MQTT broker answers (%s); does it want ssl://?",
            said ? said : "no reason given");
    free(url);
}

static int check_file(const char *path, const char *what, struct err *e)
{
    if (!path || !*path)
        return 0;
    FILE *f = fopen(path, "re");
    if (!f)
        return err_set(e, ERR_INVALID, "could not read the %s %s: %s", what, path,
                       strerror(errno));
    fclose(f);
    return 0;
}

int mqtt_check_files(const struct mqtt_opts *o, struct err *e)
{
    bool cert = o->cert_file && *o->cert_file, key = o->key_file && *o->key_file;
    if (key && !cert)
        return err_set(e, ERR_INVALID,
                       "the broker's client key %s needs its certificate as well",
                       o->key_file);
    if ((cert || (o->ca_file && *o->ca_file)) && o->url && !mqtt_is_tls(o->url))
        return err_set(e, ERR_INVALID,
                       "certificates for the broker %s would not be used: its address "
                       "must begin with ssl://",
                       o->url);
    return check_file(o->ca_file, "broker's certificate authority", e) ||
                   check_file(o->cert_file, "client certificate", e) ||
                   check_file(o->key_file, "client key", e)
               ? -1
               : 0;
}
