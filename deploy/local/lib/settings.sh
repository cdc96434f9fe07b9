# shellcheck shell=bash disable=SC2034,SC2154 # names shared between these files
# SPDX-License-Identifier: GPL-3.0-or-later
# settings: where the demo lives, on which ports, and as whom it runs.

# The folder; a relative path counts from the project. Where the unprivileged user cannot get
# at the default one (a clone under /root), it is /var/tmp/fieldcast-demo-HASH instead.
demo_dir=${FC_DEMO_DIR:-}
# The address everything listens on, and the proxy's if it is to be another (0.0.0.0).
bind=127.0.0.1
proxy_bind=${FC_DEMO_BIND:-127.0.0.1}
declare -A port=(
    [proxy]=${FC_DEMO_PROXY_PORT:-8080}
    [ingest]=${FC_DEMO_INGEST_PORT:-8101}
    [trainer]=${FC_DEMO_TRAINER_PORT:-8102}
    [predictor]=${FC_DEMO_PREDICTOR_PORT:-8103}
    [monitor]=${FC_DEMO_MONITOR_PORT:-8104}
    [mqtt]=${FC_DEMO_MQTT_PORT:-18883}
    [influx]=${FC_DEMO_INFLUX_PORT:-18086}
    [influx_backup]=${FC_DEMO_INFLUX_BACKUP_PORT:-18088}
    [pg]=${FC_DEMO_PG_PORT:-15432}
)
# What the simulator sends.
devices=${FC_DEMO_DEVICES:-6}
every=${FC_DEMO_EVERY:-5m}
backfill=${FC_DEMO_BACKFILL:-6w}
# The programs; with FC_DEMO_BIN set, nothing is built.
bin_from=${FC_DEMO_BIN:-$root/build/bin}
# Longest wait for a server or service to answer, and for all forecasts, in seconds.
start_wait=${FC_DEMO_START_WAIT_S:-30}
forecast_wait=${FC_DEMO_FORECAST_WAIT_S:-180}

services=(ingest trainer predictor monitor)
parts=(mosquitto influxdb postgres "${services[@]}" nginx)
export PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin

# Who runs it: whoever calls; for root FC_DEMO_USER, else the user behind sudo, else nobody.
run_user=$(id -un)
if ((EUID == 0)); then
    run_user=${FC_DEMO_USER:-${SUDO_USER:-nobody}}
    [[ $run_user != root ]] || run_user=nobody
    id -u "$run_user" >/dev/null 2>&1 || die "FC_DEMO_USER: there is no user \"$run_user\""
fi
run_uid=$(id -u "$run_user")
run_gid=$(id -g "$run_user")

# The command as the unprivileged user.
as_user=()
if ((EUID == 0)); then
    as_user=(setpriv "--reuid=$run_uid" "--regid=$run_gid" --clear-groups --inh-caps=-all --no-new-privs)
fi

settings_check() {
    local name number
    local -A seen=()
    for name in "${!port[@]}"; do
        number=${port[$name]}
        [[ $number =~ ^[1-9][0-9]{0,4}$ && $number -le 65535 ]] ||
            die "FC_DEMO_${name^^}_PORT must be a port number, not \"$number\""
        [[ -z ${seen[$number]:-} ]] ||
            die "FC_DEMO_${name^^}_PORT and FC_DEMO_${seen[$number]^^}_PORT are both $number"
        seen[$number]=$name
    done
}

# Finds the folder; sets demo_dir and the places in it. Makes nothing.
folder_find() {
    local given=$demo_dir parent
    [[ -n $given ]] || given=$root/.demo
    [[ $given == /* ]] || given=$root/$given
    parent=$(dirname "$given")
    if ! "${as_user[@]}" test -x "$parent" 2>/dev/null; then
        [[ -z $demo_dir ]] || die "FC_DEMO_DIR: user $run_user cannot enter $parent; choose a folder it can reach"
        given=/var/tmp/fieldcast-demo-$(sha256sum <<<"$root" | cut -c1-10)
    fi
    demo_dir=$given
    etc=$demo_dir/etc log=$demo_dir/log run=$demo_dir/run
    bin=$demo_dir/bin data=$demo_dir/data secrets=$demo_dir/secrets
    mark=$demo_dir/.fieldcast-demo
}

# Refuses a folder that is not ours to use.
folder_check() {
    [[ -e $demo_dir ]] || return 0
    [[ -d $demo_dir && ! -L $demo_dir ]] || die "$demo_dir is not a folder; set FC_DEMO_DIR to another place"
    if [[ ! -f $mark && -n $(ls -A "$demo_dir" 2>/dev/null) ]]; then
        die "$demo_dir exists and is not a Fieldcast demo; set FC_DEMO_DIR to another place"
    fi
    local owner
    owner=$(stat -c %U "$demo_dir")
    [[ $owner != "$(id -un)" ]] || return 0
    ((EUID == 0)) ||
        die "the demo in $demo_dir belongs to $owner; act as $owner (sudo) or set FC_DEMO_DIR to another place"
    # root acts as the user whose demo it is
    exec setpriv "--reuid=$owner" "--regid=$(stat -c %g "$demo_dir")" --init-groups "$here/fieldcast-local" "${arguments[@]}"
}

# Makes the folder. Only data/ belongs to the unprivileged user: programs, settings and pid
# files cannot be changed by what runs.
folder_open() {
    folder_find
    folder_check
    umask 022
    if [[ -d $data && $(stat -c %u "$data") != "$run_uid" ]]; then
        die "the data in $demo_dir belong to user $(stat -c %U "$data"), not $run_user; set FC_DEMO_USER to that one, or make demo-clean first"
    fi
    mkdir -p "$demo_dir" "$etc" "$log" "$run" "$bin" "$data" "$secrets"
    [[ -f $mark ]] || echo "made by fieldcast-local; removed by make demo-clean" >"$mark"
    ((EUID != 0)) || chown "$run_uid:$run_gid" "$data"
    chmod 700 "$data"
}

# Where to look, as people type it.
address_set() {
    address=http://$proxy_bind:${port[proxy]}
    address=${address/0.0.0.0/127.0.0.1}
}
address_set

# What a running demo listens on is kept in its folder: who looks at it or starts it again from another
# terminal need not have the same environment.
ports_keep() {
    local name
    for name in "${!port[@]}"; do echo "$name ${port[$name]}"; done >"$run/ports"
    echo "bind $proxy_bind" >>"$run/ports"
}
ports_kept() {
    local name number
    [[ -f $run/ports ]] || return 0
    while read -r name number; do
        if [[ $name == bind ]]; then proxy_bind=$number; else port[$name]=$number; fi
    done <"$run/ports"
    address_set
}
