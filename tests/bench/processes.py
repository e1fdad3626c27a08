"""The processes under measurement: started, awaited, read from /proc, stopped by pid."""

import contextlib
import http.client
import os
import socket
import subprocess
import time
from pathlib import Path

TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


class Server:
    """A server of ours on a free port, from its start until `stop`."""

    def __init__(self, command: list[str], port: int, folder: Path, env: dict[str, str], ready: str):
        self.port = port
        began = time.monotonic()
        with (folder / "server.log").open("ab") as log:
            self.process = subprocess.Popen(
                command, cwd=folder, env=os.environ | env, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        while not self._answers(ready):
            if self.process.poll() is not None or time.monotonic() - began > 30:
                self.stop()
                raise SystemExit(f"{command[0]} is not ready:\n{(folder / 'server.log').read_text()[-3000:]}")
            time.sleep(0.002)
        self.seconds_to_ready = time.monotonic() - began

    def _answers(self, path: str) -> bool:
        with contextlib.suppress(OSError, http.client.HTTPException):
            return self.get(path)[0] == 200
        return False

    def get(self, path: str) -> tuple[int, list[tuple[str, str]], bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        with contextlib.closing(connection):
            connection.request("GET", path)
            response = connection.getresponse()
            return response.status, response.getheaders(), response.read()

    def cpu_seconds(self) -> float:
        return cpu_seconds(self.process.pid)

    def resident_mib(self) -> float:
        for line in Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) / 1024
        raise RuntimeError("no VmRSS")

    def stop(self) -> None:
        self.process.terminate()
        try:
            self.process.wait(15)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def stat_fields(pid: int) -> list[str]:
    """The fields of /proc/<pid>/stat after the name, which may itself hold blanks: state is the first."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()


def cpu_seconds(pid: int) -> float:
    fields = stat_fields(pid)
    return (int(fields[11]) + int(fields[12])) / TICKS_PER_SECOND


class Database:
    """CPU time of a database server: of its processes, and of those that have ended meanwhile."""

    def __init__(self, pid_file: Path | None):
        self.pid = int(pid_file.read_text().split()[0]) if pid_file else None

    def cpu_seconds(self) -> float:
        if self.pid is None:
            return 0.0
        # cutime and cstime: children that the server has waited for.
        total = cpu_seconds(self.pid) + sum(map(int, stat_fields(self.pid)[13:15])) / TICKS_PER_SECOND
        for entry in Path("/proc").iterdir():
            # A process may end while we look.
            with contextlib.suppress(OSError, IndexError):
                if entry.name.isdigit() and int(stat_fields(int(entry.name))[1]) == self.pid:
                    total += cpu_seconds(int(entry.name))
        return total
