"""Deliveries to Socket.IO sockets in one room, beside the official server in the same rounds; memory per idle socket; and
what one socket that does not read does to the others.

What counts is deliveries per second of the server's CPU: the client is the same for both, and on a small machine it takes
its part of what is measured per second.
"""

import argparse
import json
import os
import resource
import statistics
import subprocess
import tempfile
from pathlib import Path

from processes import Server, free_port
from stand import BIN

IN_FLIGHT = [1, 4, 16]
REPO = Path(__file__).resolve().parents[2]
NODE_MODULES = REPO / ".tools/socketio_node/node_modules"
# Beside one descriptor for each socket.
SPARE_DESCRIPTORS = 200


# Of the measurement with a stuck reader. The cap is low so that it is reached within a round: it is the bytes that count.
STUCK_SOCKETS = 1_000
STUCK_IN_FLIGHT = 4
STUCK_MAX_QUEUE = 16 * 1024
# What the kernel takes before it: as little as over a network, where it would be a megabyte within one machine.
STUCK_SEND_BUFFER = 16 * 1024


def start(name: str, folder: Path, *arguments: str) -> Server:
    port = free_port()
    if name == "ours":
        command = [str(BIN / "examples/bench_server"), "--bind", f"127.0.0.1:{port}",
                   "--workers", str(len(os.sched_getaffinity(0))), *arguments]
    else:
        command = ["node", str(Path(__file__).with_name("socketio_server.js")), str(port)]
    return Server(command, port, folder, {"NODE_PATH": str(NODE_MODULES)}, "/ready")


def once(name: str, sockets: int, folder: Path, options: argparse.Namespace) -> dict:
    server = start(name, folder)
    try:
        command = [BIN / "bench_sockets", "--address", f"127.0.0.1:{server.port}",
                   "--server-pid", str(server.process.pid), "--sockets", str(sockets),
                   "--in-flight", ",".join(map(str, IN_FLIGHT)), "--seconds", str(options.seconds),
                   "--warm-up", str(options.warm_up)]
        return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)
    finally:
        server.stop()


def median(rounds: list[dict]) -> dict:
    middle = lambda values: statistics.median(list(values))
    results = [
        {key: middle(one["results"][at][key] for one in rounds)
         for key in ("per_second", "per_cpu_second", "p50_ms", "p99_ms")} | {"in_flight": in_flight}
        for at, in_flight in enumerate(IN_FLIGHT)
    ]
    return {"results": results, "rounds": rounds} | {
        key: middle(one[key] for one in rounds) for key in ("idle_kib_per_socket", "loaded_kib_per_socket")}


def raise_descriptors() -> int:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard


def measure_stuck(options: argparse.Namespace) -> dict:
    """The time until the last of a thousand sockets has a broadcast, with and without one more that does not read."""
    raise_descriptors()
    with tempfile.TemporaryDirectory(prefix="dgt-bench.") as scratch:
        server = start("ours", Path(scratch), "--max-queue", str(STUCK_MAX_QUEUE),
                       "--send-buffer", str(STUCK_SEND_BUFFER))
        try:
            command = [BIN / "bench_stuck", "--address", f"127.0.0.1:{server.port}", "--sockets", str(STUCK_SOCKETS),
                       "--in-flight", str(STUCK_IN_FLIGHT), "--seconds", str(options.seconds),
                       "--warm-up", str(options.warm_up), "--rounds", str(options.rounds)]
            measured = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)
        finally:
            server.stop()
    rounds = measured["rounds"]
    middle = lambda key: statistics.median(one[key] for one in rounds)
    return measured | {
        "alone_p99_ms": middle("alone_p99_ms"), "beside_p99_ms": middle("beside_p99_ms"),
        "cuts": sum(one["was_cut"] for one in rounds), "max_queue": STUCK_MAX_QUEUE, "in_flight": STUCK_IN_FLIGHT}


def measure_sockets(options: argparse.Namespace) -> dict:
    if not NODE_MODULES.is_dir():
        raise SystemExit("bench: the official server is missing: run.sh installs it")
    hard = raise_descriptors()
    measured = {}
    for sockets in options.sockets:
        if hard != resource.RLIM_INFINITY and hard < sockets + SPARE_DESCRIPTORS:
            raise SystemExit(f"bench: {sockets} sockets want {sockets + SPARE_DESCRIPTORS} file descriptors, not {hard}")
        rounds: dict[str, list[dict]] = {"ours": [], "node": []}
        with tempfile.TemporaryDirectory(prefix="dgt-bench.") as scratch:
            for number in range(options.rounds):
                for name, figures in rounds.items():
                    figures.append(once(name, sockets, Path(scratch), options))
                print(f"bench: {sockets} sockets: round {number + 1} of {options.rounds}", flush=True)
        measured[str(sockets)] = {name: median(figures) for name, figures in rounds.items()}
    return measured
