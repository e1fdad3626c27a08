"""Events from one gateway to a socket of another, with Redis between them and one PostgreSQL below."""

import argparse
import contextlib
import json
import os
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

from processes import Server, free_port
from stand import BIN, TOKEN_NAMES, Engine, gateway_env

HOPS = 1_000


@contextlib.contextmanager
def redis(folder: Path) -> Iterator[str]:
    port = free_port()
    process = subprocess.Popen(
        ["redis-server", "--bind", "127.0.0.1", "--port", str(port), "--save", "", "--appendonly", "no",
         "--dir", str(folder)], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    try:
        yield f"redis://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(15)


def start(url: str, redis_url: str, folder: Path) -> Server:
    port = free_port()
    env = gateway_env(url, port) | {"DGT__REDIS__URL": redis_url}
    return Server([str(BIN / "gateway"), "serve"], port, folder, env, "/readyz")


def measure_hops(options: argparse.Namespace) -> dict:
    """The time from a request at one gateway until the event is at a socket of the other."""
    with tempfile.TemporaryDirectory(prefix="dgt-bench.") as scratch, \
            Engine("postgres", Path(scratch)) as engine, redis(Path(scratch)) as redis_url:
        folder = Path(scratch)
        engine.seed(folder)
        command = [BIN / "bench_load", "--url", engine.url, "--listings", "0", "--sellers", "1",
                   "--issuer", TOKEN_NAMES["issuer"], "--audience", TOKEN_NAMES["audience"]]
        loaded = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
        [seller] = json.loads(loaded)["boosts"]["sellers"]
        with contextlib.ExitStack() as running:
            gateways = []
            for _ in range(2):
                gateways.append(start(engine.url, redis_url, folder))
                running.callback(gateways[-1].stop)
            command = [BIN / "bench_hops", "--from", f"http://127.0.0.1:{gateways[0].port}",
                       "--to", f"http://127.0.0.1:{gateways[1].port}", "--listing", seller["listing"],
                       "--hops", str(HOPS // 10 if options.quick else HOPS)]
            said = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True,
                                  env=os.environ | {"BENCH_TOKEN": seller["token"]}).stdout
    return json.loads(said)
