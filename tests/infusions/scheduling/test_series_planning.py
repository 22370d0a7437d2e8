"""Whole plans, compared line by line."""

import datetime as dt

import pytest

from infusion_center.core import clock
from infusions.facility.models import Closure, Setting
from infusions.orders.models import OrderStatus
from infusions.scheduling.models import BookingPreference
from infusions.scheduling.series_lines import LineWish
from infusions.scheduling.series_planning import check_series, plan_series
from tests.factories.scheduling import make_appointment
from tests.infusions.scheduling.series_support import TUESDAY, monthly_order, plan, rows, staffed_center

pytestmark = pytest.mark.django_db
NINE = dt.time(9)
WISHED = "Tuesday 09:00 as wished"


def days(number: int) -> dt.timedelta:
    return dt.timedelta(days=number)


def tuesdays(center, order, count=4, **wishes):
    return plan(center, order, **{"first_on": TUESDAY, "count": count, "weekday": 1, "local_time": NINE} | wishes)


def take(center, day, wall="09:00", minutes=240):
    """Both chairs are taken."""
    for chair, nurse in zip(center.chairs, center.nurses, strict=True):
        make_appointment(chair=chair, nurse=nurse, start=center.at(wall, day), minutes=minutes)


def test_visits_lie_on_the_wished_weekday_and_time_every_interval():
    found = tuesdays(staffed_center(), monthly_order())
    assert rows(found) == [
        (1, "Tue 03 Mar 09:00", WISHED),
        (2, "Tue 31 Mar 09:00", WISHED),
        (3, "Tue 28 Apr 09:00", WISHED),
        (4, "Tue 26 May 09:00", WISHED),
    ]
    assert found.unplaced == []
    assert all(line.visits[0].chair and line.visits[0].nurse for line in found.lines)


def test_a_line_gives_way_to_closures_and_rosters_and_the_next_returns_to_its_weekday():
    center = staffed_center(without={dt.date(2026, 4, 28), dt.date(2026, 4, 27), dt.date(2026, 4, 29)})
    Closure.objects.create(site=center.site, starts_on="2026-03-31", ends_on="2026-03-31", reason="Inventory")
    take(center, dt.date(2026, 5, 26), "08:00", minutes=150)
    assert rows(tuesdays(center, monthly_order(), count=5)) == [
        (1, "Tue 03 Mar 09:00", WISHED),
        (2, "Mon 30 Mar 09:00", "closed on Tue 31 Mar 2026 (Inventory): 1 day earlier"),
        (3, "Thu 30 Apr 09:00", "nobody works on Tue 28 Apr 2026: 2 days later"),
        (4, "Tue 26 May 10:30", "09:00 does not fit: 10:30 is the nearest free start"),
        (5, "Tue 23 Jun 09:00", WISHED),
    ]


def test_what_cannot_be_placed_says_every_reason_and_the_nearest_that_fits():
    center = staffed_center(without={TUESDAY + days(30)})
    Closure.objects.create(site=center.site, starts_on=TUESDAY + days(27), ends_on=TUESDAY + days(29), reason="Move")
    for number in (24, 31, 32):
        take(center, TUESDAY + days(number), "08:00", minutes=600)
    found = tuesdays(center, monthly_order(), count=3)
    assert rows(found) == [
        (1, "Tue 03 Mar 09:00", WISHED),
        (2, None, ["chairs-taken", "closed", "no-shift"]),
        (3, "Tue 28 Apr 09:00", WISHED),
    ]
    lost = found.lines[1]
    assert [problem.message for problem in lost.problems] == [
        "The site is closed or not open long enough: Sat 28 Mar, Sun 29 Mar, Mon 30 Mar, Tue 31 Mar, Wed 1 Apr "
        "and 1 more day.",
        "No nurse is on shift for the whole visit: Thu 2 Apr.",
        "No chair is free for the whole visit: Fri 27 Mar, Fri 3 Apr.",
    ]
    assert [f"{start:%d %b}" for start in lost.alternatives] == ["06 Apr", "07 Apr", "08 Apr", "09 Apr"]
    assert found.unplaced == [lost]


@pytest.mark.parametrize(
    ("order", "count", "placed", "codes"),
    [
        # The order ends before the third.
        ({"valid_until": TUESDAY + days(50)}, 4, 2, [["order-expired"]] * 2),
        ({"valid_until": TUESDAY + days(50)}, None, 2, []),
        # One was given, three are authorized.
        (
            {"visits_authorized": 3, "doses_given": 1, "last_dose_on": TUESDAY - days(28)},
            4,
            2,
            [["visits-used-up"]] * 2,
        ),
        ({"visits_authorized": 3, "doses_given": 1, "last_dose_on": TUESDAY - days(28)}, None, 2, []),
    ],
)
def test_a_series_ends_with_its_order_and_its_authorization(order, count, placed, codes):
    found = tuesdays(staffed_center(), monthly_order(**order), count=count)
    assert [line.number for line in found.bookable] == list(range(1, placed + 1))
    assert [[problem.code for problem in line.problems] for line in found.lines[placed:]] == codes


def test_a_series_ends_at_the_day_asked_for():
    found = tuesdays(staffed_center(), monthly_order(), count=None, until=TUESDAY + days(56))
    assert [line.day for line in found.lines] == [TUESDAY, TUESDAY + days(28), TUESDAY + days(56)]


@pytest.mark.parametrize(
    ("zone", "first", "offsets"),
    [
        # Forward on 8 March 2026, back on 1 November.
        ("America/New_York", dt.date(2026, 2, 17), [-300, -240, -240]),
        ("America/New_York", dt.date(2026, 10, 13), [-240, -300, -300]),
        # Forward on 29 March, back on 25 October.
        ("Europe/London", dt.date(2026, 3, 10), [0, 60, 60]),
        ("Europe/London", dt.date(2026, 10, 6), [60, 0, 0]),
        # Half an hour: back on 5 April, forward on 4 October.
        ("Australia/Lord_Howe", dt.date(2026, 3, 17), [660, 630, 630]),
        ("Australia/Lord_Howe", dt.date(2026, 9, 15), [630, 660, 660]),
        # Never changes, and lies half an hour off.
        ("Asia/Kolkata", dt.date(2026, 3, 10), [330, 330, 330]),
    ],
)
def test_the_wall_time_holds_across_both_changes_of_the_clocks(zone, first, offsets):
    now = dt.datetime.combine(first - days(7), dt.time(12), tzinfo=dt.UTC)
    center = staffed_center(first=first - days(10), days=80, time_zone=zone)
    order = monthly_order(starts_on=first - days(1))
    found = tuesdays(center, order, count=3, first_on=first, now=now)
    walls = [clock.to_local(line.starts[0], zone) for line in found.lines]
    assert [wall.replace(tzinfo=None) for wall in walls] == [
        dt.datetime.combine(first + days(28 * number), NINE) for number in range(3)
    ]
    assert [wall.utcoffset() / dt.timedelta(minutes=1) for wall in walls] == offsets


def test_without_wishes_the_patients_own_hold_then_those_of_the_last_visit_then_what_fits_most():
    center = staffed_center()
    order = monthly_order()
    for number in (0, 28, 56):
        take(center, TUESDAY + days(number), "08:00", minutes=90)
    assert rows(plan(center, order, first_on=TUESDAY, count=3)) == [
        (1, "Tue 03 Mar 10:00", "Tuesday 10:00 fits most of these dates"),
        (2, "Tue 31 Mar 10:00", "Tuesday 10:00 fits most of these dates"),
        (3, "Tue 28 Apr 10:00", "Tuesday 10:00 fits most of these dates"),
    ]
    make_appointment(order=order, chair=center.chairs[0], day=TUESDAY + days(2), at="13:00")
    assert rows(plan(center, order, count=2)) == [
        (1, "Thu 02 Apr 13:00", "Thursday 13:00 as last time"),
        (2, "Thu 30 Apr 13:00", "Thursday 13:00 as last time"),
    ]
    BookingPreference.objects.create(patient=order.patient, weekdays=[2], earliest="10:15", latest="12:00")
    assert rows(plan(center, order, count=2)) == [
        (1, "Wed 01 Apr 10:15", "Wednesday 10:15 as the patient prefers"),
        (2, "Wed 29 Apr 10:15", "Wednesday 10:15 as the patient prefers"),
    ]


def test_a_series_goes_on_after_what_is_booked_and_keeps_the_interval_of_an_odd_length():
    center = staffed_center()
    order = monthly_order(interval_days=30)
    make_appointment(order=order, chair=center.chairs[0], day=TUESDAY + days(1), at="09:00")
    # 30 days after a Wednesday is a Friday: the nearest Wednesday keeps the tolerance.
    found = plan(center, order, count=3)
    assert [line.day - TUESDAY for line in found.lines] == [days(29), days(57), days(85)]


def test_an_order_that_cannot_be_booked_by_has_no_lines_but_its_reasons():
    held = tuesdays(staffed_center(), monthly_order(status=OrderStatus.HELD, status_reason="Labs"))
    assert (held.lines, [problem.code for problem in held.problems]) == ((), ["order-held"])
    home = plan_series(order=monthly_order(), site=staffed_center().site, setting=Setting.HOME, count=3)
    assert (home.lines, [problem.code for problem in home.problems]) == ((), ["home-not-allowed"])


# What was typed is checked again


def check(center, order, *typed):
    lines = [
        LineWish(number, TUESDAY + days(after), dt.time.fromisoformat(wall))
        for number, (after, wall) in enumerate(typed, start=1)
    ]
    return check_series(order=order, site=center.site, setting=Setting.FACILITY, lines=lines)


def test_typed_lines_keep_what_fits_and_say_why_the_rest_does_not():
    center = staffed_center()
    take(center, TUESDAY + days(28), "08:00", minutes=180)
    found = check(center, monthly_order(), (0, "09:00"), (28, "10:00"), (56, "17:00"), (84, "09:10"), (600, "09:00"))
    assert rows(found) == [
        (1, "Tue 03 Mar 09:00", "Tuesday 09:00 as chosen"),
        (2, None, ["chairs-taken"]),
        (3, None, ["no-shift", "outside-hours"]),
        (4, None, ["start-off-grid"]),
        (5, None, ["order-expired"]),
    ]
    assert [clock.to_local(one, "America/New_York").strftime("%d %H:%M") for one in found.lines[1].alternatives] == [
        "30 10:00",
        "31 11:00",
        "31 11:15",
        "01 10:00",
    ]


def test_a_typed_line_too_near_to_the_one_before_needs_a_decision():
    found = check(staffed_center(), monthly_order(), (0, "09:00"), (23, "09:00"), (51, "09:00"))
    assert [[problem.code for problem in line.problems] for line in found.lines] == [[], ["dose-too-early"], []]
    assert found.needs_reason


def test_a_wall_time_that_the_clocks_skip_is_refused():
    center = staffed_center(weekdays=range(7), opens="00:00", closes="23:45")
    found = check(center, monthly_order(), (5, "02:30"))  # Sunday 8 March
    assert rows(found) == [(1, None, ["no-such-time"])]


# A course over consecutive days


def course_order(**fields):
    return monthly_order(**{"days": 3, "visits_authorized": 40} | fields)


def starts(line):
    return [f"{clock.to_local(start, 'America/New_York'):%a %d %b %H:%M}" for start in line.starts]


def test_a_course_takes_consecutive_days_at_one_time_where_it_can():
    center = staffed_center()
    take(center, TUESDAY + days(1), "08:00", minutes=150)
    found = tuesdays(center, course_order(), count=2)
    assert [starts(line) for line in found.lines] == [
        ["Tue 03 Mar 09:00", "Wed 04 Mar 10:30", "Thu 05 Mar 09:00"],
        ["Tue 31 Mar 09:00", "Wed 01 Apr 09:00", "Thu 02 Apr 09:00"],
    ]
    assert [visit.course_day for visit in found.lines[0].visits] == [1, 2, 3]


def test_a_course_does_not_begin_where_one_of_its_days_is_closed():
    center = staffed_center()
    Closure.objects.create(site=center.site, starts_on="2026-03-05", ends_on="2026-03-05", reason="Move")
    (line,) = tuesdays(center, course_order(), count=1).lines
    assert starts(line) == ["Mon 02 Mar 09:00", "Tue 03 Mar 09:00", "Wed 04 Mar 09:00"]
    assert line.why == "closed on Thu 5 Mar 2026 (Move): 1 day earlier"


def test_a_course_that_was_begun_is_finished_first():
    center, order = staffed_center(), course_order()
    make_appointment(order=order, chair=center.chairs[0], day=TUESDAY, at="09:00")
    found = plan(center, order, count=2)
    assert [starts(line) for line in found.lines] == [
        ["Wed 04 Mar 09:00", "Thu 05 Mar 09:00"],
        ["Tue 31 Mar 09:00", "Wed 01 Apr 09:00", "Thu 02 Apr 09:00"],
    ]
    assert [visit.course_day for visit in found.lines[0].visits] == [2, 3]


def test_a_course_uses_an_authorized_visit_for_each_day():
    found = tuesdays(staffed_center(), course_order(visits_authorized=7), count=None)
    assert [len(line.visits) for line in found.bookable] == [3, 3]
