# shellcheck shell=bash disable=SC2034,SC2154 # names shared between these files
# SPDX-License-Identifier: GPL-3.0-or-later
# secrets: tokens and passwords, made at random at the first start and kept.
#   secrets/tokens.txt     the tokens themselves, "role token" a line, for people
#   secrets/tokens         "role sha256" a line: what the services read (FC_TOKENS_FILE)
#   secrets/service_token  what the services show each other
#   secrets/pg_*           passwords and the connection text of Postgres

random_hex() { od -An -vtx1 -N"$1" /dev/urandom | tr -d ' \n'; }

# secret_write NAME: standard input into a file that only the unprivileged user can read
secret_write() {
    (umask 077 && cat >"$secrets/.$1.new")
    ((EUID != 0)) || chown "$run_uid:$run_gid" "$secrets/.$1.new"
    mv "$secrets/.$1.new" "$secrets/$1"
}

secrets_make() {
    local role token clear='' hashed=''
    if [[ ! -s $secrets/pg_password ]]; then
        random_hex 24 | secret_write pg_admin_password
        random_hex 24 | secret_write pg_password
    fi
    # the port may be another than last time
    secret_write pg_conninfo <<<"host=$bind port=${port[pg]} dbname=fieldcast user=fieldcast password=$(<"$secrets/pg_password")"
    [[ ! -s $secrets/tokens.txt ]] || return 0
    for role in viewer operator admin service; do
        token=$(random_hex 32)
        clear+="$role $token"$'\n'
        hashed+="$role $(printf %s "$token" | sha256sum | cut -d' ' -f1)"$'\n'
        if [[ $role == service ]]; then secret_write service_token <<<"$token"; fi
    done
    secret_write tokens <<<"${hashed%$'\n'}"
    secret_write tokens.txt <<<"${clear%$'\n'}"
    # where nobody runs it, the person who may read the tokens is root
    if ((EUID == 0)) && [[ $run_user == nobody ]]; then chown 0:0 "$secrets/tokens.txt"; fi
}
