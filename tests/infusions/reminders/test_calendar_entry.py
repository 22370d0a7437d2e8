"""The calendar entry as another parser than the one that wrote it reads it, over moves, zones and clock changes."""

import datetime as dt
import re
from email import message_from_bytes, policy

import pytest
from ical.calendar_stream import IcsCalendarStream

from infusions.facility.models import Setting
from infusions.reminders.delivery import build_mail
from infusions.reminders.invitation import calendar_entry
from infusions.reminders.models import Kind
from tests.factories.facility import make_site
from tests.factories.patients import make_patient
from tests.factories.reminders import make_reminder
from tests.factories.scheduling import make_appointment
from tests.infusions.reminders.scene import NOON, VISIT_DAY, cancelled, moved

pytestmark = pytest.mark.django_db
AWKWARD = 'Haus; "Ann\'s", Süd \\ 🌊 ' + "lang " * 9


@pytest.fixture(autouse=True)
def noon(time_machine):
    time_machine.move_to(NOON, tick=False)


def visit(*, site_zone="America/New_York", zone="America/New_York", day=VISIT_DAY, name="Riverside", **fields):
    site = make_site(mail_name=name.strip(), name="Center", address="1 River Road, Exampleton", time_zone=site_zone)
    return make_appointment(site=site, patient=make_patient(time_zone=zone), day=day, **fields)


def entry_of(appointment, kind=Kind.CONFIRMATION) -> bytes:
    reminder = make_reminder(appointment=appointment, kind=kind)
    return calendar_entry(reminder, sender="visits@example.org", now=NOON)


def read(entry: bytes):
    """The calendar and its one event, by the independent parser."""
    (calendar,) = IcsCalendarStream.from_ics(entry.decode()).calendars
    (event,) = calendar.events
    return calendar, event


def test_a_visit_moved_twice_and_cancelled_is_one_entry_with_rising_numbers():
    appointment = visit()
    told = [facts(entry_of(appointment))]
    for days in (7, 1):
        told.append(facts(entry_of(moved(appointment, days), Kind.MOVED)))
    told.append(facts(entry_of(cancelled(appointment), Kind.CANCELLED)))
    uid = f"{appointment.public_id}@127.0.0.1"
    assert told == [
        ("REQUEST", uid, 0, "CONFIRMED", "2026-06-18T13:00:00+00:00"),
        ("REQUEST", uid, 1, "CONFIRMED", "2026-06-25T13:00:00+00:00"),
        ("REQUEST", uid, 2, "CONFIRMED", "2026-06-26T13:00:00+00:00"),
        ("CANCEL", uid, 3, "CANCELLED", "2026-06-26T13:00:00+00:00"),
    ]


def facts(entry: bytes) -> tuple:
    calendar, event = read(entry)
    return calendar.method, event.uid, event.sequence, event.status.value, event.dtstart.isoformat()


@pytest.mark.parametrize(
    ("zone", "day", "start"),
    [
        ("America/New_York", "2026-03-07", "14:00"),
        ("America/New_York", "2026-03-09", "13:00"),
        ("America/New_York", "2026-10-31", "13:00"),
        ("America/New_York", "2026-11-02", "14:00"),
        ("America/Phoenix", "2026-03-09", "16:00"),
        ("Europe/London", "2026-03-28", "09:00"),
        ("Europe/London", "2026-03-30", "08:00"),
        ("Australia/Lord_Howe", "2026-04-03", "22:00"),  # of the day before; half an hour of summer time
        ("Australia/Lord_Howe", "2026-04-06", "22:30"),
        ("Asia/Kathmandu", "2026-10-26", "03:15"),
    ],
)
def test_nine_o_clock_at_the_site_is_the_right_instant_on_both_sides_of_clock_changes(zone, day, start):
    appointment = visit(site_zone=zone, zone=zone, day=dt.date.fromisoformat(day))
    _, event = read(entry_of(appointment))
    assert (event.dtstart, event.dtend) == (appointment.start, appointment.end)
    assert (event.dtstart.strftime("%H:%M"), event.dtstart.utcoffset()) == (start, dt.timedelta())


@pytest.mark.parametrize(
    ("zone", "setting", "description"),
    [
        ("America/New_York", Setting.FACILITY, None),
        ("America/Toronto", Setting.FACILITY, None),  # another name, the same clock
        (
            "America/Los_Angeles",
            Setting.FACILITY,
            "Thursday, June 18, 2026\n09:00 (New York time)\n06:00, Los Angeles time",
        ),
        ("America/Chicago", Setting.HOME, "Thursday, June 18, 2026\n08:00 (Chicago time)"),
    ],
)
def test_whoever_lives_in_another_zone_finds_the_times_by_name(zone, setting, description):
    _, event = read(entry_of(visit(zone=zone, setting=setting)))
    assert event.description == description


def test_awkward_names_survive_and_lines_keep_to_the_format():
    entry = entry_of(visit(name=AWKWARD))
    _, event = read(entry)
    assert event.location == f"{AWKWARD.strip()}, 1 River Road, Exampleton"
    lines = entry.split(b"\r\n")
    assert (lines[-1], max(map(len, lines)) <= 75, re.search(rb"(?<!\r)\n", entry)) == (b"", True, None)
    assert [line.decode() for line in lines]  # no fold cuts a character in two


def test_the_mail_names_the_method_of_its_calendar_part():
    appointment = visit()
    parts = [calendar_part(appointment, Kind.DAYS_3), calendar_part(cancelled(appointment), Kind.CANCELLED)]
    assert [part.get_content_type() for part in parts] == ["text/calendar"] * 2
    assert [part["Content-Type"].params["method"] for part in parts] == ["REQUEST", "CANCEL"]
    assert [part["Content-Type"].params["charset"] for part in parts] == ["utf-8"] * 2
    assert [read(part.get_payload(decode=True))[0].method for part in parts] == ["REQUEST", "CANCEL"]


def calendar_part(appointment, kind):
    mail = build_mail(make_reminder(appointment=appointment, kind=kind), NOON)
    parsed = message_from_bytes(mail.message().as_bytes(), policy=policy.default)
    return next(part for part in parsed.walk() if part.get_content_type() == "text/calendar")
