#!/usr/bin/env python3
"""Removes one guard at a time from a copy of the sources and shows that the test named for it turns red.

A guard is a condition that keeps a promise: take it away and the promise is broken without a compiler's word. The
working tree is never touched: the changes are made in a worktree below target/, at the last commit. Each test must be
green with its guard first: one that is red anyhow would hold nothing.
"""

import argparse
import os
import pathlib
import subprocess
import sys

REPO = pathlib.Path(__file__).resolve().parent.parent
COPY = REPO / "target" / "guards"

# What is guarded, where, the line with the guard, the line without it, and the test that must notice.
GUARDS = [
    (
        "the lease fence",
        "crates/store/src/jobs/lease.rs",
        "WHERE id = ? AND lease_owner = ? AND attempt = ?",
        "WHERE id = ? AND (lease_owner = ? OR attempt = ? OR 1 = 1)",
        "package(store) and test(a_paused_worker_cannot_finish_a_job_that_another_took)",
    ),
    (
        "the condition of the counter of guesses",
        "crates/identity/src/otp/rows.rs",
        "WHERE id = ? AND attempts < ? AND used_at IS NULL",
        "WHERE id = ? AND attempts < 1000000 + ? AND used_at IS NULL",
        "package(identity) and test(of_a_thousand_parallel_guesses_at_most_five_are_evaluated)",
    ),
    (
        "the check of the family of refresh tokens",
        "crates/identity/src/session/rules.rs",
        "if is_predecessor && now <= self.refreshed_at + config.refresh_grace {",
        "if is_predecessor || presented < self.generation {",
        "package(identity) and test(a_reused_refresh_token_ends_its_family)",
    ),
    (
        "the check of the owner",
        "crates/catalog/src/listing/edit.rs",
        ".filter(|listing| actor.is(listing.seller))",
        ".filter(|_| actor.user().is_some())",
        "package(catalog) and test(nobody_changes_somebody_elses_listing)",
    ),
    (
        "the row lock in review",
        "crates/catalog/src/listing/rows.rs",
        "listed_at, expires_at, sold_at, renew_count, version FROM listings WHERE id = ?{}\",\n        engine.for_update()",
        "listed_at, expires_at, sold_at, renew_count, version FROM listings WHERE id = ?{}\",\n        \"\"",
        "package(gateway) and test(a_seller_who_edits_waits_for_the_decision_that_is_being_made)",
    ),
]


def run(command, **options):
    return subprocess.run(command, cwd=COPY, text=True, capture_output=True, check=False, **options)


def nextest(expression):
    """Runs the tests of an expression; gives whether they passed, and what they printed."""
    env = dict(os.environ, CARGO_TARGET_DIR=str(REPO / "target"), NEXTEST_PROFILE="default")
    result = run(["cargo", "nextest", "run", "--workspace", "--no-fail-fast", "-E", expression], env=env)
    return result.returncode == 0, result.stdout + result.stderr


def without(path, guard, hole):
    text = path.read_text()
    if text.count(guard) != 1:
        sys.exit(f"{path}: the guard is not there once:\n{guard}")
    path.write_text(text.replace(guard, hole))
    return text


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("only", nargs="*", help="words of the guards to try; all of them if none is given")
    wanted = parser.parse_args().only
    subprocess.run(["git", "worktree", "remove", "--force", str(COPY)], cwd=REPO, capture_output=True, check=False)
    subprocess.run(["git", "worktree", "add", "--quiet", "--detach", str(COPY), "HEAD"], cwd=REPO, check=True)
    services = REPO / ".services"
    (COPY / ".services").symlink_to(services)
    passed = failed = 0
    try:
        chosen = [guard for guard in GUARDS if not wanted or any(word in guard[0] for word in wanted)]
        if not chosen:
            sys.exit(f"no guard is called {' or '.join(wanted)}")
        are_green, output = nextest(" or ".join(f"({guard[-1]})" for guard in chosen))
        if not are_green:
            sys.exit(f"the tests are red with all guards in place\n{output[-2000:]}")
        for name, file, guard, hole, expression in chosen:
            kept = without(COPY / file, guard, hole)
            stays_green, output = nextest(expression)
            (COPY / file).write_text(kept)
            red = [line.split()[-1] for line in output.splitlines() if line.lstrip().startswith(("FAIL", "TIMEOUT"))]
            if stays_green or not red:
                failed += 1
                print(f"NOT HELD  {name}: {expression} stays green without it\n{output[-2000:]}", flush=True)
            else:
                passed += 1
                print(f"held      {name}: without it, red is {', '.join(sorted(set(red)))}", flush=True)
    finally:
        subprocess.run(["git", "worktree", "remove", "--force", str(COPY)], cwd=REPO, check=False)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
