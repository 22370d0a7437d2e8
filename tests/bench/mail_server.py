"""A mail server in a process of its own: takes everything, and tells at the end how many messages it got, and twice."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from tests.bench.server import free_port

HOST = "127.0.0.1"
MESSAGE_ID = re.compile(rb"^Message-ID: *(\S+)", re.IGNORECASE | re.MULTILINE)


class Taking:
    def __init__(self):
        self.ids: list[bytes] = []

    async def handle_DATA(self, server, session, envelope):  # the name that aiosmtpd calls
        self.ids.append(MESSAGE_ID.search(envelope.content)[1])
        return "250 taken"


class MailServer:
    """Seen from the bench."""

    def __init__(self):
        self.port = free_port()
        command = [sys.executable, "-m", "tests.bench.mail_server", str(self.port)]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        self.process.stdout.readline()

    @property
    def url(self) -> str:
        return f"smtp://{HOST}:{self.port}"

    def stop(self) -> dict:
        """taken, different: how many messages, and under how many Message-IDs."""
        if self.process.poll() is None:
            self.process.terminate()
        told, _ = self.process.communicate(timeout=20)
        return json.loads(told)


@contextmanager
def mail_server() -> Iterator[MailServer]:
    server = MailServer()
    try:
        yield server
    finally:
        if server.process.poll() is None:
            server.stop()


def serve(port: int) -> None:
    from aiosmtpd.controller import Controller

    handler, over = Taking(), []
    signal.signal(signal.SIGTERM, lambda *_: over.append(True))
    controller = Controller(handler, hostname=HOST, port=port)
    controller.start()
    print("ready", flush=True)
    while not over:
        time.sleep(0.05)
    controller.stop()
    print(json.dumps({"taken": len(handler.ids), "different": len(set(handler.ids))}), flush=True)


if __name__ == "__main__":
    serve(int(sys.argv[1]))
