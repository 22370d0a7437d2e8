"""The application as it is served: gunicorn on a free port of the loopback, each answer a line of its log."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.bench.server import HOST, free_port, wait_for

# Status, method, path, who asked: scanners name themselves in their agent.
FORMAT = "%(s)s\t%(m)s\t%(U)s\t%(a)s"
WORKERS, THREADS = 2, 4


@dataclass(frozen=True)
class Instance:
    port: int
    log: Path

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}"

    @property
    def headers(self) -> dict[str, str]:
        """What the proxy says of every request; and where forms came from, which a browser would say over https."""
        return {"X-Forwarded-Proto": "https", "Origin": f"https://{HOST}:{self.port}"}

    def answers(self) -> list[tuple[int, str, str, str]]:
        lines = [line.split("\t") for line in self.log.read_text().splitlines() if line.count("\t") == 3]
        return [(int(status), method, path, agent) for status, method, path, agent in lines]


@contextmanager
def serving(folder: Path, application: str = "infusion_center.wsgi", **env: str) -> Iterator[Instance]:
    port, log = free_port(), folder / f"{application}.log"
    log.touch()
    command = [
        str(Path(sys.executable).parent / "gunicorn"),
        application,
        "--bind",
        f"{HOST}:{port}",
        "--log-level",
        "critical",
        "--workers",
        str(WORKERS),
        "--threads",
        str(THREADS),
        "--keep-alive",
        "30",
        "--access-logfile",
        str(log),
        "--access-logformat",
        FORMAT,
    ]
    server = subprocess.Popen(command, env={**os.environ, **env})
    try:
        wait_for(server, port)
        yield Instance(port, log)
    finally:
        server.terminate()
        try:
            server.wait(timeout=10)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()
