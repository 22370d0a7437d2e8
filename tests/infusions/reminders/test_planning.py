"""Tables of due times, across both changes of the clocks and in patients' own zones."""

import datetime as dt

import pytest

from infusions.facility.models import REMINDER_DAYS
from infusions.reminders.models import DAYS_BEFORE, Kind, Reason
from infusions.reminders.planning import (
    Planned,
    QuietHours,
    Visit,
    day_reminder_moment,
    latest_moment,
    next_allowed,
    planned_messages,
)

NIGHT = QuietHours(dt.time(20), dt.time(8))
NEW_YORK = "America/New_York"


def utc(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC)


def visit(**fields) -> Visit:
    values = {
        "start": utc("2026-06-18T13:00"),
        "since": utc("2026-06-01T15:00"),
        "zone": NEW_YORK,
        "quiet": NIGHT,
        "reminder_days": (3, 1),
    }
    return Visit(**{**values, **fields})


def test_a_booking_is_confirmed_at_once_and_reminded_on_the_days_of_the_site():
    now = utc("2026-06-01T15:00")
    assert planned_messages(visit(), now) == [
        Planned(Kind.CONFIRMATION, now),
        Planned(Kind.DAYS_3, utc("2026-06-15T13:00")),
        Planned(Kind.DAYS_1, utc("2026-06-17T13:00")),
    ]


def test_a_booking_at_night_is_confirmed_at_once_all_the_same():
    night = utc("2026-06-02T05:00")
    assert planned_messages(visit(since=night), night)[0] == Planned(Kind.CONFIRMATION, night)


def test_a_move_is_told_instead_of_a_confirmation_and_waits_for_the_morning():
    night = utc("2026-06-02T05:00")
    assert planned_messages(visit(since=night, told=True, reminder_days=()), night) == [
        Planned(Kind.MOVED, utc("2026-06-02T12:00"))
    ]


def test_seven_days_before_is_planned_where_the_site_asks_for_it():
    planned = planned_messages(visit(reminder_days=(7,)), utc("2026-06-01T15:00"))
    assert planned[1:] == [Planned(Kind.DAYS_7, utc("2026-06-11T13:00"))]


@pytest.mark.parametrize("told", [False, True])
def test_a_cancellation_is_told_only_to_whom_the_visit_was_told(told):
    now = utc("2026-06-01T15:00")
    expected = [Planned(Kind.CANCELLED, now)] if told else []
    assert planned_messages(visit(cancelled=True, told=told), now) == expected


@pytest.mark.parametrize("fields", [{"told": True}, {"cancelled": True, "told": True}])
def test_news_that_could_only_come_after_the_visit_is_skipped_in_favour_of_a_call(fields):
    night, early = utc("2026-06-02T05:00"), utc("2026-06-02T11:00")
    planned = planned_messages(visit(start=early, since=night, reminder_days=(), **fields), night)
    assert [(p.due_at, p.skip) for p in planned] == [(utc("2026-06-02T12:00"), Reason.NO_DECENT_HOUR)]


def test_a_visit_that_has_begun_gets_nothing():
    assert planned_messages(visit(), utc("2026-06-18T13:00")) == []


@pytest.mark.parametrize(
    ("booked", "three_days", "one_day"),
    [
        ("2026-06-14T22:00", None, None),  # 15 h before the first reminder: both are news
        ("2026-06-15T03:00", Reason.TOLD_RECENTLY, None),  # ten hours before it
        ("2026-06-16T12:00", Reason.TOLD_RECENTLY, None),  # after its moment
        ("2026-06-17T20:00", Reason.TOLD_RECENTLY, Reason.TOLD_RECENTLY),
    ],
)
def test_a_reminder_right_after_the_booking_is_skipped(booked, three_days, one_day):
    now = utc(booked)
    planned = planned_messages(visit(since=now), now)
    assert [p.skip for p in planned] == [None, three_days, one_day]


@pytest.mark.parametrize(
    ("now", "three_days", "one_day"),
    [
        ("2026-06-15T20:00", None, None),
        ("2026-06-16T12:59", None, None),
        ("2026-06-16T13:00", Reason.TOO_LATE, None),
        ("2026-06-18T08:59", Reason.TOO_LATE, None),
        ("2026-06-18T09:00", Reason.TOO_LATE, Reason.TOO_LATE),
    ],
)
def test_a_scan_after_an_outage_skips_what_is_too_late(now, three_days, one_day):
    planned = planned_messages(visit(), utc(now))
    assert [p.skip for p in planned] == [None, three_days, one_day]


@pytest.mark.parametrize(
    ("zone", "start", "days", "expected"),
    [
        # Clocks in New York go forward on 8 Mar 2026 and back on 1 Nov 2026: nine o'clock stays nine o'clock.
        (NEW_YORK, "2026-03-09T13:00", 3, "2026-03-06T14:00"),
        (NEW_YORK, "2026-03-09T13:00", 1, "2026-03-08T13:00"),
        (NEW_YORK, "2026-11-02T14:00", 3, "2026-10-30T13:00"),
        (NEW_YORK, "2026-11-02T14:00", 1, "2026-11-01T14:00"),
        ("America/Phoenix", "2026-03-09T16:00", 1, "2026-03-08T16:00"),
        ("Europe/London", "2026-03-30T08:00", 1, "2026-03-29T08:00"),
        ("Europe/London", "2026-10-26T09:00", 3, "2026-10-23T08:00"),
        ("Australia/Lord_Howe", "2026-10-04T23:00", 1, "2026-10-03T22:00"),
        ("Australia/Lord_Howe", "2026-10-04T23:00", 3, "2026-10-01T22:30"),
        ("Asia/Kathmandu", "2026-03-09T13:00", 1, "2026-03-08T03:15"),
        # The visit's day is the patient's day: 23:30 in Honolulu is the next day in New York.
        ("Pacific/Honolulu", "2026-06-19T09:30", 1, "2026-06-17T19:00"),
        ("Pacific/Kiritimati", "2026-06-18T13:00", 1, "2026-06-17T19:00"),
    ],
)
def test_day_reminders_come_at_nine_on_the_patients_wall_clock(zone, start, days, expected):
    assert day_reminder_moment(days, utc(start), zone, NIGHT) == utc(expected)


@pytest.mark.parametrize(
    ("zone", "quiet", "instant", "expected"),
    [
        (NEW_YORK, NIGHT, "2026-06-15T11:59", "2026-06-15T12:00"),
        (NEW_YORK, NIGHT, "2026-06-15T12:00", "2026-06-15T12:00"),
        (NEW_YORK, NIGHT, "2026-06-15T23:59", "2026-06-15T23:59"),
        (NEW_YORK, NIGHT, "2026-06-16T00:00", "2026-06-16T12:00"),  # 20:00
        (NEW_YORK, NIGHT, "2026-03-08T02:00", "2026-03-08T12:00"),  # the night in which clocks go forward
        (NEW_YORK, NIGHT, "2026-11-01T02:00", "2026-11-01T13:00"),  # and the one in which they go back
        ("America/Los_Angeles", NIGHT, "2026-06-15T13:00", "2026-06-15T15:00"),
        (NEW_YORK, QuietHours(dt.time(12), dt.time(14)), "2026-06-15T16:30", "2026-06-15T18:00"),
        (NEW_YORK, QuietHours(dt.time(8), dt.time(8)), "2026-06-15T12:00", "2026-06-15T12:00"),  # none at all
        # Quiet hours that end in the hour that clocks skip end an hour later.
        (NEW_YORK, QuietHours(dt.time(20), dt.time(2, 30)), "2026-03-08T06:00", "2026-03-08T07:30"),
        # The end of the quiet hours happens twice: the second pass is not sent back in time.
        (NEW_YORK, QuietHours(dt.time(20), dt.time(1, 30)), "2026-11-01T06:15", "2026-11-01T06:15"),
    ],
)
def test_quiet_hours_end_in_the_morning_of_the_patient(zone, quiet, instant, expected):
    assert next_allowed(utc(instant), zone, quiet) == utc(expected)


def test_a_decent_hour_inside_long_quiet_hours_waits_for_their_end():
    late_riser = QuietHours(dt.time(20), dt.time(10, 30))
    assert day_reminder_moment(1, utc("2026-06-18T13:00"), NEW_YORK, late_riser) == utc("2026-06-17T14:30")


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (Kind.CONFIRMATION, "2026-06-18T13:00"),
        (Kind.MOVED, "2026-06-18T13:00"),
        (Kind.CANCELLED, "2026-06-18T13:00"),
        (Kind.DAYS_7, "2026-06-12T13:00"),
        (Kind.DAYS_3, "2026-06-16T13:00"),
        (Kind.DAYS_1, "2026-06-18T09:00"),
        (Kind.HYDRATION, "2026-06-18T00:00"),  # 20:00 in New York
    ],
)
def test_each_kind_has_a_moment_after_which_it_is_not_sent(kind, expected):
    assert latest_moment(kind, utc("2026-06-18T13:00"), NEW_YORK, NIGHT) == utc(expected)


def test_every_day_that_a_site_may_choose_is_a_kind_of_message():
    assert tuple(DAYS_BEFORE.values()) == REMINDER_DAYS
    planned = planned_messages(visit(reminder_days=REMINDER_DAYS), utc("2026-06-01T15:00"))
    assert [message.kind for message in planned] == [Kind.CONFIRMATION, *DAYS_BEFORE]
