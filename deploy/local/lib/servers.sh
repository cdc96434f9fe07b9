# shellcheck shell=bash disable=SC2034,SC2154 # names shared between these files
# SPDX-License-Identifier: GPL-3.0-or-later
# servers: Mosquitto, InfluxDB, PostgreSQL and nginx with the settings that deploy/ ships. For
# each: NAME_prepare fills its settings and folders, NAME_command sets `command`.

# render TO TEMPLATE...: with the FC_* of the caller's environment
render() {
    local to=$1
    shift
    sh "$root/deploy/render.sh" "$@" >"$to"
}

# own_dir PATH...: folders of the unprivileged user
own_dir() {
    mkdir -p "$@"
    ((EUID != 0)) || chown "$run_uid:$run_gid" "$@"
    chmod 700 "$@"
}

mosquitto_prepare() {
    own_dir "$data/mosquitto"
    FC_MQTT_PORT=${port[mqtt]} FC_MQTT_BIND=$bind FC_MQTT_DATA=$data/mosquitto \
        render "$etc/mosquitto.conf" "$root/deploy/mosquitto/mosquitto.conf" \
        "$root/deploy/mosquitto/access-open.conf"
}
mosquitto_command() { command=(mosquitto -c "$etc/mosquitto.conf"); }

influxdb_prepare() {
    own_dir "$data/influxdb"
    cp "$root/deploy/influxdb/influxdb.conf" "$etc/influxdb.conf"
}
influxdb_command() {
    command=(env "INFLUXDB_META_DIR=$data/influxdb/meta" "INFLUXDB_DATA_DIR=$data/influxdb/data"
        "INFLUXDB_DATA_WAL_DIR=$data/influxdb/wal"
        "INFLUXDB_HTTP_BIND_ADDRESS=$bind:${port[influx]}"
        "INFLUXDB_BIND_ADDRESS=$bind:${port[influx_backup]}"
        influxd -config "$etc/influxdb.conf")
}
influxdb_database() {
    curl -fsS --max-time 10 "http://$bind:${port[influx]}/query" \
        --data-urlencode 'q=CREATE DATABASE fieldcast' >/dev/null
}

pg_bin() {
    local folder
    for folder in /usr/lib/postgresql/{15,16,17,18,14,13}/bin; do
        if [[ -x $folder/initdb ]]; then
            echo "$folder"
            return
        fi
    done
    command -v initdb >/dev/null || die "PostgreSQL's initdb is not installed; run deploy/packages.sh run"
    dirname "$(readlink -f "$(command -v initdb)")"
}

postgres_prepare() {
    local pg=$data/postgres bins
    bins=$(pg_bin)
    secrets_make
    cp "$root/deploy/postgres/postgresql.conf" "$etc/postgresql.conf"
    [[ ! -f $pg/ready ]] || return 0
    # a cluster that an interrupted first start has left half made
    rm -rf "$pg"
    own_dir "$pg"
    "${as_user[@]}" "$bins/initdb" -D "$pg/cluster" -U postgres -A scram-sha-256 -E UTF8 --locale=C.UTF-8 --lc-collate=C \
        --pwfile="$secrets/pg_admin_password" --no-sync >"$log/initdb.log" 2>&1 ||
        step_failed "$log/initdb.log" "initdb could not make a cluster"
    # the role and the database, one statement a line, before any port is open
    "${as_user[@]}" "$bins/postgres" --single -D "$pg/cluster" postgres >>"$log/initdb.log" 2>&1 <<SQL ||
CREATE ROLE fieldcast LOGIN PASSWORD '$(<"$secrets/pg_password")'
CREATE DATABASE fieldcast OWNER fieldcast
SQL
        step_failed "$log/initdb.log" "could not make the database"
    "${as_user[@]}" touch "$pg/ready"
}
postgres_command() {
    command=("$(pg_bin)/postgres" -D "$data/postgres/cluster" -c "config_file=$etc/postgresql.conf"
        -c "listen_addresses=$bind" -c "port=${port[pg]}" -c unix_socket_directories=)
}
# a connection that gets as far as the password question
pg_answers() { "$(pg_bin)/pg_isready" -q -h "$bind" -p "${port[pg]}"; }

migrate() {
    FC_PG_CONNINFO_FILE=$secrets/pg_conninfo bash "$root/deploy/postgres/migrate.sh" >"$log/migrate.log" 2>&1 ||
        step_failed "$log/migrate.log" "the migrations were not applied (make demo-clean starts from nothing)"
}

nginx_prepare() {
    local name place=$data/nginx upper
    own_dir "$place"
    # the page is copied, because the project may lie where only its owner can read
    rm -rf "$etc/web" "$etc/problem"
    mkdir -p "$etc/web"
    cp -R "$root/web/." "$etc/web/"
    cp -R "$root/deploy/nginx/problem" "$etc/problem"
    chmod -R a+rX "$etc/web" "$etc/problem"
    (
        for name in "${services[@]}"; do
            upper=FC_${name^^}
            export "$upper=$bind:${port[$name]}"
        done
        export FC_PROXY_LISTEN=$proxy_bind:${port[proxy]} FC_PROXY_WORKERS=2 FC_PROXY_RUN=$place FC_PROXY_CONF=$etc/fieldcast.conf \
            FC_GRAFANA=${FC_DEMO_GRAFANA:-127.0.0.1:3000} FC_RESOLVER=127.0.0.1 \
            FC_WEB_ROOT=$etc/web FC_PROBLEM_ROOT=$etc/problem FC_ACCESS_LOG=$place/access.log \
            FC_RATE_LIMIT=${FC_RATE_LIMIT:-1000} FC_RATE_BURST=${FC_RATE_BURST:-1000}
        render "$etc/nginx.conf" "$root/deploy/nginx/nginx.conf"
        render "$etc/fieldcast.conf" "$root/deploy/nginx/fieldcast.conf.template"
    )
}
nginx_command() { command=(nginx -e stderr -p "$data/nginx" -c "$etc/nginx.conf"); }
