#!/usr/bin/env bash
# `make test`: every test on every engine. The summary is printed, and judged, whether or not a test failed.
set -uo pipefail

repo=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$repo" || exit 1
source "$repo/.services/env" || exit 1
report="${CARGO_TARGET_DIR:-$repo/target}/nextest/ci/junit.xml"
rm -f "$report"
result=0

cargo nextest run --workspace --profile ci || result=1
cargo test --workspace --doc --quiet || result=1
[ -s "$report" ] || { echo "test: nothing ran: the build failed" >&2; exit 1; }
python3 "$repo/tests/engine_summary.py" "$report" || result=1
exit "$result"
