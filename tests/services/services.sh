#!/usr/bin/env bash
# The database servers the tests talk to: private to this checkout, on 127.0.0.1, on ports chosen at start.
#
#   services.sh up [--durable]                       start what is not running; write the env file
#   services.sh down [--durable]                     stop, and give the disk or memory back
#   services.sh env [--durable]                      print the exports (`source` the file, or `eval` this)
#   services.sh restart postgres|mariadb [--durable] clean stop and start, same data, same port
#   services.sh kill postgres|mariadb [--durable]    SIGKILL, as a crash test wants; `up` brings it back
#   services.sh sql postgres|mariadb STATEMENT [DATABASE]   run statements, in the database `dgt` if none is named
#
# The plain variant keeps its data in memory where it can and never syncs: it is thrown away at `down`.
# DGT_SQL_USER is the user that `sql` runs as, `dgt` if it is not set; the password is `dgt` for everybody.
# `--durable` is a second pair of servers on disk that keep what they committed, for benches and crash tests.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
repo=$(cd "$here/../.." && pwd)
source "$repo/tests/ports.sh"
source "$here/common.sh"
source "$here/postgres.sh"
source "$here/mariadb.sh"
source "$here/provide.sh"

usage() {
    sed -n '4,9s/^# *//p' "${BASH_SOURCE[0]}" >&2
    exit 2
}

write_env() {
    local temporary="$state/env.$$"
    cat >"$temporary" <<ENV
export DGT_TEST_POSTGRES_URL='postgres://dgt:dgt@127.0.0.1:$1/dgt'
export DGT_TEST_MARIADB_URL='mysql://dgt:dgt@127.0.0.1:$2/dgt'
export DGT_TEST_POSTGRES_VERSION='$3'
export DGT_TEST_MARIADB_VERSION='$4'
ENV
    mv "$temporary" "$state/env"
}

up_native() {
    choose_data_root
    local service
    for service in postgres mariadb; do
        if running "$service" && "${service}_answers"; then
            say "$service is up on 127.0.0.1:$(port_of "$service")"
        else
            start "$service"
        fi
    done
    write_env "$(port_of postgres)" "$(port_of mariadb)" "$(postgres_version)" "$(mariadb_version)"
}

up() {
    mkdir -p "$state"
    lock
    if ! binaries_present; then
        provide_binaries || { up_compose && return; } || explain_missing
    fi
    up_native
    say "source ${state#"$repo"/}/env"
}

down() {
    [ -d "$state" ] || return 0
    lock
    down_compose
    recall_data_root || return 0
    local service
    for service in postgres mariadb; do
        stop "$service"
    done
    rm -rf -- "$data_root" "$state/env" "$state/data-root"
    say "down"
}

known_service() {
    case ${1-} in postgres | mariadb) recall_data_root || die "nothing is up" ;; *) usage ;; esac
}

command=${1-}
[ $# -gt 0 ] && shift
service=''
statement=''
database=dgt
variant=fast
for argument in "$@"; do
    case $argument in
        --durable) variant=durable ;;
        -*) usage ;;
        *)
            if [ -z "$service" ]; then service=$argument
            elif [ -z "$statement" ]; then statement=$argument
            else database=$argument; fi
            ;;
    esac
done
choose_variant "$variant"

case $command in
    up) up ;;
    down) down ;;
    env) cat "$state/env" 2>/dev/null || die "nothing is up: run 'make services'" ;;
    restart)
        known_service "$service"
        lock
        stop "$service"
        start "$service"
        ;;
    kill)
        known_service "$service"
        running "$service" && kill -KILL "$(pid_of "$service")"
        ;;
    sql)
        if [ -e "$state/compose" ]; then compose_query "$service" "$statement" "$database"; exit; fi
        known_service "$service"
        "${service}_query" "$statement" "$database"
        ;;
    *) usage ;;
esac
