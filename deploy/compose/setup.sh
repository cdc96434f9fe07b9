#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# setup.sh: the one-shot that makes tokens and passwords at the first start, in the volume that
# the containers share. What is there already is kept. "setup.sh show" prints the tokens and
# the devices' broker passwords; "setup.sh device NAME..." makes a password for each device of
# these names, which is then a user of the broker ("docker compose restart mosquitto").
#   tokens.txt, tokens              "role token" for people, "role sha256" for the services
#   service_token, viewer_token     what the services show each other, what Prometheus shows
#   pg_password, pg_conninfo        Postgres
#   influx_admin, influx_fieldcast, influx_reader   passwords of InfluxDB's users
#   mqtt_USER, mqtt_passwords       of the broker's users (deploy/mosquitto/acl)
#   mqtt_devices                    "device:password" of those that have their own
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

add_devices() {
    local name
    umask 077
    (($#)) || { echo "setup: name the devices" >&2; exit 2; }
    for name; do
        [[ $name =~ ^[A-Za-z0-9_-]{1,64}$ ]] ||
            { echo "setup: a device's name is 1 to 64 of A-Z a-z 0-9 _ -, not \"$name\"" >&2; exit 2; }
        ! grep -q "^$name:" "$dir/mqtt_passwords" ||
            { echo "setup: \"$name\" is a user of Fieldcast's own" >&2; exit 2; }
    done
    touch "$dir/mqtt_devices"
    for name; do
        grep -q "^$name:" "$dir/mqtt_devices" || echo "$name:$(random_hex 16)" >>"$dir/mqtt_devices"
        echo "mqtt user $name, password $(sed -n "s/^$name://p" "$dir/mqtt_devices")"
    done
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
    [[ ! -s $dir/mqtt_devices ]] || sed 's/^\([^:]*\):/mqtt user \1, password /' "$dir/mqtt_devices"
    echo "grafana user admin, password $(<"$dir/grafana_admin")"
    ;;
device)
    add_devices "${@:2}"
    ;;
*)
    sed -n '3,13s/^# \{0,1\}//p' "$0"
    exit 2
    ;;
esac
