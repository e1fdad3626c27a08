#!/usr/bin/env bash
# Runs official client libraries of other companies against what we built, to prove that we speak their protocols.
#
#   tests/interop/run.sh             every suite
#   tests/interop/run.sh twilio_sdk  only this one
#
# SANDBOX_BIN   a sandbox that is already built; without it one is built
# GATEWAY_BIN   a gateway that is already built; without it one is built
# ECHO_BIN      the echo example of crates/realtime that is already built; without it one is built
#
# A suite is a function suite_NAME below, listed in SUITES. It prints `N passed, M failed` as its last line and exits
# with an error when anything failed. By then these are up: $SANDBOX_URL, $SANDBOX_SMTP. A suite of Socket.IO starts
# $REALTIME_URL and $REALTIME_RECOVERY_URL.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
repo=$(cd "$here/../.." && pwd)
source "$repo/tests/python.sh"
SUITES=(twilio_sdk razorpay_sdk razorpay_node socketio_node socketio_gateway socketio_python socketio_python_gateway)

started=()
work=$(mktemp -d)
trap stop_all EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

say() { printf '%s\n' "$*" >&2; }

stop_all() {
    for pid in "${started[@]}"; do
        kill "$pid" 2>/dev/null || continue
        wait "$pid" 2>/dev/null || true
    done
    rm -rf "$work"
}

free_ports() {
    python3 - "$1" <<'PYTHON'
import socket, sys
sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(int(sys.argv[1]))]
print(*(s.getsockname()[1] for s in sockets))
PYTHON
}

# wait_for URL LOG PID: until the URL answers.
wait_for() {
    for _ in $(seq 100); do
        if ! kill -0 "$3" 2>/dev/null; then
            break
        fi
        if python3 -c 'import sys, urllib.request; urllib.request.urlopen(sys.argv[1], timeout=1)' "$1" 2>/dev/null; then
            return
        fi
        sleep 0.1
    done
    say "nothing answers at $1:"
    cat "$2" >&2
    return 1
}

start_sandbox() {
    local bin=${SANDBOX_BIN:-} http smtp
    if [[ -z $bin ]]; then
        (cd "$repo" && cargo build --quiet --workspace --bin sandbox)
        bin=${CARGO_TARGET_DIR:-$repo/target}/debug/sandbox
    fi
    read -r http smtp < <(free_ports 2)
    export SANDBOX_URL=http://127.0.0.1:$http SANDBOX_SMTP=127.0.0.1:$smtp
    export DGT__SANDBOX__TWILIO_ACCOUNT_SID=AC0123456789abcdef0123456789abcdef
    export DGT__SANDBOX__TWILIO_AUTH_TOKEN=interop-auth-token
    export DGT__SANDBOX__RAZORPAY_KEY_ID=rzp_test_Interop0000001
    export DGT__SANDBOX__RAZORPAY_KEY_SECRET=interop-key-secret
    export DGT__SANDBOX__RAZORPAY_WEBHOOK_SECRET=interop-webhook-secret
    # Refunds stay pending, and webhooks go where a suite sends them: nobody listens at port 1.
    export DGT__SANDBOX__RAZORPAY_REFUND_DELAY_MS=3600000
    export DGT__SANDBOX__RAZORPAY_WEBHOOK_URL=http://127.0.0.1:1/
    "$bin" --bind "127.0.0.1:$http" --smtp-bind "127.0.0.1:$smtp" >"$work/sandbox.log" 2>&1 &
    started+=($!)
    wait_for "$SANDBOX_URL/livez" "$work/sandbox.log" "$!"
}

suite_twilio_sdk() {
    local python
    python=$(python_with twilio==9.13.0)
    "$python" "$here/twilio_sdk.py"
}

suite_razorpay_sdk() {
    local python
    python=$(python_with razorpay==2.0.1)
    "$python" "$here/razorpay_sdk.py"
}

# node_modules NAME: the folder with what the suite's lock file names.
node_modules() {
    local modules=$repo/.tools/$1
    if ! cmp -s "$here/$1/package-lock.json" "$modules/package-lock.json"; then
        rm -rf "$modules"
        mkdir -p "$modules"
        cp "$here/$1"/package{,-lock}.json "$modules/"
        if ! npm --prefix "$modules" ci --no-audit --no-fund --ignore-scripts --loglevel=error >&2; then
            rm -rf "$modules"
            return 1
        fi
    fi
    printf '%s\n' "$modules/node_modules"
}

# The echo example twice, plain and keeping what a client missed. Its clients may be slow to start on a busy machine, so
# they have longer for a pong than in the protocols' own test suites.
start_echo() {
    if [[ -n ${REALTIME_URL:-} ]]; then return; fi
    local bin=${ECHO_BIN:-} plain recovering
    if [[ -z $bin ]]; then
        (cd "$repo" && cargo build --quiet --workspace --example echo)
        bin=${CARGO_TARGET_DIR:-$repo/target}/debug/examples/echo
    fi
    read -r plain recovering < <(free_ports 2)
    export REALTIME_URL=http://127.0.0.1:$plain REALTIME_RECOVERY_URL=http://127.0.0.1:$recovering
    "$bin" --port "$plain" --ping-timeout 2000 >"$work/echo.log" 2>&1 &
    started+=($!)
    wait_for "$REALTIME_URL/engine.io/?EIO=4&transport=polling" "$work/echo.log" "$!"
    "$bin" --port "$recovering" --ping-timeout 2000 --recovery >"$work/echo-recovery.log" 2>&1 &
    started+=($!)
    wait_for "$REALTIME_RECOVERY_URL/engine.io/?EIO=4&transport=polling" "$work/echo-recovery.log" "$!"
}

# The gateway on a database of its own, with the sandbox for its messages.
start_gateway() {
    if [[ -n ${GATEWAY_URL:-} ]]; then return; fi
    local bin=${GATEWAY_BIN:-} port
    if [[ -z $bin ]]; then
        (cd "$repo" && cargo build --quiet --workspace --bin gateway)
        bin=${CARGO_TARGET_DIR:-$repo/target}/debug/gateway
    fi
    read -r port < <(free_ports 1)
    export GATEWAY_URL=http://127.0.0.1:$port
    mkdir -p "$work/gateway/data"
    (
        cd "$work/gateway"
        export DGT__SERVER__BIND=127.0.0.1:$port DGT__DATABASE__URL=sqlite://data/dgt.db DGT__RATE_LIMIT__ENABLED=false
        export DGT__SMTP__URL=smtp://$SANDBOX_SMTP DGT__TWILIO__BASE_URL=$SANDBOX_URL DGT__RAZORPAY__BASE_URL=$SANDBOX_URL
        "$bin" migrate && "$bin" seed --admin-phone +919000000001
        exec "$bin" serve
    ) >"$work/gateway.log" 2>&1 &
    started+=($!)
    wait_for "$GATEWAY_URL/readyz" "$work/gateway.log" "$!"
}

suite_razorpay_node() {
    NODE_PATH=$(node_modules razorpay_node) node "$here/razorpay_node/sdk.js"
}

suite_socketio_node() {
    start_echo
    NODE_PATH=$(node_modules socketio_node) node "$here/socketio_node/client.js"
}

suite_socketio_gateway() {
    start_gateway
    NODE_PATH=$(node_modules socketio_node) node "$here/socketio_node/gateway.js"
}

suite_socketio_python_gateway() {
    local python
    start_gateway
    python=$(python_with python-socketio==5.18.1 aiohttp==3.14.5)
    "$python" "$here/socketio_gateway.py"
}

suite_socketio_python() {
    local python
    start_echo
    python=$(python_with python-socketio==5.18.1 aiohttp==3.14.5)
    "$python" "$here/socketio_python.py"
}

if (($# > 0)); then
    for name in "$@"; do
        if ! declare -F "suite_$name" >/dev/null; then
            say "there is no suite $name; there are: ${SUITES[*]}"
            exit 2
        fi
    done
    SUITES=("$@")
fi

start_sandbox
passed=0 failed=0
for name in "${SUITES[@]}"; do
    say "== $name"
    status=0
    "suite_$name" >"$work/$name.out" 2>"$work/$name.err" || status=$?
    cat "$work/$name.err" >&2
    cat "$work/$name.out"
    if [[ $(tail -n 1 "$work/$name.out") =~ ^([0-9]+)\ passed,\ ([0-9]+)\ failed$ ]]; then
        passed=$((passed + BASH_REMATCH[1]))
        failed=$((failed + BASH_REMATCH[2]))
        # An error that no test tells of is a failure all the same.
        if ((status != 0 && BASH_REMATCH[2] == 0)); then
            failed=$((failed + 1))
        fi
    else
        say "$name ended without its count (exit status $status)"
        failed=$((failed + 1))
    fi
done
printf '%d passed, %d failed\n' "$passed" "$failed"
((failed == 0 && passed > 0))
