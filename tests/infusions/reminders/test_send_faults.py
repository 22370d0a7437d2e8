"""Sending when the mail server does not want, a text cannot be written, or a sender dies."""

import datetime as dt
import smtplib

import pytest
from django.core import mail

from infusions.reminders import delivery
from infusions.reminders.models import Kind, Reason, Reminder, ReminderState
from infusions.reminders.services import claim, plan_reminders, send_due
from infusions.scheduling.booking import cancel_appointment
from patients.models import Patient
from tests.factories.patients import make_patient
from tests.factories.reminders import make_reminder
from tests.factories.scheduling import make_appointment
from tests.infusions.reminders.scene import MINUTE, NOON, VISIT_DAY

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def noon(time_machine):
    time_machine.move_to(NOON, tick=False)


@pytest.fixture
def appointment():
    return make_appointment(day=VISIT_DAY)


def server_says(monkeypatch, error):
    def send(self, *args, **kwargs):
        raise error

    monkeypatch.setattr("django.core.mail.backends.locmem.EmailBackend.send_messages", send)


def answer_lost(monkeypatch):
    with monkeypatch.context() as during:
        server_says(during, smtplib.SMTPServerDisconnected("gone"))
        send_due()


def sender_died(monkeypatch):
    assert claim(Reminder.objects.get(kind=Kind.CONFIRMATION).pk, worker="dead", now=NOON)


@pytest.mark.parametrize("lost", [answer_lost, sender_died])
def test_a_patient_who_may_have_the_confirmation_is_told_that_the_visit_is_cancelled(monkeypatch, scheduler, lost):
    """The mail server took it, and the answer never came, or the sender died before it could record it."""
    visit = make_appointment(day=VISIT_DAY)
    plan_reminders()
    lost(monkeypatch)
    cancel_appointment(appointment=visit, reason="Asked by the patient", by=scheduler)
    later = NOON + dt.timedelta(minutes=5)
    plan_reminders(now=later)
    send_due(now=later)
    of_booking = Reminder.objects.filter(kind__in=[Kind.CONFIRMATION, Kind.CANCELLED])
    states = dict(of_booking.values_list("kind", "state"))
    assert states == {Kind.CONFIRMATION: ReminderState.SKIPPED, Kind.CANCELLED: ReminderState.SENT}


@pytest.mark.parametrize(
    "error",
    [
        smtplib.SMTPRecipientsRefused({"x@example.org": (450, b"greylisted")}),
        smtplib.SMTPDataError(451, b"try later"),
        smtplib.SMTPServerDisconnected("gone"),
        TimeoutError("slow"),
    ],
)
def test_a_temporary_refusal_is_tried_again_after_a_pause(appointment, monkeypatch, error, time_machine):
    reminder = make_reminder(appointment=appointment)
    server_says(monkeypatch, error)
    assert dict(send_due()) == {"retried": 1}
    reminder.refresh_from_db()
    assert (reminder.state, reminder.tries, reminder.due_at) == (ReminderState.OWED, 1, NOON + 2 * MINUTE)
    assert reminder.detail != ""
    assert dict(send_due()) == {}
    monkeypatch.undo()
    time_machine.move_to(NOON + 2 * MINUTE)
    assert dict(send_due()) == {"sent": 1}


@pytest.mark.parametrize(
    "error",
    [
        smtplib.SMTPRecipientsRefused({"x@example.org": (550, b"no such user")}),
        smtplib.SMTPDataError(554, b"rejected"),
    ],
)
def test_a_permanent_refusal_is_recorded_and_not_tried_again(appointment, monkeypatch, error):
    reminder = make_reminder(appointment=appointment)
    server_says(monkeypatch, error)
    assert dict(send_due()) == {"failed": 1}
    reminder.refresh_from_db()
    assert (reminder.state, reminder.reason) == (ReminderState.FAILED, Reason.ADDRESS_REFUSED)
    assert reminder.detail in ("550 no such user", "554 rejected")
    assert dict(send_due()) == {}


def test_a_message_that_is_never_taken_is_given_up_in_the_end(appointment, monkeypatch):
    reminder = make_reminder(appointment=appointment, tries=11)
    server_says(monkeypatch, smtplib.SMTPServerDisconnected("gone"))
    assert dict(send_due()) == {"failed": 1}
    reminder.refresh_from_db()
    assert (reminder.state, reminder.reason) == (ReminderState.FAILED, Reason.GAVE_UP)


def test_a_server_that_is_away_ends_the_sweep_and_costs_no_try(appointment, monkeypatch):
    first, second = make_reminder(appointment=appointment), make_reminder()

    def refuse(self):
        raise ConnectionRefusedError("nobody there")

    monkeypatch.setattr("django.core.mail.backends.locmem.EmailBackend.open", refuse)
    assert dict(send_due()) == {"unavailable": 1}
    states = Reminder.objects.filter(pk__in=[first.pk, second.pk]).values_list("state", "tries", "due_at")
    assert set(states) == {(ReminderState.OWED, 0, NOON)}


def test_a_text_that_cannot_be_written_does_not_hold_up_the_others(appointment, monkeypatch):
    make_reminder(appointment=appointment, due_at=NOON - MINUTE)
    make_reminder()
    build = delivery.build_mail

    def broken_for_the_first(reminder, now):
        if reminder.appointment_id == appointment.pk:
            raise KeyError("name")
        return build(reminder, now)

    monkeypatch.setattr(delivery, "build_mail", broken_for_the_first)
    assert dict(send_due()) == {"retried": 1, "sent": 1}
    assert Reminder.objects.get(appointment=appointment).detail == "not written: KeyError"


def test_an_address_that_no_header_can_hold_does_not_hold_up_the_others(monkeypatch):
    """The form takes it: only its encoded name is too long."""
    monkeypatch.setattr("django.core.mail.backends.locmem.EmailBackend.send_messages", written_as_smtp_does)
    faulty, other = (make_patient(email=address) for address in (f"a@{'ü' * 60}.example", "b@other.example"))
    faulty.full_clean()
    rows = [make_reminder(appointment=make_appointment(patient=one, day=VISIT_DAY)) for one in (faulty, other)]
    assert dict(send_due()) == {"retried": 1, "sent": 1}
    details = Reminder.objects.filter(pk__in=[row.pk for row in rows]).order_by("pk")
    assert list(details.values_list("detail", flat=True)) == ["not handed over: UnicodeError", ""]


def written_as_smtp_does(self, messages):
    return sum(len(message.message().as_bytes()) > 0 for message in messages)


def test_what_a_server_says_is_kept_without_what_the_database_cannot_keep(appointment, monkeypatch):
    reminder = make_reminder(appointment=appointment)
    server_says(monkeypatch, smtplib.SMTPDataError(554, b"no\x00pe\r\n\xff"))
    assert dict(send_due()) == {"failed": 1}
    reminder.refresh_from_db()
    assert reminder.detail == "554 no pe \ufffd"


def test_a_fault_in_one_visit_stops_neither_planning_nor_sending_for_the_others(appointment):
    unplanned, broken = make_appointment(day=VISIT_DAY), make_appointment(day=VISIT_DAY)
    faulty = make_reminder(appointment=broken, kind=Kind.MOVED, due_at=NOON - MINUTE)
    patients = [unplanned.patient_id, broken.patient_id]
    Patient.objects.filter(pk__in=patients).update(time_zone="Nowhere/Land")
    plan_reminders()
    assert (unplanned.reminders.count(), appointment.reminders.count()) == (0, 4)
    assert dict(send_due()) == {"retried": 1, "sent": 1}
    faulty.refresh_from_db()
    assert faulty.detail == "not decided: ZoneInfoNotFoundError"


def test_a_claim_is_for_one_sender_until_its_lease_runs_out(appointment, settings):
    reminder = make_reminder(appointment=appointment)
    first = claim(reminder.pk, worker="a", now=NOON)
    lease = dt.timedelta(seconds=settings.REMINDER_LEASE_SECONDS)
    assert (first.state, first.tries, first.lease_until) == (ReminderState.CLAIMED, 1, NOON + lease)
    assert claim(reminder.pk, worker="b", now=NOON + lease - MINUTE / 60) is None
    assert claim(reminder.pk, worker="b", now=NOON + lease).tries == 2


def test_what_a_dead_sender_left_is_sent_after_its_lease_under_the_same_message_id(appointment, time_machine):
    reminder = make_reminder(appointment=appointment)
    dead = claim(reminder.pk, worker="a", now=NOON)
    assert dict(send_due()) == {}
    time_machine.move_to(dead.lease_until)
    assert dict(send_due()) == {"sent": 1}
    assert [m.extra_headers["Message-ID"] for m in mail.outbox] == [f"<{reminder.public_id}@127.0.0.1>"]


def test_a_sender_whose_lease_ran_out_records_nothing(appointment, monkeypatch):
    reminder = make_reminder(appointment=appointment)

    def slow(self, messages):
        claim(reminder.pk, worker="other", now=NOON + dt.timedelta(hours=1))

    monkeypatch.setattr("django.core.mail.backends.locmem.EmailBackend.send_messages", slow)
    assert dict(send_due(worker="slow")) == {"lost": 1}
    reminder.refresh_from_db()
    assert (reminder.state, reminder.claimed_by, reminder.tries) == (ReminderState.CLAIMED, "other", 2)
