"""What the audit trail costs: a chart with and without its event, sealing and checking, pages of a million events."""

from __future__ import annotations

import datetime as dt
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from unittest.mock import patch

from django.test import Client
from django.urls import reverse

from infusion_center.accounts.models import User
from infusion_center.audit.models import AuditEvent
from infusion_center.audit.queries import SORTS
from infusion_center.audit.sealing import seal_pending, unsealed
from infusion_center.audit.verifying import Walk, walk_on
from infusion_center.core import clock
from patients.models import Patient
from tests.bench.ground import analyze, hurried
from tests.bench.measuring import Result, Row, measure
from tests.factories.accounts import force_login

PHASE = "audit trail"
IN_PROCESS = "in process"
# Auditing may make a chart page so much dearer.
OVERHEAD = 1.15
CHUNK = 10_000


@dataclass(frozen=True)
class TrailSize:
    rounds: int
    sealed: int  # events that are sealed and checked
    events: int  # in the trail while its pages are measured
    turns: int


FULL = TrailSize(rounds=300, sealed=100_000, events=1_000_000, turns=20)
QUICK = TrailSize(rounds=60, sealed=20_000, events=50_000, turns=5)


def results(size: TrailSize, staff: dict[str, User], say: Callable[[str], None]) -> Iterator[Result]:
    yield from overhead(size, staff["nurse"])
    say("Chart with and without its event measured")
    yield from chain(size, staff)
    say("Sealing and checking measured")
    write_events(size.events - size.sealed, staff)
    analyze()
    say(f"{size.events:,} events in the trail")
    yield from pages(size, staff["manager"])


def overhead(size: TrailSize, user: User) -> Iterator[Result]:
    client, patient = Client(), Patient.objects.visible_to(user).order_by("pk").first()
    force_login(client, user)
    address = reverse("patients:patient-detail", args=[patient.public_id])

    def ask():
        assert client.get(address).status_code == 200

    def ask_silently():
        with without_events():
            ask()

    rows = [
        Row("chart without its event", IN_PROCESS, ask_silently, is_floor=True),
        Row("chart with its event", IN_PROCESS, ask, OVERHEAD),
    ]
    yield from measure(PHASE, rows, size.rounds)
    # On a busy machine waiting hides what the event costs; its processor time does not change.
    spent = [statistics.median(processor_times(call, size.rounds)) for call in (ask_silently, ask)]
    name = "processor time of the chart with its event, to without"
    yield Result(PHASE, name, milliseconds=spent[1] * 1000, ratio=spent[1] / spent[0], goal=OVERHEAD)


def processor_times(call: Callable[[], None], rounds: int) -> Iterator[float]:
    for _ in range(rounds):
        began = time.process_time()
        call()
        yield time.process_time() - began


@contextmanager
def without_events() -> Iterator[None]:
    """Everything but the row: neither its code is computed nor is it written."""
    with patch.object(AuditEvent, "save", lambda self, **options: None):
        yield


def chain(size: TrailSize, staff: dict[str, User]) -> Iterator[Result]:
    began = time.perf_counter()
    write_events(size.sealed, staff)
    yield rate("events written in bulk a second", size.sealed, began)
    began = time.perf_counter()
    sealed = seal_pending(seconds=3600)
    yield rate(f"events sealed a second ({sealed:,} at once)", sealed, began)
    walk, began = Walk(), time.perf_counter()
    walk_on(walk, {})
    seconds = time.perf_counter() - began
    yield rate(f"events checked a second ({walk.links:,} in {seconds:.1f} s)", walk.links, began)
    yield Result(PHASE, "faults found in the untouched trail", count=walk.findings, goal=0)
    yield Result(PHASE, "events left unsealed", count=unsealed().count(), goal=0)
    began = time.perf_counter()
    seal_pending()
    milliseconds = (time.perf_counter() - began) * 1000
    yield Result(PHASE, "a sealing run with nothing to seal", milliseconds=milliseconds)


def rate(name: str, number: int, began: float) -> Result:
    return Result(PHASE, name, count=round(number / (time.perf_counter() - began)))


@hurried()
def write_events(number: int, staff: dict[str, User]) -> None:
    """As years leave them: five people, all patients, kinds as they come, one every twenty seconds."""
    patients, people = list(Patient.objects.values_list("public_id", flat=True)), list(staff.values())
    actions = "chart.opened list.opened dose.rate_changed appointment.booked staff.signed_in order.signed".split()
    start = clock.now() - dt.timedelta(days=365)
    for first in range(0, number, CHUNK):
        AuditEvent.objects.bulk_create(
            [
                AuditEvent(
                    at=start + dt.timedelta(seconds=20 * at),
                    action=actions[at % len(actions)],
                    actor_id=people[at % len(people)].pk,
                    actor_name=people[at % len(people)].full_name,
                    target_type="patient",
                    target_id=patients[at * 7 % len(patients)],
                    target_name="Patient",
                    patient_id=patients[at * 7 % len(patients)] if at % 3 else "",
                    detail={"what": "chart"},
                    address="10.0.0.9",
                    path="patients/<slug:patient_id>/",
                    device="Firefox 128, Windows",
                )
                for at in range(first, min(first + CHUNK, number))
            ],
            batch_size=1000,
        )


def pages(size: TrailSize, user: User) -> Iterator[Result]:
    """Each way to look at the trail; the unfiltered page by date is what the others are compared with."""
    client = Client()
    force_login(client, user)
    patient = Patient.objects.visible_to(user).order_by("pk").last().public_id
    day = (clock.now() - dt.timedelta(days=180)).date()
    queries = {f"sorted by {sort}": f"?sort={sort}" for sort in SORTS} | {
        "of a patient": f"?patient={patient}",
        "of a person": f"?person={user.public_id}",
        "of a day": f"?day={day}",
        "of a kind": "?action=order",
        "of a device nobody has": "?device=nobody",
        "page 150": "?page=150",
    }
    for name, query in queries.items():
        yield Result(PHASE, f"trail of {size.events:,}, {name}", milliseconds=page_time(client, query, size.turns))


def page_time(client: Client, query: str, turns: int) -> float:
    times = []
    for _ in range(turns):
        began = time.perf_counter()
        assert client.get(f"{reverse('audit:trail')}{query}").status_code == 200
        times.append(time.perf_counter() - began)
    return sorted(times)[len(times) // 2] * 1000
