#!/usr/bin/env bash
# `make acceptance`: the demo against a fresh system on each engine, on free ports, in a folder of its own.
set -uo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/processes.sh"
source "$repo/.services/env" || exit 1

services="$repo/tests/services/services.sh"
database="dgt_acceptance_$$"
scratch=$(mktemp -d "${TMPDIR:-/tmp}/dgt-acceptance.XXXXXX")
passed=0
failed=0

clean_up() {
    stop_system
    "$services" sql postgres "DROP DATABASE IF EXISTS $database WITH (FORCE)" >/dev/null 2>&1
    "$services" sql mariadb "DROP DATABASE IF EXISTS $database" >/dev/null 2>&1
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

walk() {
    local engine=$1 result=0
    gateway_bind="127.0.0.1:$(free_port)" sandbox_bind="127.0.0.1:$(free_port)" smtp_bind="127.0.0.1:$(free_port)"
    log="$scratch/$engine.log"
    if [ "$engine" != sqlite ]; then "$services" sql "$engine" "CREATE DATABASE $database" || return 1; fi
    start_system "$scratch/$engine" "$(database_url "$engine")"
    run_demo || { give_log; result=1; }
    stop_system
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
