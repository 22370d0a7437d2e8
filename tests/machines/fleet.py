"""Web, worker and beat processes as several machines run them, and a browser that may ask any of the webs."""

import json
import os
import sys
import urllib.error
import urllib.parse
import urllib.request
from http.cookiejar import CookieJar
from pathlib import Path

from tests.faults.processes import Program, free_port
from tests.infusions.reminders.conftest import wait_for

BIN = Path(sys.executable).parent


class Fleet:
    def __init__(self, folder: Path, **settings: str):
        self._folder, self._programs = folder, {}
        self._env = {
            **os.environ,
            **settings,
            "DJANGO_SETTINGS_MODULE": "infusion_center.settings",
            "DEBUG": "true",
            "READ_DOT_ENV": "false",
            "REMINDER_LEASE_SECONDS": "5",
            "REMINDER_SCAN_SECONDS": "2",
        }

    def start_web(self, name: str) -> str:
        """Its address. One process that answers, and the one that looks after it."""
        address = f"127.0.0.1:{free_port()}"
        self._run(name, "gunicorn", "infusion_center.wsgi", "--bind", address, "--workers", "1", "--threads", "4")
        return f"http://{address}"

    def start_workers(self, count: int) -> None:
        for number in range(count):
            options = ("--pool", "prefork", "--concurrency", "1", "--hostname", f"{number}@fleet")
            self._run(f"worker-{number}", "celery", "--app", "infusion_center", "worker", *options)

    def start_beats(self, count: int) -> None:
        for number in range(count):
            schedule = str(self._folder / f"beat-{number}")
            self._run(f"beat-{number}", "celery", "--app", "infusion_center", "beat", "--pidfile=", "-s", schedule)

    def kill(self, name: str) -> None:
        """kill -9, the whole group."""
        self._programs[name].kill()

    @property
    def dead(self) -> set[str]:
        return {name for name, program in self._programs.items() if program.is_dead}

    def stop(self) -> None:
        for program in self._programs.values():
            program.kill()

    def _run(self, name: str, program: str, *arguments: str) -> None:
        self._programs[name] = Program(name, [str(BIN / program), *arguments], self._env, self._folder)


class Browser:
    """Keeps its cookies whichever web answers, as behind a proxy."""

    def __init__(self):
        self._cookies = CookieJar()
        self._opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(self._cookies))

    def get(self, address: str) -> tuple[int, str]:
        return self._ask(address)

    def post(self, address: str, **fields: str) -> tuple[int, str]:
        token = next(cookie.value for cookie in self._cookies if cookie.name == "csrftoken")
        return self._ask(address, urllib.parse.urlencode({**fields, "csrfmiddlewaretoken": token}).encode())

    def sign_in(self, web: str, email: str, password: str) -> tuple[int, str]:
        self.get(f"{web}/accounts/login/")
        return self.post(f"{web}/accounts/login/", login=email, password=password)

    def _ask(self, address: str, body: bytes | None = None) -> tuple[int, str]:
        try:
            with self._opener.open(address, body, timeout=30) as response:
                return response.status, response.read().decode()
        except urllib.error.HTTPError as refused:
            return refused.code, refused.read().decode()


def wait_until_up(*webs: str) -> None:
    for web in webs:
        wait_for(lambda web=web: is_up(web), what=web)


def is_up(web: str) -> bool:
    try:
        with urllib.request.urlopen(f"{web}/health/live", timeout=5) as response:
            return response.status == 200
    except (OSError, json.JSONDecodeError):
        return False
