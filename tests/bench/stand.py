"""What every measurement stands on: the programs, a fresh database on an engine, and a gateway that serves it."""

import contextlib
import os
import sqlite3
import subprocess
import time
from pathlib import Path

from processes import Database, Server, free_port

REPO = Path(__file__).resolve().parents[2]
BIN = Path(os.environ["BENCH_BIN"])
SERVICES = REPO / "tests/services/services.sh"
CONNECTIONS = 32
# Whom access tokens name: tokens that are made here are good for the gateway that is started here.
TOKEN_NAMES = {"issuer": "bench", "audience": "bench-api"}


def sql(engine: str, statement: str, database: str = "dgt") -> str:
    """One statement in the durable server, and what it answered."""
    command = [SERVICES, "sql", engine, statement, database, "--durable"]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def postgres_program(name: str) -> Path:
    """A program of PostgreSQL's, beside the server's if it is there."""
    return next(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), Path(name))


class Engine:
    """A fresh database on an engine, gone again at the end."""

    _made = 0

    def __init__(self, name: str, folder: Path):
        Engine._made += 1
        self.name = name
        self.schema = f"dgt_bench_{os.getpid()}_{Engine._made}"
        root = Path(os.environ["BENCH_DATA_ROOT"])
        if name == "sqlite":
            self.url, self.database = f"sqlite://{folder}/{self.schema}.db", Database(None)
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

    def seed(self, folder: Path) -> None:
        env = os.environ | gateway_env(self.url, 0)
        for command in (["migrate"], ["seed"]):
            subprocess.run([BIN / "gateway", *command], cwd=folder, env=env, check=True, stdout=subprocess.DEVNULL)

    def settle(self) -> None:
        """Waits until no event waits to be told: what follows a request is a part of what it costs."""
        began = time.monotonic()
        while self._waiting_events():
            if time.monotonic() - began > 60:
                raise SystemExit("events wait to be told, a minute after the last request")
            time.sleep(0.1)

    def _waiting_events(self) -> bool:
        waits = "SELECT 1 FROM outbox_events WHERE due_at IS NOT NULL LIMIT 1"
        if self.name != "sqlite":
            return bool(sql(self.name, waits, self.schema).strip())
        with contextlib.closing(sqlite3.connect(self.url.removeprefix("sqlite://"))) as database:
            return database.execute(waits).fetchone() is not None

    def vacuum(self) -> None:
        """What autovacuum does within a minute of being filled; the run must not depend on when."""
        if self.name == "postgres":
            psql = postgres_program("psql")
            subprocess.run([psql, "--no-psqlrc", "--quiet", "--command=VACUUM (ANALYZE)", self.url], check=True)


def gateway_env(url: str, port: int) -> dict[str, str]:
    return {
        "DGT__DATABASE__URL": url,
        "DGT__SERVER__BIND": f"127.0.0.1:{port}",
        "DGT__RATE_LIMIT__ENABLED": "false",
        "DGT__LOG__FILTER": "warn",
        "DGT__AUTH__ISSUER": TOKEN_NAMES["issuer"],
        "DGT__AUTH__AUDIENCE": TOKEN_NAMES["audience"],
    }


def start_gateway(url: str, folder: Path) -> Server:
    port = free_port()
    return Server([str(BIN / "gateway"), "serve"], port, folder, gateway_env(url, port), "/readyz")
