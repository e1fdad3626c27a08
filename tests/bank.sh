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
    local program
    for program in money_crash bank_test; do
        "$services" sql postgres "DROP DATABASE IF EXISTS ${database}_$program WITH (FORCE)" >/dev/null 2>&1
        "$services" sql mariadb "DROP DATABASE IF EXISTS ${database}_$program" >/dev/null 2>&1
    done
}
clean_up() {
    local left
    left=$(jobs -p)
    # shellcheck disable=SC2086 # a list of pids
    if [ -n "$left" ]; then kill $left 2>/dev/null; wait $left 2>/dev/null; fi
    drop_databases
    if [ "$failed" -eq 0 ]; then rm -rf -- "$scratch"; else echo "logs are in $scratch" >&2; fi
}
trap clean_up EXIT
trap 'failed=1; exit 130' INT
trap 'failed=1; exit 143' TERM HUP
# An abort at a failpoint is meant, and nobody reads its core.
ulimit -c 0

# database_url ENGINE PROGRAM
database_url() {
    case $1 in
        sqlite) echo "sqlite://$scratch/$1-$2/bank.db" ;;
        postgres) echo "${DGT_TEST_POSTGRES_URL%/*}/${database}_$2" ;;
        mariadb) echo "${DGT_TEST_MARIADB_URL%/*}/${database}_$2" ;;
    esac
}

# run ENGINE PROGRAM OPTION...: on an empty database, in a folder of its own.
run() {
    local engine=$1 program=$2 folder="$scratch/$1-$2"
    mkdir -p "$folder"
    if [ "$engine" != sqlite ]; then
        "$services" sql "$engine" "CREATE DATABASE ${database}_$program" || return 1
    fi
    exec "$targets/debug/$program" --url "$(database_url "$engine" "$program")" --gateway "$gateway" \
        --folder "$folder" "${@:3}" </dev/null
}

# start ENGINE PROGRAM OPTION...: in the background; `finish ENGINE PROGRAM` waits, and prints what it said.
start() { (run "$@") >"$scratch/$1-$2.out" 2>&1 & pids[$1]=$!; }
finish() {
    if wait "${pids[$1]}"; then passed=$((passed + 1)); else failed=$((failed + 1)); fi
    cat "$scratch/$1-$2.out"
}

# With the tests, as `make test` builds: the same features, so nothing is compiled twice.
(cd "$repo" && cargo build --workspace --bins --tests) || exit 1
if [ -z "$gateway" ]; then
    (cd "$repo" && cargo build --release --workspace --bins) || exit 1
    gateway="$targets/release/gateway"
fi
# shellcheck disable=SC2206 # a list of words
engines=(${DGT_BANK_ENGINES:-sqlite postgres mariadb})
declare -A pids
# What waits for deaths and restarts leaves the machine idle, so the engines go at once; load gets it for itself.
for engine in "${engines[@]}"; do start "$engine" money_crash; done
for engine in "${engines[@]}"; do finish "$engine" money_crash; done
for engine in "${engines[@]}"; do
    start "$engine" bank_test "${options[@]}"
    finish "$engine" bank_test
done
echo "bank: $passed passed, $failed failed"
[ "$failed" -eq 0 ]
