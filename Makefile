# One line per thing to do; the scripts behind them live in tests/.

SHELL := /bin/bash
export PATH := $(CURDIR)/.tools/venv/bin:$(PATH)

.DEFAULT_GOAL := help
.PHONY: help run demo test check acceptance interop simulate bank bench fuzz soak guards mutants services services-down docs tools

help: ## print this
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: ## build and run everything on SQLite: gateway on 4000, sandbox on 4010; Ctrl-C stops it
	@exec tests/system/run.sh

demo: ## walk the main job over HTTP against `make run`, from a second terminal
	@tests/system/demo.sh

test: tools services ## every test on SQLite, PostgreSQL and MariaDB, and a summary per engine
	@tests/test.sh

check: tools ## formatting, clippy, rustdoc, licences and bans, the scripts' own tests
	cargo fmt --all --check
	cargo clippy --workspace --all-targets -- -D warnings
	RUSTDOCFLAGS='-D warnings' cargo doc --workspace --no-deps
	cargo deny check bans licenses sources
	cd tests && PYTHONDONTWRITEBYTECODE=1 python3 -m unittest --quiet engine_summary_test

acceptance: services ## the demo against a fresh system on each engine
	@tests/system/acceptance.sh

interop: services ## official client libraries against our servers
	@tests/interop/run.sh

simulate: ## money in a seeded storm against a model of the provider: SEED=n and STEPS=n repeat a run
	@tests/simulate.sh

bank: services ## money while the gateway is killed, on each engine: at every failpoint, then under load
	@tests/bank.sh

bench: services ## requests per second and CPU per request, release build
	@tests/bench/run.sh

fuzz: services ## schemathesis on the OpenAPI document, per role
	@tests/fuzz/run.sh

soak: services ## crash and pause loops over jobs, on each engine
	@tests/soak.sh

guards: services ## remove one guard at a time and show that the test named for it turns red
	@tests/guards.py

mutants: services ## change the ledger and the rules of payments in small ways, and show that tests notice
	@tests/mutants.sh

services: ## bring up the tests' PostgreSQL and MariaDB (`. .services/env` says where)
	@tests/services/services.sh up

services-down: ## stop them and drop their data
	@tests/services/services.sh down
	@tests/services/services.sh down --durable

docs: ## regenerate docs/api.md and build the rustdoc
	@tests/docs.sh

# What `test` and `check` need beyond Rust itself: cargo-nextest and cargo-deny.
tools:
	@tests/tools.sh
