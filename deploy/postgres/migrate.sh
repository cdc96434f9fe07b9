#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# migrate.sh: brings the registry's schema up to date; a one-shot step before the services.
#
#   FC_PG_CONNINFO=... (or FC_PG_CONNINFO_FILE=...) deploy/postgres/migrate.sh [FOLDER]
#
# FOLDER (default: migrations/ beside this script) holds NNN_name.sql, numbered from 001
# without a gap. Those that the database has not seen are applied in order, each in one
# transaction with its row in schema_migrations; an advisory lock lets several runs at once
# wait for each other. Forward only: a migration that was applied and has changed since is
# refused, and so is a database that is newer than the folder. FC_PG_WAIT_S (60): how long to
# wait for a server that does not answer yet.
set -euo pipefail

die() {
    printf 'migrate: %s\n' "$*" >&2
    exit 1
}

folder=${1:-$(cd "$(dirname "$0")" && pwd)/migrations}
conninfo=${FC_PG_CONNINFO:-}
if [[ -z $conninfo && -n ${FC_PG_CONNINFO_FILE:-} ]]; then
    conninfo=$(<"$FC_PG_CONNINFO_FILE") || die "cannot read FC_PG_CONNINFO_FILE ($FC_PG_CONNINFO_FILE)"
fi
[[ -n $conninfo ]] || die "FC_PG_CONNINFO or FC_PG_CONNINFO_FILE must say where the database is"

# the password must not stand on psql's command line, where every user can read it
if [[ $conninfo =~ ^(.*)(^|[[:space:]])password=([^[:space:]\']+)(.*)$ ]]; then
    export PGPASSWORD=${BASH_REMATCH[3]}
    conninfo="${BASH_REMATCH[1]} ${BASH_REMATCH[4]}"
elif [[ $conninfo =~ ^(postgres(ql)?://[^:/@]+):([^@%]+)(@.*)$ ]]; then
    export PGPASSWORD=${BASH_REMATCH[3]}
    conninfo="${BASH_REMATCH[1]}${BASH_REMATCH[4]}"
fi
export PGAPPNAME=fieldcast-migrate PGOPTIONS='-c client_min_messages=warning' PGCONNECT_TIMEOUT=5
sql() { psql -X -q -v ON_ERROR_STOP=1 -d "$conninfo" "$@"; }

wait_for_server() {
    local until=$((SECONDS + ${FC_PG_WAIT_S:-60})) why
    until why=$(sql -c 'SELECT 1' 2>&1 >/dev/null); do
        ((SECONDS < until)) || die "the database does not answer: $why"
        sleep 0.2
    done
}

# one psql session for everything, because the advisory lock belongs to the session
script() {
    local file base number sha expected=1
    cat <<'SQL'
SELECT pg_advisory_lock(4201) \g /dev/null
CREATE TABLE IF NOT EXISTS schema_migrations (
    version    int PRIMARY KEY,
    name       text NOT NULL,
    sha256     text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
SQL
    for file in "$folder"/[0-9]*.sql; do
        base=${file##*/}
        [[ $base =~ ^([0-9]{3})_([a-z0-9_]+)\.sql$ ]] || die "$base: a migration is called NNN_name.sql"
        number=$((10#${BASH_REMATCH[1]}))
        ((number == expected)) || die "$base: number $expected is the next, not $number"
        sha=$(sha256sum <"$file") && sha=${sha%% *}
        cat <<SQL
SELECT count(*) = 1 AS applied, coalesce(bool_and(sha256 = '$sha'), true) AS same
    FROM schema_migrations WHERE version = $number \gset
\if :applied
    \if :same
    \else
        DO \$\$ BEGIN RAISE EXCEPTION 'migration $base has changed since it was applied; write a new one instead'; END \$\$;
    \endif
\else
    BEGIN;
    \i '${file//\'/\'\'}'
    INSERT INTO schema_migrations (version, name, sha256) VALUES ($number, '${BASH_REMATCH[2]}', '$sha');
    COMMIT;
    \echo migrate: applied $base
\endif
SQL
        ((expected += 1))
    done
    cat <<SQL
SELECT coalesce(max(version), 0) AS newest, coalesce(max(version), 0) >= $expected AS ahead FROM schema_migrations \gset
\if :ahead
    DO \$\$ BEGIN RAISE EXCEPTION 'the database is newer than this folder of migrations, which ends at $((expected - 1))'; END \$\$;
\endif
\echo migrate: the schema is at version :newest
SQL
}

[[ -d $folder ]] || die "no folder $folder"
compgen -G "$folder/[0-9]*.sql" >/dev/null || die "no migrations in $folder"
steps=$(script)
wait_for_server
sql -f - <<<"$steps" || die "nothing more was applied; see above"
