#!/usr/bin/env bash
# `make acceptance`: the demo against a fresh system on each engine, on free ports, in a folder of its own. Where the engine
# has users, the gateway runs as one who may neither change nor delete history.
set -uo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/processes.sh"
source "$repo/.services/env" || exit 1

services="$repo/tests/services/services.sh"
database="dgt_acceptance_$$"
app="dgt_app_$$"
# What is written once, and a column of each.
declare -A history=(
    [audit_log]=reason [ledger_entries]=held [ledger_journals]=reason [ledger_postings]=amount [ledger_refusals]=code
    [ledger_seals]=total
)
scratch=$(mktemp -d "${TMPDIR:-/tmp}/dgt-acceptance.XXXXXX")
passed=0
failed=0

clean_up() {
    stop_system
    "$services" sql postgres "DROP DATABASE IF EXISTS $database WITH (FORCE)" >/dev/null 2>&1
    "$services" sql mariadb "DROP DATABASE IF EXISTS $database; DROP USER IF EXISTS $app" >/dev/null 2>&1
    "$services" sql postgres "DROP ROLE IF EXISTS $app" >/dev/null 2>&1
    if [ "$failed" -eq 0 ]; then rm -rf -- "$scratch"; else echo "logs are in $scratch" >&2; fi
}
# start_system ends the script when the system does not come up: that is a failure too.
trap 'clean_up' EXIT
trap 'failed=1; exit 1' INT TERM HUP

database_url() {
    case $1 in
        sqlite) echo "sqlite://data/dgt.db" ;;
        postgres) echo "${DGT_TEST_POSTGRES_URL%/*}/$database" ;;
        mariadb) echo "${DGT_TEST_MARIADB_URL%/*}/$database" ;;
    esac
}

# narrow_user ENGINE: the gateway goes on as a user with the grants that operators are told to give.
narrow_user() {
    local engine=$1 grants
    grants=$(sed -e '/^ *--/d' -e "s/dgt_app/$app/g" "$repo/migrations/grants/$engine.sql") || return 1
    if [ "$engine" = postgres ]; then
        "$services" sql postgres "CREATE ROLE $app LOGIN PASSWORD 'dgt'" || return 1
    else
        "$services" sql mariadb "CREATE USER $app IDENTIFIED BY 'dgt'" || return 1
        grants=$("$services" sql mariadb "$grants" "$database") || return 1
    fi
    "$services" sql "$engine" "$grants" "$database" || return 1
    export DGT__DATABASE__URL=${DGT__DATABASE__URL/dgt:dgt@/$app:dgt@} DGT__DATABASE__MIGRATE_AT_START=false
}

# history_is_closed ENGINE: what was written cannot be changed or deleted by that user.
history_is_closed() {
    local engine=$1 table column change said
    for table in "${!history[@]}"; do
        column=${history[$table]}
        for change in "UPDATE $table SET $column = $column" "DELETE FROM $table"; do
            said=$(DGT_SQL_USER=$app "$services" sql "$engine" "$change" "$database" 2>&1) &&
                { echo "the application's user may $change" >&2; return 1; }
            [[ $said == *denied* ]] || { echo "$change fails for another reason: $said" >&2; return 1; }
        done
    done
}

walk() {
    local engine=$1 result=0
    gateway_bind="127.0.0.1:$(free_port)" sandbox_bind="127.0.0.1:$(free_port)" smtp_bind="127.0.0.1:$(free_port)"
    log="$scratch/$engine.log"
    if [ "$engine" != sqlite ]; then "$services" sql "$engine" "CREATE DATABASE $database" || return 1; fi
    prepare_database "$scratch/$engine" "$(database_url "$engine")"
    if [ "$engine" != sqlite ]; then narrow_user "$engine" && history_is_closed "$engine" || return 1; fi
    start_processes
    run_demo || { give_log; result=1; }
    stop_system
    unset DGT__DATABASE__MIGRATE_AT_START
    return "$result"
}

# With the tests, as `make test` builds: the same features, so nothing is compiled twice.
(cd "$repo" && cargo build --workspace --bins --tests) || exit 1
for engine in sqlite postgres mariadb; do
    echo "acceptance: $engine"
    failed=$((failed + 1))
    walk "$engine" && failed=$((failed - 1)) && passed=$((passed + 1))
done
echo "acceptance: $passed passed, $failed failed"
[ "$failed" -eq 0 ]
