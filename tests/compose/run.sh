#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# run.sh: brings up deploy/docker-compose.yml on ports and volumes of its own, sends weeks of
# readings through the published MQTT port, expects models, forecasts and metrics through the
# proxy, also after restarts, and takes everything down again.
#
# It needs a Docker engine: the one that the docker command reaches (DOCKER_HOST). Where there
# is none, FC_TEST_DOCKER_ENGINE names a program that brings one: "PROGRAM start" prints the
# DOCKER_HOST line, "PROGRAM stop" ends it; FC_TEST_DOCKER_IMAGES one that makes the images it
# is given where they cannot be pulled; Kafka's is made here then (tests/compose/kafka, with Maven).
# FC_TEST_COMPOSE: the compose command.
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
work=$(mktemp -d)
project=fctest$$
engine=${FC_TEST_DOCKER_ENGINE:-$root/../shared/tools/docker-engine}
images=${FC_TEST_DOCKER_IMAGES:-$root/../shared/tools/standin-images}
fieldcast=$(realpath "${FC_TEST_FIELDCAST:-$root/build/bin/fieldcast}")
engine_started=
passed=0
compose=()

say() { printf 'test-compose: %s\n' "$*"; }
fail() {
    say "FAILED: $*" >&2
    exit 1
}
# ok WHAT COMMAND...: one check
ok() {
    local what=$1
    shift
    "$@" >"$work/out" 2>&1 || { sed 's/^/    /' "$work/out" >&2; fail "$what"; }
    passed=$((passed + 1))
    say "ok: $what"
}
# eventually SECONDS WHAT COMMAND...
eventually() {
    local until=$((SECONDS + $1)) what=$2
    shift 2
    until "$@" >"$work/out" 2>&1; do
        ((SECONDS < until)) || { sed 's/^/    /' "$work/out" >&2; fail "$what"; }
        sleep 0.5
    done
    passed=$((passed + 1))
    say "ok: $what"
}

free_port() {
    local p
    while :; do
        p=$((20000 + RANDOM % 12000))
        (exec 3<>"/dev/tcp/127.0.0.1/$p") 2>/dev/null || break
    done
    echo "$p"
}

compose_command() {
    if [[ -n ${FC_TEST_COMPOSE:-} ]]; then
        read -ra compose <<<"$FC_TEST_COMPOSE"
    elif docker compose version >/dev/null 2>&1; then
        compose=(docker compose)
    elif command -v docker-compose >/dev/null; then
        compose=(docker-compose)
    else
        fail "neither \"docker compose\" nor docker-compose is installed"
    fi
    compose_name=${compose[*]}
    compose+=(-p "$project" -f "$root/deploy/docker-compose.yml")
}
c() { "${compose[@]}" "$@"; }

find_engine() {
    local line
    docker info >/dev/null 2>&1 && return
    [[ -x $engine ]] || fail "no Docker engine answers (DOCKER_HOST=${DOCKER_HOST:-})"
    say "no Docker engine answers; starting one"
    line=$("$engine" start)
    eval "$line"
    engine_started=1
}

find_images() {
    local tag
    local -a missing=()
    for tag in debian:bookworm-slim $(c --profile monitoring config | awk '$1 == "image:" && $2 !~ /^fieldcast:/ && $2 !~ /^(grafana|apache)\// { print $2 }' | sort -u); do
        docker image inspect "$tag" >/dev/null 2>&1 || docker pull -q "$tag" >/dev/null 2>&1 || missing+=("$tag")
    done
    ((${#missing[@]} == 0)) && return
    [[ -x $images ]] || fail "these images cannot be pulled: ${missing[*]}"
    say "making images that cannot be pulled: ${missing[*]}"
    "$images" "${missing[@]}"
}

cleanup() {
    local code=$?
    trap - EXIT
    if ((${#compose[@]})); then
        if ((code != 0)); then c --profile monitoring --profile kafka logs --no-color --tail 40 >&2 2>&1 || true; fi
        c --profile monitoring --profile kafka down -v --remove-orphans -t 5 >/dev/null 2>&1 || true
    fi
    [[ -z $engine_started ]] || "$engine" stop || true
    rm -rf "$work"
    exit "$code"
}

container() { c ps -q "$1"; }
healthy() {
    local name
    for name; do
        [[ $(docker inspect -f '{{.State.Health.Status}}' "$(container "$name")") == healthy ]] || {
            echo "$name is not healthy"
            return 1
        }
    done
}
get() { curl -fsS --max-time 20 "$url$1"; }
code_of() { curl -sS --max-time 20 -o "$work/body" -w '%{http_code}' "$@"; }
code_is() {
    local want=$1 got
    shift
    got=$(code_of "$@")
    [[ $got == "$want" ]] || {
        echo "$* answered $got, not $want: $(head -c 500 "$work/body")"
        return 1
    }
}
# only the proxy and the broker, and those on loopback
published() {
    local lines
    lines=$(docker ps --filter "label=com.docker.compose.project=$project" --format '{{.Ports}}' | grep -o '[0-9.:]*->' | sort)
    [[ $lines == "$(printf '127.0.0.1:%s->\n' "$http_port" "$mqtt_port" "$tls_port" | sort)" ]] || {
        echo "published: $lines"
        return 1
    }
}
inside() { docker exec "$(container "$1")" "${@:2}"; }
locked_down() {
    local name
    for name in ingest trainer predictor monitor; do
        [[ $(inside "$name" id -u) == 10001 ]] || return 1
        ! inside "$name" touch /usr/local/bin/x || return 1
    done
}
forecasts_there() {
    get /api/v1/status >"$work/status" || return 1
    cat "$work/status"
    jq -e '(.settled != null) and (.series | length >= 6) and all(.series[]; .champion != null)' "$work/status" &&
        get "/api/v1/forecasts?series=kitchen.temperature&horizon=24" | jq -e '.points | length == 24'
}
predicts() {
    code_is 200 "$url/predict" -d '{"series":"kitchen.temperature","horizon":6}' &&
        jq -e '(.predictions | length == 6) and .version >= 1' "$work/body"
}
champion() { get /api/v1/status | jq '.series[] | select(.name == "kitchen.temperature").champion.version'; }
all_metrics() {
    local name
    get /metrics >"$work/metrics"
    for name in ingest trainer predictor monitor; do
        grep -q "^fieldcast_build_info{.*service=\"$name\"" "$work/metrics" || {
            echo "no metrics of $name"
            return 1
        }
    done
}
targets_up() {
    inside proxy curl -fsS http://prometheus:9090/api/v1/targets | tee "$work/targets"
    jq -e '[.data.activeTargets[] | select(.health == "up")] | length == 4' "$work/targets"
}
# the image that deploy/docker-compose.yml names: pulled, or made of Kafka's jars
kafka_image() {
    local tag libs
    tag=$(c --profile kafka config | awk '$1 == "image:" && $2 ~ /^apache\/kafka:/ { print $2 }')
    if docker image inspect "$tag" >/dev/null 2>&1 || docker pull -q "$tag" >/dev/null 2>&1; then return; fi
    command -v mvn >/dev/null || return 1
    say "making $tag of Kafka's jars"
    libs=$(cd "$root/tests/integration" && python3 -c 'import kafka; print(kafka.jars())') || fail "no jars of Kafka"
    [[ $tag == *:"$(basename "$libs"/kafka-server-[0-9]*.jar .jar | sed 's/.*-//')" ]] ||
        fail "tests/kafka/pom.xml is not of the version of $tag"
    cp -r "$root/tests/compose/kafka" "$work/kafka" && cp -r "$libs" "$work/kafka/libs"
    ok "the image of Kafka builds" docker build --network host -q -t "$tag" "$work/kafka"
}
in_kafka() {
    inside kafka /opt/kafka/bin/kafka-get-offsets.sh --bootstrap-server kafka:9092 --topic fieldcast-readings |
        awk -F: '{ n += $3 } END { print n + 0 }'
}
kafka_has_readings() { (($(in_kafka) > 0)); }
# all of ingest's log, and more than so many
kafka_has_all() { # READINGS
    local n want lag
    n=$(in_kafka)
    want=$(get /metrics | awk '/^fieldcast_ingest_kafka_messages_total\{.*result="delivered"/ { print $2 }')
    lag=$(get /metrics | awk '/^fieldcast_ingest_kafka_lag_bytes/ { print $2 }')
    echo "$n readings in Kafka, ${want:-none} delivered, ${lag:-?} bytes of the log to come"
    [[ $lag == 0 ]] && ((n >= want && n > $1))
}

trap cleanup EXIT
trap 'exit 130' INT TERM
command -v docker >/dev/null || [[ -x $engine ]] || fail "the docker command is not installed"
find_engine
compose_command
http_port=$(free_port) mqtt_port=$(free_port) tls_port=$(free_port)
export FC_COMPOSE_PORT=$http_port FC_COMPOSE_MQTT_PORT=$mqtt_port FC_COMPOSE_MQTT_TLS_PORT=$tls_port
url=http://127.0.0.1:$http_port
say "project $project with $compose_name at $url"
find_images

began=$SECONDS
ok "the image builds" c build setup
say "building took $((SECONDS - began)) s"
began=$SECONDS
ok "everything starts" c up -d
eventually 90 "all health checks pass" healthy mosquitto influxdb postgres ingest trainer predictor monitor proxy
say "from nothing to healthy in $((SECONDS - began)) s"

ok "only the proxy and the broker are published, on loopback" published
ok "services are not root and cannot write their image" locked_down
ok "the page is there" code_is 200 "$url/"
ok "what is internal is not proxied" code_is 404 "$url/readyz"
ok "training needs a token" code_is 401 -X POST "$url/api/v1/train" -d '{"series":"all"}'
operator=$(c run --rm --no-deps setup show 2>/dev/null | tr -d '\r' | awk '$1 == "operator" { print $2 }')
secret=$(c run --rm --no-deps setup show 2>/dev/null | tr -d '\r' | awk '/^mqtt user sensor/ { print $NF }')

printf '%s\n' "$secret" >"$work/password"
ok "the broker refuses who has no password" bash -c "! '$fieldcast' simulate \
    --mqtt tcp://127.0.0.1:$mqtt_port --count 1 </dev/null"
ok "three weeks of readings through the published MQTT port" "$fieldcast" simulate \
    --mqtt "tcp://127.0.0.1:$mqtt_port" --user sensor --password-file "$work/password" \
    --devices 2 --every 5m --backfill 3w
eventually 180 "every series has a champion and a forecast" forecasts_there
ok "/predict answers" predicts
ok "/metrics has all four services" all_metrics
ok "measured hours are there" bash -c "curl -fsS '$url/api/v1/history?series=kitchen.temperature&agg=1h' | jq -e '.points | length > 10'"
ok "an operator may train" code_is 202 -X POST "$url/api/v1/train" -H "Authorization: Bearer $operator" \
    -d '{"series":["kitchen.temperature"],"reason":"test"}'

before=$(champion)
ok "the predictor is made anew" c up -d --no-deps --force-recreate predictor
eventually 40 "the proxy finds it again, and it answers as before" predicts
ok "everything ends" c down -t 10
ok "everything starts again" c up -d
eventually 90 "all health checks pass" healthy mosquitto influxdb postgres ingest trainer predictor monitor proxy
eventually 30 "it answers from what was kept" predicts
[[ $(champion) -ge $before ]] || fail "the champion was $before before the restart and is $(champion) now"

ok "Prometheus starts" c --profile monitoring up -d --no-deps prometheus
eventually 60 "it scrapes all four services" targets_up

if docker image inspect grafana/grafana:12.4.4 >/dev/null 2>&1 || docker pull -q grafana/grafana:12.4.4 >/dev/null 2>&1; then
    ok "Grafana starts" c --profile monitoring up -d --no-deps grafana
    eventually 90 "its page is behind the proxy" code_is 200 "$url/dashboards/api/health"
else
    say "Grafana's image cannot be pulled here: its dashboards' queries are tested elsewhere, its start is not"
fi

if kafka_image; then
    export FC_KAFKA_BROKERS=kafka:9092
    began=$SECONDS
    ok "Kafka starts, and ingest is told of it" c --profile kafka up -d --no-deps kafka ingest
    eventually 120 "readings are in Kafka" kafka_has_readings
    eventually 60 "Kafka and ingest are healthy" healthy kafka ingest
    eventually 60 "it has all of ingest's log" kafka_has_all 0
    had=$(in_kafka 2>/dev/null)
    ok "Kafka is made anew" c --profile kafka up -d --no-deps --force-recreate kafka
    ok "readings come meanwhile" "$fieldcast" simulate --mqtt "tcp://127.0.0.1:$mqtt_port" --user sensor \
        --password-file "$work/password" --devices 2 --every 1s --count 5
    eventually 120 "they are in Kafka, with what was there before" kafka_has_all "$had"
    say "Kafka took $((SECONDS - began)) s"
else
    say "Kafka's image cannot be pulled here and Maven is not there to make one: ingest is tested with the same version elsewhere"
fi
say "$passed checks passed"
