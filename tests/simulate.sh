#!/usr/bin/env bash
# `make simulate`: the ledger, payments and flows in many short histories against a model of the provider.
#
#   SEED=n     repeats a run; without it a new one
#   STEPS=n    50 000 by default
set -euo pipefail

repo=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
bin="${CARGO_TARGET_DIR:-$repo/target}/debug"

# With the tests, as `make test` builds: the same features, so nothing is compiled twice.
(cd "$repo" && cargo build --quiet --workspace --bins --tests)
exec "$bin/simulate" "$@" </dev/null
