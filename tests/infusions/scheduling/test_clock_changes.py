"""The promised wall time holds where clocks change: both ways, at midnight, by half an hour, in zones of odd hours."""

import datetime as dt
from zoneinfo import ZoneInfo, available_timezones

import pytest
import time_machine

from infusion_center.core import clock
from infusions.facility import roster_services, services
from infusions.facility.models import Setting
from infusions.reminders.planning import QuietHours, day_reminder_moment
from infusions.scheduling.board_day import board_day
from infusions.scheduling.booking import book_appointment, move_appointment
from infusions.scheduling.invariants import claim_violations, shared_lanes
from infusions.scheduling.slots import find_slots
from tests.factories.accounts import make_staff
from tests.factories.facility import make_chair, make_nurse, make_shift, make_site
from tests.factories.orders import make_order
from tests.factories.scheduling import make_appointment
from tests.infusions.scheduling.conftest import Center

DAY = dt.timedelta(days=1)
# Zone, day on which its clocks change, hours of that day; the last two zones never change.
CHANGES = [
    ("America/New_York", dt.date(2026, 3, 8), 23),
    ("America/New_York", dt.date(2026, 11, 1), 25),
    ("Europe/London", dt.date(2026, 3, 29), 23),
    ("Europe/London", dt.date(2026, 10, 25), 25),
    ("Australia/Lord_Howe", dt.date(2026, 10, 4), 23.5),
    ("Australia/Lord_Howe", dt.date(2026, 4, 5), 24.5),
    ("America/St_Johns", dt.date(2026, 3, 8), 23),
    ("America/St_Johns", dt.date(2026, 11, 1), 25),
    ("America/Santiago", dt.date(2026, 9, 6), 23),
    ("America/Santiago", dt.date(2026, 4, 4), 25),
    ("Asia/Kathmandu", dt.date(2026, 3, 8), 24),
    ("Asia/Kolkata", dt.date(2026, 3, 8), 24),
]
pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _frozen_clock():
    """Each test says when it is."""


@pytest.fixture(params=CHANGES, ids=lambda change: f"{change[0]}-{change[1]}")
def change(request):
    """A center open every day 08-18, staffed on the day of the change and those around it; it is two days before."""
    zone, day, hours = request.param
    with time_machine.travel(dt.datetime.combine(day - 2 * DAY, dt.time(12), ZoneInfo(zone)), tick=False):
        center = open_center(zone, [day - DAY, day, day + DAY])
        yield center, day, hours


def open_center(zone: str, days, *, opens="08:00", closes="18:00", chairs=1) -> Center:
    site = make_site(time_zone=zone, weekdays=range(7), opens=opens, closes=closes)
    nurse = make_nurse(site=site)
    for day in days:
        make_shift(nurse=nurse, site=site, day=day, start=opens, end=closes)
    return Center(
        site, [make_chair(site=site) for _ in range(chairs)], [nurse], make_staff(role="scheduler", site=site)
    )


def daily_order(**fields):
    return make_order(infusion_minutes=180, interval_days=1, tolerance_days=0, **fields)


def book_at(center, order, start):
    return book_appointment(
        order=order, start=start, setting=Setting.FACILITY, site=center.site, by=center.scheduler, now=clock.now()
    )


def walls(instants, zone) -> list[str]:
    return [f"{clock.to_local(instant, zone):%H:%M}" for instant in sorted(instants)]


# Pure facts about zones


def test_a_quarter_hour_by_any_clock_on_earth_is_a_quarter_hour_since_the_epoch():
    """So the claims' quarters are those of every site's own clock, Kathmandu's 5:45 included."""
    months = [dt.datetime(year, month, 15, tzinfo=dt.UTC) for year in range(2025, 2036) for month in (1, 4, 7, 10)]
    odd = {
        name
        for name in available_timezones()
        for month in months
        if month.astimezone(ZoneInfo(name)).utcoffset().total_seconds() % clock.QUARTER_SECONDS
    }
    assert odd == set()


@pytest.mark.parametrize(("zone", "day", "hours"), CHANGES)
def test_a_local_day_is_as_long_as_its_clocks_make_it_and_days_touch(zone, day, hours):
    (before, start), (also_start, end) = clock.day_bounds(day - DAY, zone), clock.day_bounds(day, zone)
    assert (start, end - start) == (also_start, dt.timedelta(hours=hours))
    assert [clock.local_date(instant, zone) for instant in (before, start, end)] == [day - DAY, day, day + DAY]
    assert clock.local_date(start - dt.timedelta(seconds=1), zone) == day - DAY


@pytest.mark.parametrize(("zone", "day", "_hours"), CHANGES)
def test_reminders_come_at_nine_by_the_patients_clock_so_many_days_before(zone, day, _hours):
    night = QuietHours(dt.time(20), dt.time(8))
    start = clock.from_local(day + DAY, dt.time(9), zone)
    due = {days: clock.to_local(day_reminder_moment(days, start, zone, night), zone) for days in (3, 1)}
    assert {days: at.replace(tzinfo=None) for days, at in due.items()} == {
        days: dt.datetime.combine(day + DAY - days * DAY, dt.time(9)) for days in (3, 1)
    }


# A week around the change, through the services


def test_search_offers_the_same_wall_times_on_the_day_before_the_day_itself_and_the_day_after(change):
    center, day, _ = change
    days = {"earliest": day - DAY, "latest": day + DAY}
    found = find_slots(daily_order(), setting=Setting.FACILITY, site=center.site, limit=None, **days).options
    zone = center.site.time_zone
    by_day = {
        one: walls([option.start for option in found if clock.local_date(option.start, zone) == one], zone)
        for one in (day - DAY, day, day + DAY)
    }
    # Four hours from 08:00 on, the last until 18:00.
    every_quarter = [f"{8 + number // 4:02d}:{number % 4 * 15:02d}" for number in range(25)]
    assert by_day == dict.fromkeys(by_day, every_quarter)


def test_booked_and_moved_visits_keep_their_wall_time_and_length(change):
    center, day, _ = change
    order, zone = daily_order(), center.site.time_zone
    booked = [book_at(center, order, clock.from_local(one, dt.time(9), zone)) for one in (day - DAY, day, day + DAY)]
    moved = [
        move_appointment(
            appointment=visit,
            start=clock.from_local(clock.local_date(visit.start, zone), dt.time(11, 15), zone),
            by=center.scheduler,
        )
        for visit in booked
    ]
    assert [visit.local_start for visit in moved] == [f"{one}T11:15" for one in (day - DAY, day, day + DAY)]
    assert walls([visit.end for visit in moved], zone) == ["15:15"] * 3
    assert (claim_violations(), shared_lanes()) == ([], [])


def test_the_board_shows_the_visits_of_the_local_day_at_their_wall_time(change):
    center, day, _ = change
    visits = [
        make_appointment(chair=center.chairs[0], nurse=center.nurses[0], day=one, at="09:00")
        for one in (day - DAY, day, day + DAY)
    ]
    board = board_day(center.site, day, clock.now())
    assert [card.visit.pk for card in board.cards] == [visits[1].pk]
    assert [hour.label for hour in board.hours] == [f"{hour:02d}" for hour in range(8, 18)]
    [row] = board.chairs
    assert [cell.kind for cell in row.cells if cell.span == 16] == ["visit"]
    assert row.cells[1].kind == "visit"  # after the hour from 08:00 on


def test_a_closed_local_day_takes_no_visit_and_leaves_its_neighbours_alone(change):
    center, day, _ = change
    services.add_closure(site=center.site, starts_on=day, ends_on=day, reason="Water damage", by=None)
    days = {"earliest": day - DAY, "latest": day + DAY}
    found = find_slots(daily_order(), setting=Setting.FACILITY, site=center.site, limit=None, **days).options
    on = [clock.local_date(option.start, center.site.time_zone) for option in found]
    assert {one: on.count(one) for one in on} == {day - DAY: 25, day + DAY: 25}


def test_shifts_added_and_copied_over_the_change_keep_their_wall_time(change):
    center, day, hours = change
    site, manager = center.site, make_staff(role="manager")
    night = make_nurse(site=site)
    monday = day - day.weekday() * DAY
    span = {"starts": dt.time(20), "ends": dt.time(8)}
    roster_services.add_shifts(nurse=night, site=site, days=[day - 7 * DAY, day - 8 * DAY], **span, by=manager)
    roster_services.copy_week(site=site, monday=monday, by=manager)
    shifts = list(night.shifts.filter(starts_at__gte=clock.day_bounds(monday, site.time_zone)[0]).order_by("starts_at"))
    assert walls([shift.starts_at for shift in shifts], site.time_zone)[-1] == "20:00"
    assert {f"{clock.to_local(shift.ends_at, site.time_zone):%H:%M}" for shift in shifts} == {"08:00"}
    whole_nights = sum((shift.ends_at - shift.starts_at for shift in shifts), dt.timedelta())
    over_the_change = sum(clock.day_bounds(day, site.time_zone)[0] < shift.ends_at for shift in shifts) > 0
    assert over_the_change
    assert whole_nights - len(shifts) * dt.timedelta(hours=12) == dt.timedelta(hours=hours - 24)
