#!/usr/bin/env bash
# `make docs`: docs/api.md from the OpenAPI document, and the rustdoc of every crate.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

cargo build --workspace --bins --quiet
bin="${CARGO_TARGET_DIR:-target}/debug"
fresh=$(mktemp)
trap 'rm -f -- "$fresh"' EXIT
# In two steps: a document that cannot be rendered leaves the old page alone.
"$bin/gateway" openapi | PYTHONDONTWRITEBYTECODE=1 python3 tests/docs/api.py >"$fresh"
cat "$fresh" >docs/api.md
echo "docs: docs/api.md is written"
cargo doc --workspace --no-deps --quiet
echo "docs: the rustdoc is in ${CARGO_TARGET_DIR:-target}/doc"
