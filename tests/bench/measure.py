"""Measures the release gateway beside the floor; called by run.sh, which builds and starts what this needs.

Every figure is the median of interleaved rounds (gateway, floor, gateway, floor, …), so that a slow minute of the
machine falls on both. CPU per request comes from /proc and holds still when requests per second do not.
"""

import argparse
import json
import os
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

import report
from attack import attack, median
from hops import measure_hops
from money import measure_money
from processes import Database, Server, free_port
from sockets import measure_sockets, measure_stuck
from stand import BIN, Engine, gateway_env, start_gateway

# Filled in by a server for each answer, or by the floor's own HTTP layer.
NOT_CAPTURED = {"date", "content-length", "transfer-encoding", "connection"}


def start_floor(gateway: Server, requests: dict[str, list[str]], folder: Path) -> Server:
    """The floor answers what the gateway answers to the first request of each kind."""
    answers = {}
    for route, paths in requests.items():
        status, headers, body = gateway.get(paths[0])
        if status != 200:
            raise SystemExit(f"GET {paths[0]} is answered {status}: {body[:500]!r}")
        kept = [(name, value) for name, value in headers if name.lower() not in NOT_CAPTURED]
        answers[route] = {"headers": kept, "body": body.decode()}
    (folder / "answers.json").write_text(json.dumps(answers))
    port = free_port()
    command = [str(BIN / "bench_floor"), "--bind", f"127.0.0.1:{port}", "--answers", str(folder / "answers.json"),
               "--workers", str(len(os.sched_getaffinity(0)))]
    return Server(command, port, folder, {}, "/api/categories/tree")


def prepare(engine: Engine, folder: Path, listings: int) -> dict[str, list[str]]:
    """Fills the database; gives the paths to ask for, by route."""
    engine.seed(folder)
    loaded = subprocess.run(
        [BIN / "bench_load", "--url", engine.url, "--listings", str(listings)],
        check=True, stdout=subprocess.PIPE, text=True)
    facts = json.loads(loaded.stdout)
    engine.vacuum()
    return {
        "/api/listings": [
            f"/api/listings?categoryId={one['category']}&minPrice={one['minPrice']}&maxPrice={one['maxPrice']}&limit=20"
            for one in facts["filters"]
        ],
        "/api/listings/{id}": [f"/api/listings/{listing}" for listing in facts["listings"]],
        "/api/categories/tree": ["/api/categories/tree"],
    }


def measure_engine(name: str, options: argparse.Namespace) -> dict:
    with tempfile.TemporaryDirectory(prefix="dgt-bench.") as scratch, Engine(name, Path(scratch)) as engine:
        folder = Path(scratch)
        print(f"bench: {engine.title}: loading {options.listings} listings", flush=True)
        requests = prepare(engine, folder, options.listings)
        gateway = start_gateway(engine.url, folder)
        try:
            floor = start_floor(gateway, requests, folder)
            try:
                results = {
                    route: measure_route(route, paths, gateway, floor, engine, folder, options)
                    for route, paths in requests.items()
                }
            finally:
                floor.stop()
            resident = gateway.resident_mib()
        finally:
            gateway.stop()
    return {"title": engine.title, "routes": results, "resident_after_mib": resident}


def measure_route(route: str, paths: list[str], gateway: Server, floor: Server, engine: Engine, folder: Path,
                  options: argparse.Namespace) -> dict:
    file = folder / "paths"
    file.write_text("\n".join(paths))
    env = {"BENCH_PATHS": str(file)}
    rounds: dict[str, list] = {"gateway": [], "floor": []}
    for server, database in ((gateway, engine.database), (floor, Database(None))):
        attack(server, database, "requests.lua", env, options.warm_up)
    for number in range(options.rounds):
        for name, server, database in (
                ("gateway", gateway, engine.database), ("floor", floor, Database(None))):
            rounds[name].append(attack(server, database, "requests.lua", env, options.seconds))
        print(f"bench: {engine.title} {route}: round {number + 1} of {options.rounds}", flush=True)
    return {name: median(figures) | {"rounds": figures} for name, figures in rounds.items()}


def measure_start(options: argparse.Namespace) -> dict:
    """Start-up to ready, and memory when idle, on a seeded SQLite database."""
    with tempfile.TemporaryDirectory(prefix="dgt-bench.") as scratch:
        folder = Path(scratch)
        engine = Engine("sqlite", folder)
        engine.seed(folder)
        starts, resident = [], []
        for _ in range(options.starts):
            server = start_gateway(engine.url, folder)
            try:
                starts.append(server.seconds_to_ready)
                time.sleep(3)
                resident.append(server.resident_mib())
            finally:
                server.stop()
    return {
        "ready_s": statistics.median(starts), "idle_resident_mib": statistics.median(resident),
        "starts_s": starts, "residents_mib": resident,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description="Measures the release gateway.")
    parser.add_argument("--engines", default="postgres,sqlite", help="also: mariadb")
    parser.add_argument("--only", choices=["start", "lists", "money", "realtime"], help="one part; all by default")
    parser.add_argument("--sockets", type=lambda text: [int(one) for one in text.split(",")], default=[500, 5_000],
                        help="in one room; a measurement for each")
    parser.add_argument("--listings", type=int, default=10_000)
    parser.add_argument("--seconds", type=int, default=10, help="of each measurement")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--warm-up", type=int, default=3)
    parser.add_argument("--starts", type=int, default=5)
    parser.add_argument("--quick", action="store_true", help="one short round: shows that it runs, measures little")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    if options.quick:
        options.seconds, options.rounds, options.warm_up, options.starts = 2, 1, 1, 2
    engines = options.engines.split(",")
    results: dict[str, dict] = {}
    if options.only in (None, "start"):
        results["start"] = measure_start(options)
    if options.only in (None, "lists"):
        results["engines"] = {name: measure_engine(name, options) for name in engines}
    if options.only in (None, "money"):
        results["money"] = {name: measure_money(name, options) for name in engines}
    if options.only in (None, "realtime"):
        results["realtime"] = measure_sockets(options)
        results["stuck"] = measure_stuck(options)
        results["hops"] = measure_hops(options)
    options.out.mkdir(parents=True, exist_ok=True)
    file = options.out / "results.json"
    file.write_text(json.dumps(results, indent=2))
    print(report.table(results, options))
    print(f"bench: details in {file}")


if __name__ == "__main__":
    main()
