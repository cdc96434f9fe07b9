#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# influx-setup.sh: the one-shot that makes InfluxDB's database and users. The first user of a
# server that asks for passwords may be made without one; from then on everything is refused
# that does not know a password. Doing it again changes nothing.
set -eu
url=${FC_INFLUX_URL:-http://influxdb:8086}
dir=/run/fieldcast
answer=$(mktemp)

# query USER:PASSWORD-or-nothing STATEMENT: 0 when InfluxDB did it
query() {
    code=$(curl -sS --max-time 10 -o "$answer" -w '%{http_code}' ${1:+-u "$1"} \
        "$url/query" --data-urlencode "q=$2") || return 1
    [ "$code" = 200 ] && ! grep -q '"error"' "$answer"
}
must() {
    query "$@" || { echo "influx-setup: $(cat "$answer")" >&2; exit 1; }
}

tries=0
until curl -fsS --max-time 5 -o /dev/null "$url/ping" 2>/dev/null; do
    tries=$((tries + 1))
    [ "$tries" -lt 120 ] || { echo "influx-setup: $url does not answer" >&2; exit 1; }
    sleep 0.5
done
admin=admin:$(cat "$dir/influx_admin")
query "$admin" 'SHOW DATABASES' ||
    must '' "CREATE USER \"admin\" WITH PASSWORD '${admin#*:}' WITH ALL PRIVILEGES"
must "$admin" 'CREATE DATABASE "fieldcast"'
for user in fieldcast:ALL reader:READ; do
    name=${user%:*}
    must "$admin" "CREATE USER \"$name\" WITH PASSWORD '$(cat "$dir/influx_$name")'"
    must "$admin" "GRANT ${user#*:} ON \"fieldcast\" TO \"$name\""
done
echo "influx-setup: database fieldcast and its users are there"
