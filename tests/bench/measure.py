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
from processes import Database, Server, free_port

REPO = Path(__file__).resolve().parents[2]
BIN = Path(os.environ["BENCH_BIN"])
SERVICES = REPO / "tests/services/services.sh"
CONNECTIONS = 32
# Filled in by a server for each answer, or by the floor's own HTTP layer.
NOT_CAPTURED = {"date", "content-length", "transfer-encoding", "connection"}


def sql(engine: str, statement: str) -> None:
    """One statement in the durable server."""
    subprocess.run([SERVICES, "sql", engine, statement, "--durable"], check=True, stdout=subprocess.DEVNULL)


class Engine:
    """A fresh database on an engine, gone again at the end."""

    def __init__(self, name: str, folder: Path):
        self.name = name
        self.schema = f"dgt_bench_{os.getpid()}"
        root = Path(os.environ["BENCH_DATA_ROOT"])
        if name == "sqlite":
            self.url, self.database = f"sqlite://{folder}/dgt.db", Database(None)
            self.title = "SQLite"
        elif name == "postgres":
            self.url = os.environ["DGT_TEST_POSTGRES_URL"].rsplit("/", 1)[0] + f"/{self.schema}"
            self.database = Database(root / "postgres/data/postmaster.pid")
            self.title = "PostgreSQL " + os.environ["DGT_TEST_POSTGRES_VERSION"].split()[0]
        else:
            self.url = os.environ["DGT_TEST_MARIADB_URL"].rsplit("/", 1)[0] + f"/{self.schema}"
            self.database = Database(root / "mariadb/mariadbd.pid")
            self.title = "MariaDB " + os.environ["DGT_TEST_MARIADB_VERSION"].split("-")[0]

    def __enter__(self) -> "Engine":
        if self.name != "sqlite":
            sql(self.name, f"CREATE DATABASE {self.schema}")
        return self

    def __exit__(self, *_: object) -> None:
        if self.name != "sqlite":
            force = " WITH (FORCE)" if self.name == "postgres" else ""
            sql(self.name, f"DROP DATABASE {self.schema}{force}")


def gateway_env(url: str, port: int) -> dict[str, str]:
    return {
        "DGT__DATABASE__URL": url,
        "DGT__SERVER__BIND": f"127.0.0.1:{port}",
        "DGT__RATE_LIMIT__ENABLED": "false",
        "DGT__LOG__FILTER": "warn",
    }


def start_gateway(url: str, folder: Path) -> Server:
    port = free_port()
    return Server([str(BIN / "gateway"), "serve"], port, folder, gateway_env(url, port), "/readyz")


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
    env = os.environ | gateway_env(engine.url, 0)
    for command in (["migrate"], ["seed"]):
        subprocess.run([BIN / "gateway", *command], cwd=folder, env=env, check=True, stdout=subprocess.DEVNULL)
    loaded = subprocess.run(
        [BIN / "bench_load", "--url", engine.url, "--listings", str(listings)],
        check=True, stdout=subprocess.PIPE, text=True)
    facts = json.loads(loaded.stdout)
    if engine.name == "postgres":
        vacuum(engine.url)
    return {
        "/api/listings": [
            f"/api/listings?categoryId={one['category']}&minPrice={one['minPrice']}&maxPrice={one['maxPrice']}&limit=20"
            for one in facts["filters"]
        ],
        "/api/listings/{id}": [f"/api/listings/{listing}" for listing in facts["listings"]],
        "/api/categories/tree": ["/api/categories/tree"],
    }


def vacuum(url: str) -> None:
    """What autovacuum does within a minute of such a load; the run must not depend on when."""
    psql = next(Path("/usr/lib/postgresql").glob("*/bin/psql"), Path("psql"))
    subprocess.run([psql, "--no-psqlrc", "--quiet", "--command=VACUUM (ANALYZE)", url], check=True)


def attack(server: Server, database: Database, paths: Path, seconds: int) -> dict[str, float]:
    """One measurement of one server."""
    def wrk(duration: int) -> dict[str, float]:
        command = ["wrk", "-t2", f"-c{CONNECTIONS}", f"-d{duration}s", "-s", str(REPO / "tests/bench/requests.lua"),
                   f"http://127.0.0.1:{server.port}"]
        output = subprocess.run(
            command, check=True, capture_output=True, text=True, env=os.environ | {"BENCH_PATHS": str(paths)}).stdout
        return json.loads(next(line for line in output.splitlines() if line.startswith("RESULT "))[7:])

    cpu = server.cpu_seconds(), database.cpu_seconds()
    result = wrk(seconds)
    used = server.cpu_seconds() - cpu[0], database.cpu_seconds() - cpu[1]
    if result["refused"] or result["broken"] or not result["requests"]:
        raise SystemExit(f"not every request was answered 200: {result}")
    return {
        "per_second": result["requests"] / result["micros"] * 1e6,
        "p50_ms": result["p50"] / 1e3,
        "p99_ms": result["p99"] / 1e3,
        "server_cpu_us": used[0] / result["requests"] * 1e6,
        "database_cpu_us": used[1] / result["requests"] * 1e6,
    }


def median(rounds: list[dict[str, float]]) -> dict[str, float]:
    return {key: statistics.median(one[key] for one in rounds) for key in rounds[0]}


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
    rounds: dict[str, list] = {"gateway": [], "floor": []}
    for server, database in ((gateway, engine.database), (floor, Database(None))):
        attack(server, database, file, options.warm_up)
    for number in range(options.rounds):
        for name, server, database in (
                ("gateway", gateway, engine.database), ("floor", floor, Database(None))):
            rounds[name].append(attack(server, database, file, options.seconds))
        print(f"bench: {engine.title} {route}: round {number + 1} of {options.rounds}", flush=True)
    return {name: median(figures) | {"rounds": figures} for name, figures in rounds.items()}


def measure_start(options: argparse.Namespace) -> dict:
    """Start-up to ready, and memory when idle, on a seeded SQLite database."""
    with tempfile.TemporaryDirectory(prefix="dgt-bench.") as scratch:
        folder = Path(scratch)
        url = f"sqlite://{folder}/dgt.db"
        env = os.environ | gateway_env(url, 0)
        for command in (["migrate"], ["seed"]):
            subprocess.run([BIN / "gateway", *command], cwd=folder, env=env, check=True, stdout=subprocess.DEVNULL)
        starts, resident = [], []
        for _ in range(options.starts):
            server = start_gateway(url, folder)
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
    results = {"start": measure_start(options)}
    results["engines"] = {name: measure_engine(name, options) for name in options.engines.split(",")}
    options.out.mkdir(parents=True, exist_ok=True)
    file = options.out / "results.json"
    file.write_text(json.dumps(results, indent=2))
    print(report.table(results, options))
    print(f"bench: details in {file}")


if __name__ == "__main__":
    main()
