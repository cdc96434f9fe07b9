#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# broker.sh: starts Mosquitto in its container: settings from the shared template, passwords
# from the volume (hashed, in memory only).
set -eu
run=/run/broker
umask 077
cp /run/fieldcast/mqtt_passwords "$run/passwords"
chmod 600 "$run/passwords"
mosquitto_passwd -U "$run/passwords"
cp /run/fieldcast/mqtt_health "$run/health"
cp /fieldcast/acl "$run/acl"
export FC_MQTT_PORT=1883 FC_MQTT_BIND=0.0.0.0 FC_MQTT_DATA=/mosquitto/data \
    FC_MQTT_PASSWORDS=$run/passwords FC_MQTT_ACL=$run/acl
sh /fieldcast/render.sh /fieldcast/mosquitto.conf /fieldcast/access-password.conf >"$run/mosquitto.conf"
chown -R mosquitto "$run" /mosquitto/data
exec mosquitto -c "$run/mosquitto.conf"
