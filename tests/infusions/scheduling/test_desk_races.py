"""People who do different things to one day at the same moment, as real processes: book, move, check in, close ..."""

import os
import signal
import time
from collections import Counter
from itertools import pairwise

import pytest

from infusion_center.audit.models import AuditEvent
from infusion_center.core import clock
from infusions.facility.models import Shift
from infusions.orders.models import InfusionOrder
from infusions.scheduling.booking import book_appointment
from infusions.scheduling.cover import uncovered_ids
from infusions.scheduling.invariants import claim_violations, shared_lanes
from infusions.scheduling.models import Appointment
from infusions.scheduling.states import State
from tests.infusions.scheduling import test_races
from tests.infusions.scheduling.conftest import DAY, NOW, make_center
from tests.infusions.scheduling.machine_checks import snapshot
from tests.infusions.scheduling.test_races import _pid_in, daily_orders, job_of, run_job, start_job

pytestmark = [pytest.mark.race, pytest.mark.django_db(transaction=True)]

# Longer by RACE_SECONDS, as the other races; short by itself.
SECONDS = int(os.environ.get("RACE_SECONDS", "1"))


@pytest.fixture(autouse=True)
def _frozen_clock():
    """The real clock: other processes have no other. They are told what to take for now."""


@pytest.fixture
def center(db):
    return make_center(chairs=4, nurses=3)


def desk_job(center, **more) -> dict:
    starts = [center.at(f"{hour:02d}:{minute}") for hour in range(8, 15) for minute in ("00", "30")]
    job = job_of(center, daily_orders(16, infusion_minutes=60), starts, nurses=[nurse.pk for nurse in center.nurses])
    return {**job, "now": center.at("07:00").isoformat(), **more}


def race(center, roles, monkeypatch) -> Counter:
    """What was done and refused, by service."""
    monkeypatch.setattr(test_races, "PROCESSES", len(roles))
    job = desk_job(center)
    book_some(center, job)
    _, outcome = run_job(kind="desk", roles=roles, seconds=SECONDS, **job)
    done = {service.partition(":")[0] for service in outcome if service.endswith(":done")}
    assert len(done) > 1, "nobody met anybody"
    return outcome


def book_some(center, job, walls=("08:00", "08:00", "08:00", "12:00", "12:00", "12:00")) -> None:
    common = {"setting": "facility", "site": center.site, "by": center.scheduler, "now": NOW}
    for order, wall in zip(job["orders"], walls, strict=False):
        book_appointment(order=InfusionOrder.objects.get(pk=order), start=center.at(wall), **common)


def assert_nothing_is_torn(center) -> None:
    assert shared_lanes() == []
    assert claim_violations(now=NOW) == []
    events = AuditEvent.objects.filter(target_type="appointment").order_by("pk")
    lives: dict[str, list[str]] = {visit.public_id: [] for visit in Appointment.objects.all()}
    for event in events:
        lives[event.target_id].append(event.action.rpartition(".")[2])
    assert [life for life in lives.values() if life[0] != "booked" or life.count("booked") != 1] == []
    # What is here, or gone, nobody moves or re-seats any more.
    settled, late = {"begun", "finished", "cancelled"}, {"moved", "reseated", "confirmed", "checked_in"}
    assert [
        life for life in lives.values() if any(one in settled and then in late for one, then in pairwise(life))
    ] == []


def uncovered_by_hand(center) -> set[int]:
    """Visits that wait and lie in no shift of their nurse, looked at one by one."""
    waiting = Appointment.objects.filter(state__in=[State.EXPECTED, State.CONFIRMED, State.ARRIVED])
    return {
        visit.pk
        for visit in waiting
        if not Shift.objects.filter(
            nurse=visit.nurse, starts_at__lte=visit.start, ends_at__gte=visit.end, ratio__gt=visit.ratio_place
        ).exists()
    }


def test_who_moves_re_seats_checks_in_and_begins_at_once_never_tears_a_visit(center, monkeypatch):
    """No visit is moved or re-seated that has begun: read off the order in which the trail tells of it."""
    race(center, ["book", "move", "change_seat", "change_seat", "check_in", "begin", "finish", "cancel"], monkeypatch)
    assert_nothing_is_torn(center)


def test_series_single_bookings_and_re_seating_never_share_a_lane(center, monkeypatch):
    race(center, ["book_series", "book_series", "book", "move_tail", "reseat", "call_out"], monkeypatch)
    assert_nothing_is_torn(center)


def test_a_visit_booked_while_its_shift_or_day_is_taken_away_is_uncovered_and_never_lost(center, monkeypatch):
    race(center, ["book", "book", "move", "call_out", "plan_shift", "close"], monkeypatch)
    assert_nothing_is_torn(center)
    start, end = clock.day_bounds(DAY, center.site.time_zone)
    found = uncovered_ids(center.site, start, end, now=center.at("07:00"))
    # Two shifts that adjoin are as good as one: what is looked at by hand does not know that.
    assert found <= uncovered_by_hand(center)
    Shift.objects.all().delete()
    waiting = set(Appointment.objects.exclude(state=State.CANCELLED).values_list("pk", flat=True))
    assert uncovered_ids(center.site, start, end, now=center.at("07:00")) == waiting


# Killed in the middle: each act by its number of writing statements, somewhere between its first and its last

ACTS = [
    *(("book", 2), ("move", 2), ("cancel", 2), ("check_in", 1), ("call_out", 2), ("close", 1)),
    *(("book_series", 6), ("move_tail", 3), ("change_seat", 2)),
]


def test_processes_killed_in_the_middle_of_what_they_do_leave_nothing_behind(center, tmp_path):
    """One after another, since on SQLite each waits until the one before is dead."""
    job = desk_job(center, acts=ACTS, flag=str(tmp_path / "hanging"))
    book_some(center, job)
    before = snapshot()
    worker = start_job(kind="hang_at_desk", processes=len(ACTS), **job)
    try:
        waiting = {act for act, _ in ACTS}
        while waiting:
            act = next(_first_to_hang(tmp_path, waiting))
            os.kill(_pid_in(tmp_path / f"hanging-{act}"), signal.SIGKILL)
            waiting.remove(act)
    finally:
        os.killpg(worker.pid, signal.SIGKILL)  # none is left behind, whatever went wrong
        worker.wait(timeout=60)
    assert snapshot() == before
    assert_nothing_is_torn(center)
    book_some(center, {"orders": job["orders"][8:]}, ["15:00"])  # waits for the database to notice, if it has not yet
    assert Appointment.objects.count() == 7


def _first_to_hang(folder, waiting):
    until = time.monotonic() + 60
    while time.monotonic() < until:
        yield from (act for act in sorted(waiting) if (folder / f"hanging-{act}").exists())
        time.sleep(0.01)
    raise AssertionError(f"never got as far: {sorted(waiting)}")
