/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/mqtt_why.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/mqtt_link.h"

void mqtt_why_refused(const struct mqtt_opts *o, int code, struct err *e)
{
    if (code == 1)
        err_set(e, ERR_UPSTREAM, "the broker does not speak MQTT 3.1.1");
    else if (code == 2)
        err_set(e, ERR_INVALID, "the broker refuses the client id \"%s\"", o->client_id);
    else if (code == 3)
        err_set(e, ERR_UNAVAILABLE, "the broker says that it is not available");
    else if (code > 5)
        err_set(e, ERR_UPSTREAM, "the broker refuses the connection with code %d", code);
    else if (o->user && *o->user) /* Mosquitto answers 5 to a wrong password */
        err_set(e, ERR_INVALID,
                "the broker refuses user \"%s\": the password is wrong, or it does not "
                "know the user",
                o->user);
    else
        err_set(e, ERR_INVALID, "the broker asks for a user and a password");
}

void mqtt_why_no_link(struct err *e)
{
    struct err was = *e;
    if (was.code == ERR_INVALID)
        err_set(e, was.code, "TLS does not trust it: %s", was.text);
    else if (was.code == ERR_UPSTREAM)
        err_set(e, was.code,
                "TLS does not come about: %s; is this the broker's port for TLS?",
                was.text);
}

void mqtt_why_silent(const struct mqtt_opts *o, struct err *e)
{
    struct err was = *e;
    if (mqtt_is_tls(o->url))
        err_set(e, ERR_UPSTREAM, "TLS is fine, but the broker ended the connection: %s",
                o->cert_file ? "perhaps it does not take our certificate"
                             : "perhaps it asks for a client certificate");
    else
        err_set(e, ERR_UPSTREAM,
                "the port is open, but no MQTT broker answers (%s); does it want ssl://?",
                was.text);
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
