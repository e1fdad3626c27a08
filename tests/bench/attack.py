"""wrk against one server: requests per second, latency, and the CPU that the server and its database used."""

import json
import os
import statistics
import subprocess
from collections.abc import Callable

from processes import Database, Server
from stand import CONNECTIONS, REPO


# A request that takes longer than that is broken; wrk's own two seconds are shorter than a stall of the machine may be,
# and what is slow shows in the slowest answer's time.
PATIENCE = "10s"
# What wrk may find that is no answer as it should be; each ends the run.
FAULTS = ["refused", "not_connected", "not_sent", "cut_off", "late"]


def attack(server: Server, database: Database, script: str, env: dict[str, str], seconds: int,
           settle: Callable[[], None] = lambda: None) -> dict[str, float]:
    """One measurement of one server; what the script asks for is in the environment. The CPU counts until `settle` has
    waited for what follows the requests."""
    command = ["wrk", "-t2", f"-c{CONNECTIONS}", f"-d{seconds}s", "--timeout", PATIENCE, "-s", str(REPO / "tests/bench" / script),
               f"http://127.0.0.1:{server.port}"]
    cpu = server.cpu_seconds(), database.cpu_seconds()
    env = os.environ | env | {"BENCH_RESULT": str(REPO / "tests/bench/result.lua")}
    output = subprocess.run(command, check=True, capture_output=True, text=True, env=env).stdout
    settle()
    used = server.cpu_seconds() - cpu[0], database.cpu_seconds() - cpu[1]
    result = json.loads(next(line for line in output.splitlines() if line.startswith("RESULT "))[7:])
    if any(result[fault] for fault in FAULTS) or not result["requests"]:
        raise SystemExit(f"not every request was answered as it should: {result}")
    return {
        "requests": result["requests"],
        "per_second": result["requests"] / result["micros"] * 1e6,
        "p50_ms": result["p50"] / 1e3,
        "p99_ms": result["p99"] / 1e3,
        "slowest_ms": result["slowest"] / 1e3,
        "server_cpu_us": used[0] / result["requests"] * 1e6,
        "database_cpu_us": used[1] / result["requests"] * 1e6,
    }


def median(rounds: list[dict[str, float]]) -> dict[str, float]:
    return {key: statistics.median(one[key] for one in rounds) for key in rounds[0]}
