#!/usr/bin/env bash
# `make bank`: money on each engine while the gateway dies. First it dies at each failpoint of a top-up and a refund in
# turn, then under 32 clients every one to three seconds, by SIGKILL.
#
#   tests/bank.sh                    five minutes of clients on each engine, against a release build
#   tests/bank.sh --short            20 seconds on each, for every commit, against the debug build that the tests have
#                                    made anyway: a release build takes a cold machine longer than the whole run
#   tests/bank.sh --gateway PATH     against this gateway
#
# SEED=n repeats the random choices of a run. DGT_BANK_ENGINES="sqlite postgres" runs on these alone.
set -uo pipefail

repo=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
source "$repo/.services/env" || exit 1
services="$repo/tests/services/services.sh"
targets="${CARGO_TARGET_DIR:-$repo/target}"
database="dgt_bank_$$"
scratch=$(mktemp -d "${TMPDIR:-/tmp}/dgt-bank.XXXXXX")
seconds=300
gateway=''
passed=0
failed=0

usage() { sed -n '5,8s/^# *//p' "${BASH_SOURCE[0]}" >&2; exit 2; }

while [ $# -gt 0 ]; do
    case $1 in
        --short) seconds=20 gateway="${gateway:-$targets/debug/gateway}" ;;
        --gateway) gateway=${2:?}; shift ;;
        *) usage ;;
    esac
    shift
done
options=(--seconds "$seconds")
if [ -n "${SEED-}" ]; then options+=(--seed "$SEED"); fi

drop_databases() {
    "$services" sql postgres "DROP DATABASE IF EXISTS $database WITH (FORCE)" >/dev/null 2>&1
    "$services" sql mariadb "DROP DATABASE IF EXISTS $database" >/dev/null 2>&1
}
clean_up() {
    drop_databases
    if [ "$failed" -eq 0 ]; then rm -rf -- "$scratch"; else echo "logs are in $scratch" >&2; fi
}
trap clean_up EXIT
trap 'failed=1; exit 130' INT
trap 'failed=1; exit 143' TERM HUP
# An abort at a failpoint is meant, and nobody reads its core.
ulimit -c 0

database_url() {
    case $1 in
        sqlite) echo "sqlite://$2/bank.db" ;;
        postgres) echo "${DGT_TEST_POSTGRES_URL%/*}/$database" ;;
        mariadb) echo "${DGT_TEST_MARIADB_URL%/*}/$database" ;;
    esac
}

# run ENGINE PROGRAM OPTION...: on an empty database, in a folder of its own.
run() {
    local engine=$1 program=$2 folder="$scratch/$1-$2"
    shift 2
    mkdir -p "$folder"
    drop_databases
    if [ "$engine" != sqlite ]; then "$services" sql "$engine" "CREATE DATABASE $database" || return 1; fi
    "$targets/debug/$program" --url "$(database_url "$engine" "$folder")" --gateway "$gateway" --folder "$folder" \
        "$@" </dev/null
}

count() { if "$@"; then passed=$((passed + 1)); else failed=$((failed + 1)); fi; }

# With the tests, as `make test` builds: the same features, so nothing is compiled twice.
(cd "$repo" && cargo build --workspace --bins --tests) || exit 1
if [ -z "$gateway" ]; then
    (cd "$repo" && cargo build --release --workspace --bins) || exit 1
    gateway="$targets/release/gateway"
fi
for engine in ${DGT_BANK_ENGINES:-sqlite postgres mariadb}; do
    count run "$engine" money_crash
    count run "$engine" bank_test "${options[@]}"
done
echo "bank: $passed passed, $failed failed"
[ "$failed" -eq 0 ]
