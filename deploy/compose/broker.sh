#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# broker.sh: starts Mosquitto in its container: settings from the shared template, passwords
# from the volume (hashed, in memory only), and TLS where /certs holds certificates.
set -eu
run=/run/broker
umask 077
cat /run/fieldcast/mqtt_passwords >"$run/passwords"
[ ! -f /run/fieldcast/mqtt_devices ] || cat /run/fieldcast/mqtt_devices >>"$run/passwords"
chmod 600 "$run/passwords"
mosquitto_passwd -U "$run/passwords"
cp /run/fieldcast/mqtt_health "$run/health"
cp /fieldcast/acl "$run/acl"
export FC_MQTT_PORT=1883 FC_MQTT_BIND=0.0.0.0 FC_MQTT_DATA=/mosquitto/data \
    FC_MQTT_PASSWORDS=$run/passwords FC_MQTT_ACL=$run/acl FC_MQTT_TLS_PORT=8883 FC_MQTT_CERTS=$run/certs
set -- /fieldcast/mosquitto.conf /fieldcast/access-password.conf
if [ -f /certs/server.crt ] && [ -f /certs/server.key ]; then
    # copies, because Mosquitto reads them when it is root no more
    mkdir -p "$run/certs"
    cp /certs/*.crt /certs/server.key "$run/certs/"
    set -- "$@" /fieldcast/tls.conf
    [ ! -f /certs/clients-ca.crt ] || set -- "$@" /fieldcast/tls-clients.conf
    echo "broker: TLS on port 8883" >&2
fi
sh /fieldcast/render.sh "$@" >"$run/mosquitto.conf"
chown -R mosquitto "$run" /mosquitto/data
exec mosquitto -c "$run/mosquitto.conf"
