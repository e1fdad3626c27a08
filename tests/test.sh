#!/usr/bin/env bash
# `make test`: every test on every engine. The summary is printed, and judged, whether or not a test failed.
set -uo pipefail

repo=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$repo" || exit 1
source "$repo/.services/env" || exit 1
# Where nextest keeps its reports, whatever CARGO_TARGET_DIR says.
reports="$repo/target/nextest/ci"
mkdir -p "$reports"
rm -f "$reports/junit.xml"
result=0

cargo nextest run --workspace --profile ci || result=1
[ -s "$reports/junit.xml" ] || { echo "test: nothing ran: the build failed" >&2; exit 1; }
cargo test --workspace --doc --quiet --no-fail-fast 2>&1 | tee "$reports/doctests.txt" || result=1
python3 "$repo/tests/engine_summary.py" "$reports/junit.xml" "$reports/doctests.txt" || result=1
exit "$result"
