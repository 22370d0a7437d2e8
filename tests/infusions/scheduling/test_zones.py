"""Nights in which clocks change, sites of several zones in one organisation, and a process in any zone at all."""

import datetime as dt
import json
import os
import subprocess
import sys
from itertools import zip_longest

import pytest
import time_machine
from django.conf import settings

from infusion_center.core import clock
from infusion_center.core.rules import RuleViolation
from infusions.facility import roster_services
from infusions.facility.models import Setting, Shift, SiteMembership
from infusions.scheduling.board_day import board_day
from infusions.scheduling.invariants import claim_violations, shared_lanes
from infusions.scheduling.slots import find_slots
from tests.factories.accounts import make_staff
from tests.factories.facility import make_chair, make_nurse, make_shift, make_site
from tests.factories.scheduling import make_appointment
from tests.infusions.scheduling.conftest import Center
from tests.infusions.scheduling.test_clock_changes import DAY, book_at, daily_order, open_center, walls
from tests.infusions.scheduling.test_races import database_url
from tests.infusions.scheduling.zone_worker import answers

pytestmark = [pytest.mark.django_db, pytest.mark.once]


@pytest.fixture(autouse=True)
def _frozen_clock():
    """Each test says when it is."""


# Centers that are open at night


def open_all_night(zone: str, day: dt.date) -> Center:
    """Its nurse works from the first instant of the day to the last, which the clocks may not call 00:00."""
    center = open_center(zone, [], opens="00:00", closes="23:45")
    start, end = clock.day_bounds(day, zone)
    Shift.objects.create(nurse=center.nurses[0], site=center.site, starts_at=start, ends_at=end)
    return center


@pytest.mark.parametrize(
    ("zone", "day", "expected"),
    [
        ("America/New_York", dt.date(2026, 3, 8), ["00:45", "01:00", "01:15", "01:30", "01:45", "03:00", "03:15"]),
        ("Europe/London", dt.date(2026, 3, 29), ["00:00", "00:15", "00:30", "00:45", "02:00", "02:15", "02:30"]),
        ("Australia/Lord_Howe", dt.date(2026, 10, 4), ["01:30", "01:45", "02:30", "02:45", "03:00", "03:15", "03:30"]),
        ("Australia/Lord_Howe", dt.date(2026, 4, 5), ["01:30", "01:45", "01:30", "01:45", "02:00", "02:15", "02:30"]),
        ("America/Santiago", dt.date(2026, 9, 6), ["01:00", "01:15", "01:30", "01:45", "02:00", "02:15", "02:30"]),
    ],
)
def test_starts_of_a_night_are_offered_as_the_clocks_show_them(zone, day, expected):
    now = clock.day_bounds(day, zone)[0] - DAY
    with time_machine.travel(now, tick=False):
        center = open_all_night(zone, day)
        wanted = {"site": center.site, "earliest": day, "latest": day, "limit": None}
        found = walls(
            [one.start for one in find_slots(daily_order(), setting=Setting.FACILITY, **wanted).options], zone
        )
    first = {"00:45": 3, "01:30": 6}.get(expected[0], 0)
    assert found[first : first + 7] == expected


def test_both_half_past_ones_of_a_night_hold_a_visit_each_in_one_chair():
    """Two instants an hour apart with the same wall time; a typed time means the first of them."""
    day = dt.date(2026, 11, 1)
    with time_machine.travel(dt.datetime(2026, 10, 30, 12, tzinfo=dt.UTC), tick=False):
        center = open_all_night("America/New_York", day)
        first = clock.from_local(day, dt.time(1, 15), "America/New_York")
        visits = [
            book_at(center, daily_order(starts_on=dt.date(2026, 10, 1)), start)
            for start in (first, first + dt.timedelta(hours=5), first + dt.timedelta(hours=10))
        ]
        with pytest.raises(RuleViolation):
            book_at(center, daily_order(), first + dt.timedelta(hours=1))
    assert first.isoformat() == "2026-11-01T05:15:00+00:00"
    assert [visit.local_start[11:] for visit in visits] == ["01:15", "05:15", "10:15"]
    assert (claim_violations(), shared_lanes()) == ([], [])


@pytest.mark.parametrize(
    ("zone", "day", "labels"),
    [
        ("America/New_York", dt.date(2026, 3, 8), ["00", "01", "03", "04"]),
        ("America/New_York", dt.date(2026, 11, 1), ["00", "01 EDT", "01 EST", "02"]),
        ("America/Santiago", dt.date(2026, 9, 6), ["01", "02", "03", "04"]),
        ("Australia/Lord_Howe", dt.date(2026, 10, 4), ["00", "01", "03", "04"]),
    ],
)
def test_the_board_of_a_night_has_the_hours_that_the_clocks_show(zone, day, labels):
    with time_machine.travel(clock.day_bounds(day, zone)[0] - DAY, tick=False):
        center = open_all_night(zone, day)
        board = board_day(center.site, day, clock.now())
    assert [hour.label for hour in board.hours][:4] == labels
    assert sum(hour.span for hour in board.hours) == len(board.axis.columns)
    start, end = clock.day_bounds(day, zone)
    assert clock.quarter_start(board.axis.first) == start
    assert clock.quarter_start(board.axis.stop) == end


# Several zones in one organisation

DATE = dt.date(2026, 3, 10)
MONDAY_NOON = dt.datetime(2026, 3, 9, 12, tzinfo=dt.UTC)


@pytest.fixture
def two_sites():
    """New York and Chicago, an hour apart; one nurse works the morning in one and the afternoon in the other."""
    with time_machine.travel(MONDAY_NOON, tick=False):
        east, west = make_site(name="East"), make_site(name="West", time_zone="America/Chicago")
        nurse = make_nurse(site=east)
        SiteMembership.objects.create(site=west, user=nurse.user)
        make_shift(nurse=nurse, site=east, day=DATE, start="08:00", end="12:00")
        scheduler = make_staff(role="scheduler", site=east)
        SiteMembership.objects.create(site=west, user=scheduler)
        yield tuple(Center(site, [make_chair(site=site)], [nurse], scheduler) for site in (east, west))


def test_a_nurse_at_two_sites_is_in_one_place_at_a_time_by_the_instant_not_by_the_wall(two_sites):
    east, west = two_sites
    manager, [nurse] = make_staff(role="manager"), east.nurses

    def add(starts):
        at, until = roster_services.wall_span(west.site, DATE, dt.time.fromisoformat(starts), dt.time(16))
        return roster_services.add_shift(nurse=nurse, site=west.site, starts_at=at, ends_at=until, by=manager)

    with pytest.raises(RuleViolation) as refused:
        add("10:45")  # 11:45 in the east, where she works until noon
    assert refused.value.codes == {"shift-overlaps"}
    add("11:00")
    morning = book_at(east, daily_order(), east.at("08:00", DATE))
    wanted = {"site": west.site, "earliest": DATE, "latest": DATE, "limit": None}
    found = find_slots(daily_order(), setting=Setting.FACILITY, **wanted).options
    assert walls([one.start for one in found], "America/Chicago") == ["11:00", "11:15", "11:30", "11:45", "12:00"]
    afternoon = book_at(west, daily_order(), west.at("11:00", DATE))
    assert (morning.end, afternoon.start) == (afternoon.start, morning.end)
    assert (claim_violations(), shared_lanes()) == ([], [])


def test_a_patient_of_two_sites_cannot_be_at_both_at_the_same_instant(two_sites):
    east, west = two_sites
    make_shift(nurse=make_nurse(site=west.site), site=west.site, day=DATE)
    order = daily_order()
    book_at(east, order, east.at("08:00", DATE))
    with pytest.raises(RuleViolation) as refused:
        book_at(west, daily_order(patient=order.patient), west.at("10:45", DATE))
    assert refused.value.codes == {"patient-busy"}
    assert book_at(west, daily_order(patient=order.patient), west.at("11:00", DATE))


def test_boards_of_sites_far_apart_show_the_same_date_of_each_and_no_instant_twice():
    with time_machine.travel(MONDAY_NOON, tick=False):
        sites = [make_site(time_zone=zone, weekdays=range(7)) for zone in ("Asia/Kathmandu", "America/St_Johns")]
        scheduler = make_staff(role="scheduler", site=sites[0])
        SiteMembership.objects.create(site=sites[1], user=scheduler)
        visits = [
            make_appointment(site=site, day=day, at=wall, minutes=60)
            for site in sites
            for day in (DATE, DATE + DAY)
            for wall in ("00:15", "23:30")
        ]
        shown = [
            card.visit.pk
            for site in sites
            for day in (DATE, DATE + DAY)
            for card in board_day(site, day, MONDAY_NOON).cards
        ]
    assert shown == [visit.pk for visit in visits]
    assert [visit.local_start[11:] for visit in visits] == ["00:15", "23:30"] * 4


# The process's own zone


@pytest.mark.django_db(transaction=True)
def test_nothing_depends_on_the_zone_of_the_process():
    """Whole pages and searches, asked in this process (UTC) and in two of other zones, are the same to the letter."""
    day = dt.date(2026, 3, 8)
    with time_machine.travel(dt.datetime(2026, 3, 7, 3, tzinfo=dt.UTC), tick=False):
        center = open_center("America/New_York", [day - DAY, day, day + DAY], chairs=2)
        order = daily_order()
        visit = make_appointment(chair=center.chairs[0], nurse=center.nurses[0], day=day, at="09:00", order=order)
        manager = make_staff(role="manager", site=center.site)
        job = {"now": clock.now().isoformat(), "site": center.site.pk, "order": order.pk}
    job["pages"] = {
        center.scheduler.pk: [
            f"/board/?day={day}",
            f"/orders/{order.public_id}/slots/",
            f"/appointments/{visit.public_id}/",
            f"/appointments/{visit.public_id}/move/",
            f"/patients/{order.patient.public_id}/",
        ],
        manager.pk: ["/roster/", f"/roster/?week={day}", "/reports/", "/closures/"],
        center.nurses[0].user_id: ["/tablet/", f"/orders/{order.public_id}/"],
    }
    job["pages"] = {str(user): pages for user, pages in job["pages"].items()}
    here = answers(job)
    assert [name for name, (status, _) in here["pages"].items() if status != 200] == []
    workers = [_start(job, zone) for zone in ("Asia/Kolkata", "America/Santiago")]
    for worker in workers:
        told, _ = worker.communicate(timeout=60)
        there = json.loads(told)
        assert there.pop("offset") != 0
        assert different(there, json.loads(json.dumps(here))) == []


def different(there: dict, here: dict) -> list:
    """Line by line, so that a failure can be read."""
    lines = [(page, text[1].splitlines(), here["pages"][page][1].splitlines()) for page, text in there["pages"].items()]
    pages = [(page, *two) for page, one, other in lines for two in zip_longest(one, other) if two[0] != two[1]]
    return pages + [two for two in zip_longest(there["search"], here["search"]) if two[0] != two[1]]


def _start(job: dict, zone: str) -> subprocess.Popen:
    command = [sys.executable, "-m", "tests.infusions.scheduling.zone_worker", json.dumps(job), zone]
    environment = {
        **os.environ,
        "DATABASE_URL": database_url(),
        "DJANGO_SETTINGS_MODULE": "infusion_center.settings_test",
    }
    return subprocess.Popen(command, cwd=settings.BASE_DIR, env=environment, stdout=subprocess.PIPE, text=True)
