"""Sixteen real processes, each with its own connection, against one database of the engine under test."""

import datetime as dt
import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.db import connection

from infusion_center.audit.models import AuditEvent
from infusions.scheduling.booking import book_appointment
from infusions.scheduling.invariants import claim_violations, shared_lanes, unstaffed_visits
from infusions.scheduling.models import Appointment, Claim
from tests.factories.facility import make_chair
from tests.factories.orders import make_order
from tests.infusions.scheduling.conftest import DAY, NOW, make_center

pytestmark = [pytest.mark.race, pytest.mark.django_db(transaction=True)]

PROCESSES = 16
# RACE_SECONDS=60 for a long one.
SECONDS = int(os.environ.get("RACE_SECONDS", "10"))


@pytest.fixture(autouse=True)
def _frozen_clock():
    """The real clock: other processes have no other. They are told what to take for now."""


def database_url() -> str:
    """The test database, as DATABASE_URL for another process."""
    name = connection.settings_dict["NAME"]
    if connection.vendor == "sqlite":
        return f"sqlite:///{Path(name).resolve()}"
    return urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{name}").geturl()


def start_job(**job) -> subprocess.Popen:
    command = [sys.executable, "-m", "tests.infusions.scheduling.race_worker", json.dumps(job)]
    environment = {
        **os.environ,
        "DATABASE_URL": database_url(),
        "DJANGO_SETTINGS_MODULE": "infusion_center.settings_test",
    }
    return subprocess.Popen(
        command, cwd=settings.BASE_DIR, env=environment, stdout=subprocess.PIPE, text=True, start_new_session=True
    )


def run_job(**job) -> tuple[list[int], Counter]:
    """Visits that were booked, and refusals by code. Any other error fails the test."""
    worker = start_job(processes=PROCESSES, **job)
    lines, _ = worker.communicate(timeout=SECONDS + 200)
    assert worker.returncode == 0
    results = [json.loads(line) for line in lines.splitlines()]
    assert len(results) == PROCESSES
    assert [error for result in results for error in result["errors"]] == []
    refused: Counter = Counter()
    for result in results:
        refused.update(result["refused"])
    return [pk for result in results for pk in result["booked"]], refused


def job_of(center, orders, starts, **more) -> dict:
    return {
        "site": center.site.pk,
        "by": center.scheduler.pk,
        "now": NOW.isoformat(),
        "orders": [order.pk for order in orders],
        "starts": [start.isoformat() for start in starts],
        **more,
    }


def daily_orders(count: int, **fields) -> list:
    """Orders that may be booked on any day, so that only lanes and authorizations stand in the way."""
    fields = {"infusion_minutes": 120, "interval_days": 1, "tolerance_days": 0, "visits_authorized": 999} | fields
    return [make_order(starts_on=NOW.date(), valid_until=NOW.date() + dt.timedelta(60), **fields) for _ in range(count)]


def assert_lawful() -> None:
    assert shared_lanes() == []
    assert claim_violations() == []
    assert unstaffed_visits() == []
    assert AuditEvent.objects.filter(action="appointment.booked").count() == Appointment.objects.count()


def test_of_sixteen_who_book_the_same_chair_one_gets_it():
    center = make_center(nurses=20)
    job = job_of(center, daily_orders(PROCESSES), [center.at("09:00")], chair=center.chairs[0].pk)
    booked, refused = run_job(kind="once", **job)
    assert len(booked) == 1
    assert set(refused) == {"chair-taken"}
    assert refused["chair-taken"] == PROCESSES - 1
    assert_lawful()


def test_of_sixteen_who_book_any_chair_as_many_win_as_there_are_chairs():
    center = make_center(chairs=5, nurses=9)
    booked, refused = run_job(kind="once", **job_of(center, daily_orders(PROCESSES), [center.at("09:00")]))
    assert len(booked) == 5
    assert refused == {"chairs-taken": PROCESSES - 5}
    assert Appointment.objects.values("chair").distinct().count() == 5
    assert_lawful()


def test_of_sixteen_who_book_any_nurse_as_many_win_as_have_free_hands():
    center = make_center(chairs=20, nurses=3)
    booked, refused = run_job(kind="once", **job_of(center, daily_orders(PROCESSES), [center.at("09:00")]))
    assert len(booked) == 3
    assert refused == {"nurse-hands-busy": PROCESSES - 3}
    assert_lawful()


def test_a_patient_who_is_booked_sixteen_times_at_once_is_booked_once():
    center = make_center(chairs=20, nurses=20)
    booked, refused = run_job(kind="once", **job_of(center, daily_orders(1), [center.at("09:00")]))
    assert len(booked) == 1
    assert refused["patient-busy"] == PROCESSES - 1
    assert_lawful()


def test_authorized_visits_are_never_overdrawn_by_sixteen_at_once():
    center = make_center(chairs=20, nurses=20)
    days = [DAY + dt.timedelta(days=number) for number in range(3)]
    starts = [center.at(wall, day) for day in days for wall in ("08:00", "13:00")]
    booked, refused = run_job(kind="once", **job_of(center, daily_orders(1, visits_authorized=2), starts))
    assert len(booked) == 2
    assert refused["visits-used-up"] + refused["visit-same-day"] >= PROCESSES - 2
    assert_lawful()


def test_one_form_sent_sixteen_times_at_once_books_once():
    center = make_center(chairs=20, nurses=20)
    booked, refused = run_job(kind="once", **job_of(center, daily_orders(1), [center.at("09:00")], token="one-form"))
    assert (len(set(booked)), len(booked), refused) == (1, PROCESSES, {})
    assert_lawful()


def test_sixteen_who_book_move_and_cancel_at_random_never_share_a_lane():
    center = make_center(chairs=6, nurses=3)
    days = [DAY + dt.timedelta(days=number) for number in range(2)]
    starts = [
        center.at(f"{hour:02d}:{minute}", day) for day in days for hour in range(8, 16) for minute in ("00", "15")
    ]
    booked, refused = run_job(kind="random", seconds=SECONDS, **job_of(center, daily_orders(24), starts))
    assert len(booked) > PROCESSES
    assert refused["chairs-taken"] + refused["nurse-hands-busy"] + refused["ratio-full"] + refused["nurse-busy"] > 0
    assert_lawful()


def test_the_same_race_finds_the_overlaps_of_a_naive_check_then_insert():
    center = make_center(chairs=1, nurses=1)
    starts = [center.at("09:00") + dt.timedelta(days=number) for number in range(40)]
    job = job_of(center, daily_orders(PROCESSES), starts, chair=center.chairs[0].pk, nurse=center.nurses[0].pk)
    for _ in range(5):
        booked, _ = run_job(kind="naive", **job)
        if shared_lanes():
            break
        Appointment.objects.filter(pk__in=booked).delete()
    assert shared_lanes() != []


def test_a_process_killed_in_the_middle_of_a_booking_leaves_nothing_behind(tmp_path):
    center = make_center()
    order, flag = daily_orders(1)[0], tmp_path / "hanging"
    job = job_of(center, [order], [center.at("09:00")], chair=center.chairs[0].pk, flag=str(flag))
    worker = start_job(kind="hang", processes=1, **job)
    try:
        pid = _pid_in(flag)
        os.kill(pid, signal.SIGKILL)
    finally:
        worker.wait(timeout=30)
    # Waits for the database to notice that the other is gone, if it has not yet.
    booked = book_appointment(
        order=order,
        start=center.at("09:00"),
        setting="facility",
        site=center.site,
        chair=center.chairs[0],
        by=center.scheduler,
        now=NOW,
    )
    assert list(Appointment.objects.all()) == [booked]
    assert set(Claim.objects.values_list("appointment_id", flat=True)) == {booked.pk}
    assert_lawful()


def _pid_in(flag: Path) -> int:
    until = time.monotonic() + 60
    while time.monotonic() < until:
        if flag.exists() and (text := flag.read_text()):
            return int(text)
        time.sleep(0.05)
    raise AssertionError("the process never got as far as its claims")


def test_a_chair_of_another_center_is_raced_for_by_nobody():
    """The harness itself: sixteen starts that do not meet are all booked."""
    center = make_center(chairs=1, nurses=16)
    for _ in range(15):
        make_chair(site=center.site)
    booked, refused = run_job(kind="once", **job_of(center, daily_orders(PROCESSES), [center.at("09:00")]))
    assert (len(booked), refused) == (PROCESSES, {})
    assert_lawful()
