#!/usr/bin/env bash
# `make mutants`: changes the ledger and the rules of payments in hundreds of small ways, one at a time, and shows that
# for each a test turns red. The working tree is not touched: the changes are made in a worktree below target/, at the
# last commit. What survives is either a missing test, or explained in .cargo/mutants.toml.
#
#   tests/mutants.sh               all of it: some hours on two cores
#   tests/mutants.sh --iterate     only what was not caught by the run before
#   tests/mutants.sh --re REGEX    only those whose name matches, as '^crates/ledger/src/poster.rs:'; any other option of
#                                  `cargo mutants` goes too (files of --file would come on top of the configured ones)
#
# The tests run on SQLite: what is changed is Rust, and the same Rust runs on all engines. What only PostgreSQL runs is
# tested there, in a second run.
set -uo pipefail

repo=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
copy="$repo/target/mutants-tree"
out="$repo/target/mutants"
version=27.1.0
fast=(crates/ledger/src/journal/{alone,at_once,batch}.rs crates/ledger/src/account/lock_free.rs)
source "$repo/.services/env" || exit 1

export PATH="$repo/.tools/venv/bin:$PATH"
if ! cargo mutants --version >/dev/null 2>&1; then
    echo "mutants: installing cargo-mutants $version"
    cargo install --locked --quiet --version "$version" --root "$repo/.tools/venv" cargo-mutants || exit 1
fi

cd "$repo" || exit 1
git worktree prune
if [ -d "$copy" ]; then git -C "$copy" checkout --quiet --detach --force "$(git rev-parse HEAD)" || exit 1
else git worktree add --quiet --detach "$copy" HEAD || exit 1; fi

# Small and quick to build, as each mutant is built anew. Databases in memory where there is room for them.
export CARGO_PROFILE_DEV_DEBUG=0 CARGO_INCREMENTAL=1 CARGO_TARGET_DIR="$repo/target/mutants-build"
if [ -w /dev/shm ]; then export TMPDIR=/dev/shm; fi

mkdir -p "$out"
failed=0
# run NAME FILTER OPTION...
run() {
    local name=$1 filter=$2
    shift 2
    cargo mutants --dir "$copy" --in-place --output "$out/$name" --test-tool nextest --colors never "$@" \
        -- --profile mutants -E "$filter" || failed=1
}
run portable 'not test(/::(postgres|mariadb)$/)' "${fast[@]/#/--exclude=}" "$@"
# By name, as files would be examined beside those of the configuration, not in their place.
names=$(IFS='|'; echo "${fast[*]}")
if [ $# -eq 0 ]; then
    run postgres 'test(/::postgres$/) or test(fast_form::) or test(several::)' --re "^(${names//./\\.}):"
fi
exit "$failed"
