"""Journals per second through the ledger, beside what the engine does for the asking; boosts over HTTP; and webhooks.

On PostgreSQL the measure is pgbench's TPC-B, on the same server in the same rounds; on SQLite the bare statements.
Every database is fresh, and each figure comes with a proof: bench_ledger ends with an error unless every journal that
was acknowledged is there, once, and the books are right.
"""

import argparse
import json
import re
import statistics
import subprocess
import tempfile
import uuid
from pathlib import Path

from attack import attack, median
from stand import BIN, CONNECTIONS, TOKEN_NAMES, Engine, postgres_program, start_gateway
from webhooks import measure_webhooks

TPC_B_SCALE = 10
TPC_B = "tpc-b"
# What bench_ledger can post; the first of each is what the others are held against.
FORMS = {
    "postgres": [TPC_B, "single", "poster", "spread", "hot"],
    "mariadb": ["single", "poster", "spread", "hot"],
    "sqlite": ["bare", "single", "poster"],
}
# Enough that no two connections want the same seller's wallet at once.
SELLERS = 4 * CONNECTIONS


def pgbench(*arguments: str) -> str:
    command = [str(postgres_program("pgbench")), *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


class TpcB:
    """pgbench's tables, in a database of their own."""

    def __init__(self, folder: Path):
        self.engine = Engine("postgres", folder)

    def __enter__(self) -> "TpcB":
        self.engine.__enter__()
        pgbench("--initialize", "--quiet", f"--scale={TPC_B_SCALE}", self.engine.url)
        return self

    def __exit__(self, *exception: object) -> None:
        self.engine.__exit__(*exception)

    def per_second(self, seconds: int) -> float:
        said = pgbench(f"--client={CONNECTIONS}", "--jobs=2", f"--time={seconds}", "--protocol=simple", self.engine.url)
        return float(re.search(r"^tps = ([0-9.]+)", said, re.MULTILINE)[1])


def journals_per_second(name: str, form: str, folder: Path, options: argparse.Namespace) -> float:
    with Engine(name, folder) as engine:
        command = [BIN / "bench_ledger", "measure", "--url", engine.url, "--form", form, "--callers", str(CONNECTIONS),
                   "--warm-up", str(options.warm_up), "--seconds", str(options.seconds)]
        measured = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)
    return measured["journals"] / measured["seconds"]


def measure_journals(name: str, folder: Path, options: argparse.Namespace) -> dict:
    if name != "postgres":
        return journal_rounds(name, None, folder, options)
    with TpcB(folder) as tpc_b:
        tpc_b.per_second(options.warm_up)
        return journal_rounds(name, tpc_b, folder, options)


def journal_rounds(name: str, tpc_b: TpcB | None, folder: Path, options: argparse.Namespace) -> dict:
    rounds: dict[str, list[float]] = {form: [] for form in FORMS[name]}
    for number in range(options.rounds):
        for form, figures in rounds.items():
            figures.append(tpc_b.per_second(options.seconds) if form == TPC_B
                           else journals_per_second(name, form, folder, options))
        print(f"bench: journals on {name}: round {number + 1} of {options.rounds}", flush=True)
    return {form: {"per_second": statistics.median(figures), "rounds": figures} for form, figures in rounds.items()}


def measure_boosts(engine: Engine, folder: Path, options: argparse.Namespace) -> dict:
    """Boosts per second, each of another seller's listing, and the CPU of one, with the notifications that follow from it:
    server and database."""
    engine.seed(folder)
    command = [BIN / "bench_load", "--url", engine.url, "--listings", "0", "--sellers", str(SELLERS),
               "--issuer", TOKEN_NAMES["issuer"], "--audience", TOKEN_NAMES["audience"]]
    loaded = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    boosts = json.loads(loaded)["boosts"]
    engine.vacuum()
    file = folder / "sellers"
    file.write_text("".join(
        f"/api/listings/{seller['listing']}/boost {seller['token']}\n" for seller in boosts["sellers"]))
    body = json.dumps({"planId": boosts["plan"]})

    def once(seconds: int) -> dict[str, float]:
        env = {"BENCH_SELLERS": str(file), "BENCH_BODY": body, "BENCH_KEY": uuid.uuid4().hex}
        return attack(gateway, engine.database, "boosts.lua", env, seconds, engine.settle)

    gateway = start_gateway(engine.url, folder)
    try:
        warm_up = once(options.warm_up)
        rounds = []
        for number in range(options.rounds):
            rounds.append(once(options.seconds))
            print(f"bench: boosts on {engine.title}: round {number + 1} of {options.rounds}", flush=True)
    finally:
        gateway.stop()
    acknowledged = sum(one["requests"] for one in [warm_up, *rounds])
    # wrk leaves with a request under way on each connection.
    unanswered = CONNECTIONS * (1 + len(rounds))
    subprocess.run([BIN / "bench_ledger", "check-boosts", "--url", engine.url, "--acknowledged", str(acknowledged),
                    "--unanswered", str(unanswered)], check=True, stdout=subprocess.DEVNULL)
    return median(rounds) | {"rounds": rounds}


def measure_money(name: str, options: argparse.Namespace) -> dict:
    with tempfile.TemporaryDirectory(prefix="dgt-bench.") as scratch:
        folder = Path(scratch)
        journals = measure_journals(name, folder, options)
        with Engine(name, folder) as engine:
            boosts = measure_boosts(engine, folder, options)
    webhooks = measure_webhooks(name)
    return {"title": engine.title, "measure": FORMS[name][0], "journals": journals, "boosts": boosts,
            "webhooks": webhooks}
