#!/usr/bin/env bash
# `make soak`: worker processes are killed and paused while jobs run, on each engine; each job must have its effect
# exactly once. Before that, a million steps of `make simulate`, and `make bank`; and a socket is cut a thousand times, by
# itself and while a hundred thousand events flow through a gateway, on each engine.
#
#   tests/soak.sh           10 000 jobs on each engine: some minutes
#   tests/soak.sh --short   1 000 jobs on each, for every commit
#
# SEED=n repeats the random choices of a run. DGT_SOAK_ENGINES="sqlite postgres" runs on these alone.
set -uo pipefail

repo=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
source "$repo/.services/env" || exit 1
services="$repo/tests/services/services.sh"
bin="${CARGO_TARGET_DIR:-$repo/target}/debug"
database="dgt_soak_$$"
scratch=$(mktemp -d "${TMPDIR:-/tmp}/dgt-soak.XXXXXX")
passed=0
failed=0
# With little to do they are tests like any other, for every commit.
cuts='test(random_cuts_lose_nothing) or test(a_client_cut_at_random)'

case ${1-} in
    '') options=() ;;
    --short) options=(--jobs 1000 --backlog 40 --concurrency 4 --work-ms 100 --lease-ms 1000 --kill-every-ms 500 --pause-every-ms 700 --limit-s 120) ;;
    *) sed -n '6,9s/^# *//p' "${BASH_SOURCE[0]}" >&2; exit 2 ;;
esac
if [ -n "${SEED-}" ]; then options+=(--seed "$SEED"); fi

clean_up() {
    "$services" sql postgres "DROP DATABASE IF EXISTS $database WITH (FORCE)" >/dev/null 2>&1
    "$services" sql mariadb "DROP DATABASE IF EXISTS $database" >/dev/null 2>&1
    rm -rf -- "$scratch"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

database_url() {
    case $1 in
        sqlite) echo "sqlite://$scratch/soak.db" ;;
        postgres) echo "${DGT_TEST_POSTGRES_URL%/*}/$database" ;;
        mariadb) echo "${DGT_TEST_MARIADB_URL%/*}/$database" ;;
    esac
}

run() {
    if [ "$1" != sqlite ]; then "$services" sql "$1" "CREATE DATABASE $database" || return 1; fi
    "$bin/job_crash" --url "$(database_url "$1")" "${options[@]}" </dev/null
}

# With the tests, as `make test` builds: the same features, so nothing is compiled twice.
(cd "$repo" && cargo build --workspace --bins --tests) || exit 1
# A commit has its own, shorter simulation: see .ci/run.
if [ "${1-}" != --short ]; then
    (cd "$repo" && cargo build --release --workspace --bins) || exit 1
    if "${bin%/debug}/release/simulate" --steps 1000000 </dev/null; then passed=$((passed + 1)); else failed=$((failed + 1)); fi
    if "$repo/tests/bank.sh"; then passed=$((passed + 1)); else failed=$((failed + 1)); fi
    if (cd "$repo" && SEED=${SEED:-$RANDOM} DGT_REALTIME_CUTS=1000 DGT_LIVE_EVENTS=100000 DGT_LIVE_CUTS=1000 \
        cargo nextest run --workspace --profile soak -E "$cuts"); then passed=$((passed + 1)); else failed=$((failed + 1)); fi
fi
for engine in ${DGT_SOAK_ENGINES:-sqlite postgres mariadb}; do
    if run "$engine"; then passed=$((passed + 1)); else failed=$((failed + 1)); fi
done
echo "soak: $passed passed, $failed failed"
[ "$failed" -eq 0 ]
