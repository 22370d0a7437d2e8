"""The evening before, the day after and the day sheet: when they are due and when too late, across clock changes."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infusion_center.core import clock
from infusions.reminders.models import Kind, Reason
from infusions.reminders.planning import (
    Planned,
    QuietHours,
    Span,
    before_shift,
    day_after,
    evening_before,
    planned_after_care,
    planned_day_sheet,
    planned_messages,
)
from tests.infusions.reminders.test_planning import NEW_YORK, NIGHT, utc, visit

ZONES = ["America/New_York", "America/Phoenix", "Europe/London", "Australia/Lord_Howe", "Asia/Kathmandu"]
NONE = QuietHours(dt.time(8), dt.time(8))


def span(due: str, ends: str) -> Span:
    return Span(utc(due), utc(ends))


@pytest.mark.parametrize(
    ("zone", "start", "due", "ends"),
    [
        # From five until eight in the evening by the patient's wall clock, whatever clocks do that night.
        (NEW_YORK, "2026-03-08T13:00", "2026-03-07T22:00", "2026-03-08T01:00"),
        (NEW_YORK, "2026-03-09T13:00", "2026-03-08T21:00", "2026-03-09T00:00"),
        (NEW_YORK, "2026-11-01T14:00", "2026-10-31T21:00", "2026-11-01T00:00"),
        (NEW_YORK, "2026-11-02T14:00", "2026-11-01T22:00", "2026-11-02T01:00"),
        ("America/Phoenix", "2026-03-09T16:00", "2026-03-09T00:00", "2026-03-09T03:00"),
        ("America/Phoenix", "2026-11-02T16:00", "2026-11-02T00:00", "2026-11-02T03:00"),
        ("Europe/London", "2026-03-29T09:00", "2026-03-28T17:00", "2026-03-28T20:00"),
        ("Europe/London", "2026-03-30T08:00", "2026-03-29T16:00", "2026-03-29T19:00"),
        ("Europe/London", "2026-10-25T09:00", "2026-10-24T16:00", "2026-10-24T19:00"),
        ("Australia/Lord_Howe", "2026-10-03T22:00", "2026-10-03T06:30", "2026-10-03T09:30"),
        ("Australia/Lord_Howe", "2026-10-04T22:00", "2026-10-04T06:00", "2026-10-04T09:00"),
        ("Australia/Lord_Howe", "2026-04-05T22:30", "2026-04-05T06:30", "2026-04-05T09:30"),
        ("Asia/Kathmandu", "2026-03-09T03:15", "2026-03-08T11:15", "2026-03-08T14:15"),
        # Half past midnight on the patient's clock is a visit of that day: the evening before it is the one just gone.
        (NEW_YORK, "2026-06-18T04:30", "2026-06-17T21:00", "2026-06-18T00:00"),
    ],
)
def test_the_evening_before_is_the_patients(zone, start, due, ends):
    assert evening_before(utc(start), zone, NIGHT) == span(due, ends)


@pytest.mark.parametrize(
    ("quiet", "due", "ends"),
    [
        (NONE, "2026-06-17T21:00", "2026-06-18T04:00"),  # until midnight
        (QuietHours(dt.time(20), dt.time(20)), "2026-06-17T21:00", "2026-06-18T04:00"),  # none either
        (QuietHours(dt.time(0), dt.time(8)), "2026-06-17T21:00", "2026-06-18T04:00"),
        (QuietHours(dt.time(22, 30), dt.time(6)), "2026-06-17T21:00", "2026-06-18T02:30"),
        (QuietHours(dt.time(16), dt.time(18)), "2026-06-17T22:00", "2026-06-18T04:00"),
        # No decent hour that evening: due the next morning is due after the end.
        (QuietHours(dt.time(17), dt.time(8)), "2026-06-18T12:00", "2026-06-18T04:00"),
    ],
)
def test_the_evening_ends_where_quiet_hours_begin(quiet, due, ends):
    assert evening_before(utc("2026-06-18T13:00"), NEW_YORK, quiet) == span(due, ends)


@pytest.mark.parametrize(
    ("since", "now", "skip"),
    [
        ("2026-06-01T15:00", "2026-06-01T15:00", None),
        ("2026-06-17T20:59", "2026-06-17T20:59", None),
        ("2026-06-17T21:00", "2026-06-17T21:00", Reason.TOLD_RECENTLY),
        ("2026-06-17T23:00", "2026-06-18T09:00", Reason.TOLD_RECENTLY),
        ("2026-06-01T15:00", "2026-06-17T23:59", None),  # a scan after an outage, still that evening
        ("2026-06-01T15:00", "2026-06-18T00:00", Reason.TOO_LATE),
        ("2026-06-01T15:00", "2026-06-18T12:30", Reason.TOO_LATE),  # never on the morning of the visit
    ],
)
def test_advice_for_the_evening_is_planned_unless_just_told_or_too_late(since, now, skip):
    wanted = visit(since=utc(since), reminder_days=(), sends_hydration=True)
    assert planned_messages(wanted, utc(now))[1:] == [Planned(Kind.HYDRATION, utc("2026-06-17T21:00"), skip)]


def test_a_cancelled_visit_has_no_evening_before():
    gone = visit(sends_hydration=True, cancelled=True, told=True)
    assert [planned.kind for planned in planned_messages(gone, utc("2026-06-01T15:00"))] == [Kind.CANCELLED]


@pytest.mark.parametrize(
    ("zone", "finished", "due"),
    [
        (NEW_YORK, "2026-03-07T18:00", "2026-03-08T14:00"),
        (NEW_YORK, "2026-10-31T18:00", "2026-11-01T15:00"),
        ("America/Phoenix", "2026-03-08T18:00", "2026-03-09T17:00"),
        ("Europe/London", "2026-03-28T15:00", "2026-03-29T09:00"),
        ("Europe/London", "2026-10-24T15:00", "2026-10-25T10:00"),
        ("Australia/Lord_Howe", "2026-10-03T03:00", "2026-10-03T23:00"),
        ("Australia/Lord_Howe", "2026-04-04T03:00", "2026-04-04T23:30"),
        ("Asia/Kathmandu", "2026-06-18T07:00", "2026-06-19T04:15"),
        # The visit was at a site further west, where it was still the day before.
        ("Pacific/Auckland", "2026-06-18T23:00", "2026-06-19T22:00"),
    ],
)
def test_the_day_after_is_ten_in_the_morning_of_the_patient_for_three_days(zone, finished, due):
    assert day_after(utc(finished), zone, NIGHT) == Span(utc(due), utc(finished) + dt.timedelta(hours=72))


@pytest.mark.parametrize(
    ("now", "quiet", "expected"),
    [
        ("2026-06-18T18:00", NIGHT, ("2026-06-19T14:00", None)),
        ("2026-06-18T18:00", QuietHours(dt.time(20), dt.time(10, 30)), ("2026-06-19T14:30", None)),
        ("2026-06-21T17:59", NIGHT, ("2026-06-19T14:00", None)),
        ("2026-06-21T18:00", NIGHT, ("2026-06-19T14:00", Reason.TOO_LATE)),
    ],
)
def test_the_mail_of_the_day_after_is_too_late_after_three_days(now, quiet, expected):
    planned = planned_after_care(finished=utc("2026-06-18T18:00"), zone=NEW_YORK, quiet=quiet, now=utc(now))
    assert (planned.kind, planned.due_at, planned.skip) == (Kind.AFTER_CARE, utc(expected[0]), expected[1])


@pytest.mark.parametrize(
    ("zone", "day", "due"),
    [
        (NEW_YORK, "2026-03-08", "2026-03-07T23:00"),
        (NEW_YORK, "2026-11-02", "2026-11-01T23:00"),
        ("America/Phoenix", "2026-11-02", "2026-11-02T01:00"),
        ("Europe/London", "2026-03-30", "2026-03-29T17:00"),
        ("Australia/Lord_Howe", "2026-10-05", "2026-10-04T07:00"),
        ("Asia/Kathmandu", "2026-06-18", "2026-06-17T12:15"),
    ],
)
def test_a_day_sheet_comes_at_six_in_the_evening_at_the_site(zone, day, due):
    begins = clock.from_local(dt.date.fromisoformat(day), dt.time(8), zone)
    assert before_shift(dt.date.fromisoformat(day), begins, zone, NIGHT) == Span(utc(due), begins)


@pytest.mark.parametrize(
    ("now", "skip"),
    [("2026-06-17T22:00", None), ("2026-06-18T11:59", None), ("2026-06-18T12:00", Reason.TOO_LATE)],
)
def test_a_day_sheet_is_too_late_once_the_shift_began(now, skip):
    planned = planned_day_sheet(
        day=dt.date(2026, 6, 18), begins=utc("2026-06-18T12:00"), zone=NEW_YORK, quiet=NIGHT, now=utc(now)
    )
    assert planned == Planned(Kind.DAY_SHEET, utc("2026-06-17T22:00"), skip)


walls = st.builds(dt.time, st.integers(0, 23), st.integers(0, 59))
instants = st.integers(0, 2 * 365 * 24 * 60).map(
    lambda minutes: utc("2026-01-02T00:00") + dt.timedelta(minutes=minutes)
)


@given(instant=instants, zone=st.sampled_from(ZONES), begins=walls, ends=walls)
def test_at_no_hour_of_the_year_a_message_is_due_in_quiet_hours_or_on_the_wrong_day(instant, zone, begins, ends):
    quiet = QuietHours(begins, ends)
    today = clock.local_date(instant, zone)
    evening, morning = evening_before(instant, zone, quiet), day_after(instant, zone, quiet)
    due = clock.to_local(evening.due_at, zone)
    if evening.due_at < evening.ends_at:
        assert (due.date(), due.time() >= dt.time(17)) == (today - dt.timedelta(days=1), True)
        assert clock.local_date(evening.ends_at - dt.timedelta(seconds=1), zone) == due.date()
    after = clock.to_local(morning.due_at, zone)
    assert (after.date() > today, quiet.hold(due.time()), quiet.hold(after.time())) == (True, False, False)
