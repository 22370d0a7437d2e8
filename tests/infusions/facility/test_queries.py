import datetime as dt

import pytest

from infusions.facility.models import ChairOutage, Closure, Setting
from infusions.facility.queries import (
    chairs_in_service,
    nurses_of,
    open_spans,
    open_spans_by_site,
    outages_between,
    shifts_between,
    week_bounds,
)
from tests.factories.facility import make_chair, make_nurse, make_shift, make_site

pytestmark = pytest.mark.django_db
MONDAY = dt.date(2026, 11, 23)
EVERY_DAY = range(7)


def utc(text):
    return dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC)


def day_spans(site, day):
    return open_spans(site, day, day)


def test_open_spans_are_instants_of_the_site_wall_clock():
    site = make_site()
    assert open_spans(site, MONDAY, MONDAY + dt.timedelta(days=6)) == [
        (utc(f"2026-11-{day} 13:00"), utc(f"2026-11-{day} 23:00")) for day in (23, 24, 25, 26, 27)
    ]


def test_open_spans_leave_out_every_day_of_a_closure():
    site, other = make_site(), make_site()
    Closure.objects.create(site=site, starts_on=dt.date(2026, 11, 20), ends_on=dt.date(2026, 11, 24), reason="Floor")
    Closure.objects.create(site=site, starts_on=dt.date(2026, 11, 26), ends_on=dt.date(2026, 11, 26), reason="Feast")
    Closure.objects.create(site=other, starts_on=MONDAY, ends_on=dt.date(2026, 11, 27), reason="Elsewhere")
    assert [start.day for start, _ in open_spans(site, MONDAY, dt.date(2026, 11, 27))] == [25, 27]


def test_open_spans_by_site_cost_the_same_for_any_number_of_sites(django_assert_num_queries):
    sites = [make_site(time_zone=zone) for zone in ("America/New_York", "America/Chicago", "Europe/London")]
    Closure.objects.create(site=sites[1], starts_on=MONDAY, ends_on=MONDAY, reason="Floor")
    with django_assert_num_queries(1):
        spans = open_spans_by_site(sites, MONDAY, MONDAY)
    assert spans == {
        sites[0].pk: [(utc("2026-11-23 13:00"), utc("2026-11-23 23:00"))],
        sites[1].pk: [],
        sites[2].pk: [(utc("2026-11-23 08:00"), utc("2026-11-23 18:00"))],
    }


@pytest.mark.parametrize(
    ("zone", "day", "expected"),
    [
        # Clocks go forward inside the opening hours: eight hours by the wall are seven.
        ("America/New_York", dt.date(2026, 3, 8), ("2026-03-08 05:30", "2026-03-08 12:00")),
        ("America/New_York", dt.date(2026, 11, 1), ("2026-11-01 04:30", "2026-11-01 13:00")),
        ("America/Phoenix", dt.date(2026, 3, 8), ("2026-03-08 07:30", "2026-03-08 15:00")),
        ("Europe/London", dt.date(2026, 3, 29), ("2026-03-29 00:30", "2026-03-29 07:00")),
        ("Europe/London", dt.date(2026, 10, 25), ("2026-10-24 23:30", "2026-10-25 08:00")),
        # Lord Howe changes by half an hour.
        ("Australia/Lord_Howe", dt.date(2026, 10, 4), ("2026-10-03 14:00", "2026-10-03 21:00")),
        ("Australia/Lord_Howe", dt.date(2026, 4, 5), ("2026-04-04 13:30", "2026-04-04 21:30")),
        ("Asia/Kathmandu", dt.date(2026, 10, 4), ("2026-10-03 18:45", "2026-10-04 02:15")),
    ],
)
def test_open_spans_follow_the_clocks_of_the_zone(zone, day, expected):
    site = make_site(time_zone=zone, weekdays=EVERY_DAY, opens="00:30", closes="08:00")
    start, end = expected
    assert day_spans(site, day) == [(utc(start), utc(end))]


def test_open_spans_survive_opening_at_a_time_that_the_clocks_skip():
    site = make_site(weekdays=EVERY_DAY, opens="02:30", closes="10:00")
    assert day_spans(site, dt.date(2026, 3, 8)) == [(utc("2026-03-08 07:30"), utc("2026-03-08 14:00"))]


@pytest.mark.parametrize("days", [1, 400])
def test_open_spans_cost_one_query_whatever_the_window(django_assert_num_queries, days):
    site = make_site()
    with django_assert_num_queries(1):
        open_spans(site, MONDAY, MONDAY + dt.timedelta(days=days))


def test_shifts_between_are_those_that_overlap_by_setting_and_earliest_first():
    site = make_site()
    first, second, third = (make_nurse(site=site) for _ in range(3))
    late = make_shift(nurse=first, site=site, day=MONDAY, start="12:00", end="18:00")
    early = make_shift(nurse=second, site=site, day=MONDAY, start="08:00", end="12:00")
    road = make_shift(nurse=third, site=site, day=MONDAY, setting=Setting.HOME)
    make_shift(nurse=third, site=site, day=MONDAY + dt.timedelta(days=1))
    make_shift(nurse=make_nurse(), site=make_site(), day=MONDAY)
    noon, evening = utc("2026-11-23 17:00"), utc("2026-11-23 23:00")
    assert shifts_between(site, noon, evening) == [road, late]
    assert shifts_between(site, utc("2026-11-23 13:00"), noon, Setting.FACILITY) == [early]


@pytest.mark.parametrize("gone", ["nurse", "user"])
def test_shifts_between_leave_out_who_no_longer_works_here(gone):
    site = make_site()
    shift = make_shift(nurse=make_nurse(site=site), site=site, day=MONDAY)
    row = shift.nurse if gone == "nurse" else shift.nurse.user
    row.is_active = False
    row.save()
    assert shifts_between(site, *week_bounds(site, MONDAY)) == []


def test_chairs_in_service_leave_out_chairs_that_are_out_for_any_part():
    site = make_site()
    first, second, third, fourth = (make_chair(site=site) for _ in range(4))
    make_chair(site=site, is_active=False)
    make_chair(site=make_site())
    nine, noon, three = utc("2026-11-23 14:00"), utc("2026-11-23 17:00"), utc("2026-11-23 20:00")
    ChairOutage.objects.create(chair=first, starts_at=nine - dt.timedelta(days=1), ends_at=nine, reason="repaired")
    ChairOutage.objects.create(chair=second, starts_at=noon - dt.timedelta(minutes=1), ends_at=three, reason="pump")
    ChairOutage.objects.create(chair=third, starts_at=nine - dt.timedelta(days=1), reason="until further notice")
    ChairOutage.objects.create(chair=fourth, starts_at=noon, ends_at=three, reason="starts when the visit ends")
    assert chairs_in_service(site, nine, noon) == [first, fourth]
    assert outages_between(site, nine, noon) == {
        second.pk: [(noon - dt.timedelta(minutes=1), noon)],
        third.pk: [(nine, noon)],
    }


def test_nurses_of_a_site_belong_to_it_and_are_active():
    site = make_site()
    nurse = make_nurse(site=site)
    make_nurse(site=make_site())
    gone = make_nurse(site=site)
    gone.is_active = False
    gone.save()
    assert nurses_of(site) == [nurse]


@pytest.mark.parametrize(
    ("zone", "monday", "hours"),
    [
        ("America/New_York", dt.date(2026, 3, 2), 167),
        ("America/New_York", dt.date(2026, 10, 26), 169),
        ("Australia/Lord_Howe", dt.date(2026, 9, 28), 167.5),
        ("Asia/Kathmandu", dt.date(2026, 10, 26), 168),
    ],
)
def test_a_local_week_is_as_long_as_its_clocks_make_it(zone, monday, hours):
    start, end = week_bounds(make_site(time_zone=zone), monday)
    assert (end - start).total_seconds() / 3600 == hours
