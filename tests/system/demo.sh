#!/usr/bin/env bash
# `make demo`: walks the main job over HTTP against the system that `make run` started, then verifies its ledger.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/processes.sh"

answers "$gateway_bind" /livez || die "nothing answers on $gateway_bind: start the system with 'make run' first"
(cd "$repo" && cargo build --workspace --bins --quiet)
export DGT__DATABASE__URL=${DGT__DATABASE__URL:-sqlite://data/dgt.db}
run_demo
