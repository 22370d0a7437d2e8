"""Two gunicorn workers on a free port of the loopback, and a signed-in visitor who keeps his connection open."""

from __future__ import annotations

import http.client
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlencode

HOST = "127.0.0.1"
WORKERS, THREADS = 2, 4
START_SECONDS = 60


@contextmanager
def serving() -> Iterator[int]:
    """The port. The server is stopped by its own process id at the end, whatever happened."""
    port = free_port()
    command = [
        str(Path(sys.executable).parent / "gunicorn"), "infusion_center.wsgi", "--bind", f"{HOST}:{port}",
        "--workers", str(WORKERS), "--threads", str(THREADS), "--keep-alive", "30", "--log-level", "warning",
    ]  # fmt: skip
    server = subprocess.Popen(command, env={**os.environ, "DJANGO_SETTINGS_MODULE": "tests.bench.settings"})
    try:
        wait_for(server, port)
        yield port
    finally:
        server.terminate()
        try:
            server.wait(timeout=15)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return probe.getsockname()[1]


def wait_for(server: subprocess.Popen, port: int) -> None:
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until:
        if server.poll() is not None:
            raise RuntimeError(f"gunicorn ended with {server.returncode}")
        with socket.socket() as probe:
            if probe.connect_ex((HOST, port)) == 0:
                return
        time.sleep(0.1)
    raise RuntimeError("gunicorn did not start in time")


class Visitor:
    """One browser: its session and its open connection."""

    def __init__(self, port: int, session: str):
        self.connection = http.client.HTTPConnection(HOST, port, timeout=60)
        # Any token will do that cookie and form have in common.
        self.token = "b" * 32
        self.cookies = f"sessionid={session}; csrftoken={self.token}"

    def get(self, path: str, expected: int | None = 200, **headers: str) -> bytes:
        return self._ask("GET", path, expected, headers)

    def post(self, path: str, fields: dict, expected: int = 302) -> bytes:
        body = urlencode({**fields, "csrfmiddlewaretoken": self.token})
        return self._ask("POST", path, expected, {"Content-Type": "application/x-www-form-urlencoded"}, body)

    def _ask(self, method: str, path: str, expected: int | None, headers: dict, body: str | None = None) -> bytes:
        self.connection.request(method, path, body, {"Cookie": self.cookies, **headers})
        response = self.connection.getresponse()
        content = response.read()
        if expected is not None and response.status != expected:
            raise RuntimeError(f"{method} {path}: {response.status} instead of {expected}: {content[:400]!r}")
        return content
