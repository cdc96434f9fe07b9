# shellcheck shell=bash disable=SC2034,SC2154 # names shared between these files
# SPDX-License-Identifier: GPL-3.0-or-later
# services: the four programs and their environment. Settings of the caller's environment
# that the demo does not set itself (FC_LOG_LEVEL, FC_CLOCK_FILE, ...) pass through.

# copies the programs, so that a build while the demo runs disturbs nothing
programs_copy() {
    local name from
    for name in "${services[@]/#/fc-}" fieldcast; do
        from=$bin_from/$name
        [[ -x $from ]] || die "$from is not built; run make (or set FC_DEMO_BIN)"
        cmp -s "$from" "$bin/$name" && continue
        cp "$from" "$bin/.$name.new"
        chmod 755 "$bin/.$name.new"
        mv "$bin/.$name.new" "$bin/$name"
    done
}

service_prepare() {
    secrets_make
    programs_copy
    [[ $1 != ingest ]] || own_dir "$data/ingest"
}

# service_command NAME
service_command() {
    local name local_url=http://$bind
    local -a env=()
    for name in FC_LOG_LEVEL FC_CLOCK_FILE FC_TICK_MS FC_HOUR_GRACE_S; do
        [[ -z ${!name:-} ]] || env+=("$name=${!name}")
    done
    env+=(FC_HTTP_ADDR="$bind" FC_HTTP_PORT="${port[$1]}"
        FC_TOKENS_FILE="$secrets/tokens" FC_SERVICE_TOKEN_FILE="$secrets/service_token"
        FC_PUBLIC_READ="${FC_PUBLIC_READ:-1}"
        FC_INFLUX_URL="$local_url:${port[influx]}" FC_INFLUX_DB=fieldcast)
    case $1 in
    ingest)
        env+=(FC_DATA_DIR="$data/ingest" FC_LIVE_URLS="$local_url:${port[predictor]}"
            FC_MQTT_URL="tcp://$bind:${port[mqtt]}")
        ;;
    trainer) env+=(FC_PG_CONNINFO_FILE="$secrets/pg_conninfo") ;;
    predictor)
        env+=(FC_PG_CONNINFO_FILE="$secrets/pg_conninfo" FC_INGEST_URL="$local_url:${port[ingest]}")
        ;;
    monitor)
        env+=(FC_PG_CONNINFO_FILE="$secrets/pg_conninfo" FC_MQTT_URL="tcp://$bind:${port[mqtt]}"
            FC_INGEST_URL="$local_url:${port[ingest]}" FC_TRAINER_URL="$local_url:${port[trainer]}"
            FC_PREDICTOR_URL="$local_url:${port[predictor]}")
        ;;
    esac
    command=(env "${env[@]}" "$bin/fc-$1")
}

service_ready() { "$bin/fc-$1" --probe "http://$bind:${port[$1]}/readyz"; }

# part_prepare, part_command: one interface to servers and services
part_prepare() {
    case $1 in
    mosquitto | influxdb | postgres | nginx) "$1_prepare" ;;
    ingest | trainer | predictor | monitor) service_prepare "$1" ;;
    *) die "no part \"$1\"; there are ${parts[*]}" ;;
    esac
}
part_command() {
    case $1 in
    mosquitto | influxdb | postgres | nginx) "$1_command" ;;
    *) service_command "$1" ;;
    esac
}

# becomes the part, in the foreground
run_part() {
    local -a command=()
    folder_open
    part_prepare "$1"
    part_command "$1"
    cd "$data" || exit
    exec "${as_user[@]}" env -i "PATH=$PATH" LANG=C.UTF-8 "HOME=$data" "${command[@]}"
}
