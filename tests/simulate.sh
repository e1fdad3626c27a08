#!/usr/bin/env bash
# `make simulate`: the ledger, payments and flows in many short histories against a model of the provider.
#
#   SEED=n     repeats a run; without it a new one
#   STEPS=n    50 000 by default
#   tests/simulate.sh --ci    a seed of the commit's own, so that each commit sees another run and the same one each time
set -euo pipefail

repo=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
bin="${CARGO_TARGET_DIR:-$repo/target}/debug"

if [ "${1-}" = --ci ]; then
    shift
    SEED=$((16#$(git -C "$repo" rev-parse --short=8 HEAD)))
    export SEED
fi

# With the tests, as `make test` builds: the same features, so nothing is compiled twice.
(cd "$repo" && cargo build --quiet --workspace --bins --tests)
exec "$bin/simulate" "$@" </dev/null
