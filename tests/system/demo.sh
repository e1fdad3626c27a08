#!/usr/bin/env bash
# `make demo`: walks the main job over HTTP against the system that `make run` started.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/processes.sh"

answers "$gateway_bind" /livez || die "nothing answers on $gateway_bind: start the system with 'make run' first"
(cd "$repo" && cargo build --workspace --bins --quiet)
run_demo
