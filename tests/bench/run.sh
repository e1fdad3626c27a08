#!/usr/bin/env bash
# `make bench`: requests per second, latency and CPU per request of the release gateway, beside a bare server that
# answers the same bytes in the same run; journals per second beside pgbench or the bare statements; boosts per second;
# deliveries to Socket.IO sockets beside the official server, beside one that does not read, and from gateway to gateway.
# See measure.py for the options, such as --quick, --engines and --only money.
set -euo pipefail

repo=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
cd "$repo"

if ! command -v wrk >/dev/null; then
    if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
        echo "bench: wrk is missing: install the package wrk" >&2
        exit 1
    fi
    apt-get install -y --no-install-recommends wrk >/dev/null
fi

# Servers that keep what they commit: a database that never syncs would flatter us.
tests/services/services.sh up --durable
source .services/durable/env
export BENCH_DATA_ROOT
BENCH_DATA_ROOT=$(cat .services/durable/data-root)
# The official Socket.IO server, as tests/interop names it.
modules=.tools/socketio_node
if ! cmp -s tests/interop/socketio_node/package-lock.json "$modules/package-lock.json"; then
    rm -rf "$modules"
    mkdir -p "$modules"
    cp tests/interop/socketio_node/package{,-lock}.json "$modules/"
    npm --prefix "$modules" ci --no-audit --no-fund --ignore-scripts --loglevel=error >/dev/null
fi
cargo build --release --workspace --bin gateway --bin bench_floor --bin bench_load --bin bench_ledger --bin bench_sockets \
    --bin bench_stuck --bin bench_hops --bin sandbox
# Apart: examples have the features of tests, and with these everything else would be built once more.
cargo build --release --package realtime --example bench_server
export BENCH_BIN="${CARGO_TARGET_DIR:-$repo/target}/release" PYTHONDONTWRITEBYTECODE=1
exec python3 tests/bench/measure.py --out "${CARGO_TARGET_DIR:-$repo/target}/bench" "$@"
