#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# setup.sh: the one-shot that makes tokens and passwords at the first start, in the volume that
# the containers share. What is there already is kept. "setup.sh show" prints the tokens and
# the sensors' broker password.
#   tokens.txt, tokens              "role token" for people, "role sha256" for the services
#   service_token, viewer_token     what the services show each other, what Prometheus shows
#   pg_password, pg_conninfo        Postgres
#   influx_admin, influx_fieldcast, influx_reader   passwords of InfluxDB's users
#   mqtt_USER, mqtt_passwords       of the broker's users (deploy/mosquitto/acl)
#   grafana_admin                   of Grafana's user "admin"
set -euo pipefail
dir=${FC_SECRETS_DIR:-/run/fieldcast}

random_hex() { od -An -vtx1 -N"$1" /dev/urandom | tr -d ' \n'; }
# keep NAME MODE: standard input becomes the file, unless it is there; whole or not at all
keep() {
    if [[ -s $dir/$1 ]]; then
        cat >/dev/null # who writes must not be cut off
        return
    fi
    cat >"$dir/.$1.new"
    chmod "$2" "$dir/.$1.new"
    mv "$dir/.$1.new" "$dir/$1"
}
token_of() { awk -v role="$1" '$1 == role { print $2 }' "$dir/tokens.txt"; }

make_all() {
    local role user
    umask 077
    for role in viewer operator admin service; do echo "$role $(random_hex 32)"; done | keep tokens.txt 400
    while read -r role token; do
        echo "$role $(printf %s "$token" | sha256sum | cut -d' ' -f1)"
    done <"$dir/tokens.txt" | keep tokens 400
    token_of service | keep service_token 400
    token_of viewer | keep viewer_token 444

    random_hex 24 | keep pg_password 400
    echo "host=postgres dbname=fieldcast user=fieldcast password=$(<"$dir/pg_password")" | keep pg_conninfo 400
    random_hex 24 | keep influx_admin 400
    random_hex 24 | keep influx_fieldcast 400
    random_hex 24 | keep influx_reader 444
    for user in ingest monitor sensor viewer health; do random_hex 16 | keep "mqtt_$user" 400; done
    for user in ingest monitor sensor viewer health; do echo "$user:$(<"$dir/mqtt_$user")"; done | keep mqtt_passwords 400
    random_hex 12 | keep grafana_admin 444
}

case ${1:-make} in
make)
    make_all
    echo "setup: tokens and passwords lie in the volume mounted at $dir;" \
        "\"docker compose -f deploy/docker-compose.yml run --rm setup show\" prints them"
    ;;
show)
    cat "$dir/tokens.txt"
    echo "mqtt user sensor, password $(<"$dir/mqtt_sensor")"
    echo "grafana user admin, password $(<"$dir/grafana_admin")"
    ;;
*)
    sed -n '3,11s/^# \{0,1\}//p' "$0"
    exit 2
    ;;
esac
