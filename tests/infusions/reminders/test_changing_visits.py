"""A visit as the booking services change it: each change reaches the patient once, in order, as one calendar entry."""

import datetime as dt

import pytest
from django.core import mail
from icalendar import Calendar

from infusions.reminders.models import Kind, Reminder, ReminderState
from infusions.reminders.services import plan_reminders, send_due
from infusions.scheduling.booking import cancel_appointment, move_appointment
from infusions.scheduling.models import Appointment
from tests.factories.scheduling import make_appointment
from tests.infusions.reminders.scene import NOON, VISIT_DAY

pytestmark = pytest.mark.django_db


@pytest.fixture
def tick(time_machine):
    """tick(hours): so much later, after one scan of planner and sender."""
    moment = NOON
    time_machine.move_to(moment, tick=False)

    def later(hours: float = 1):
        nonlocal moment
        plan_reminders()
        send_due()
        moment += dt.timedelta(hours=hours)
        time_machine.move_to(moment, tick=False)

    return later


def calendar_entries() -> list[tuple]:
    """(method, sequence, start) of each mail sent, in order."""
    found = []
    for message in mail.outbox:
        [attachment] = message.attachments
        calendar = Calendar.from_ical(attachment.get_payload(decode=True))
        [event] = calendar.walk("VEVENT")
        found.append((str(calendar["METHOD"]), event["SEQUENCE"], event["DTSTART"].dt))
    return found


def test_booking_moving_and_cancelling_reach_the_patient_once_each(tick, scheduler):
    visit = make_appointment(day=VISIT_DAY)
    first, second = visit.start, visit.start + dt.timedelta(hours=1)
    tick()
    move_appointment(appointment=visit, start=second, by=scheduler, override_reason="asked for by the patient")
    tick()
    cancel_appointment(appointment=Appointment.objects.get(), reason="Asked by the patient", by=scheduler)
    for _ in range(3):
        tick(24)
    assert calendar_entries() == [("REQUEST", 0, first), ("REQUEST", 1, second), ("CANCEL", 2, second)]
    assert not Reminder.objects.filter(state=ReminderState.OWED).exists()


def test_a_visit_moved_before_the_first_scan_is_confirmed_at_its_new_time_only(tick, scheduler):
    visit = make_appointment(day=VISIT_DAY)
    second = visit.start + dt.timedelta(hours=1)
    move_appointment(appointment=visit, start=second, by=scheduler, override_reason="asked for by the patient")
    tick()
    assert calendar_entries() == [("REQUEST", 1, second)]


def test_an_unchanged_visit_gets_its_messages_at_their_hours(tick):
    visit = make_appointment(day=VISIT_DAY)
    for _ in range(18 * 8):
        tick(3)
    sent = visit.reminders.order_by("settled_at").values_list("kind", "state", "settled_at")
    assert list(sent) == [
        (Kind.CONFIRMATION, ReminderState.SENT, NOON),
        (Kind.DAYS_3, ReminderState.SENT, dt.datetime(2026, 6, 15, 13, tzinfo=dt.UTC)),
        (Kind.DAYS_1, ReminderState.SENT, dt.datetime(2026, 6, 17, 13, tzinfo=dt.UTC)),
        (Kind.HYDRATION, ReminderState.SENT, dt.datetime(2026, 6, 17, 22, tzinfo=dt.UTC)),
    ]
    assert [message.to for message in mail.outbox].count([visit.patient.email]) == 4
