"""Sending from the ledger: what goes, and what does not because the world moved on meanwhile."""

import datetime as dt

import pytest
from django.core import mail
from django.db import DatabaseError, transaction

from infusion_center.audit.models import AuditEvent
from infusion_center.core.rules import RuleViolation
from infusions.orders.models import InfusionOrder, OrderStatus
from infusions.reminders.models import Kind, Reason, Reminder, ReminderState
from infusions.reminders.services import plan_reminders, resend_reminder, send_due
from infusions.scheduling.models import Appointment
from infusions.scheduling.states import State
from patients.models import Channel, Patient
from patients.services import set_contact_consent
from tests.factories.patients import make_patient
from tests.factories.reminders import make_reminder
from tests.factories.scheduling import make_appointment
from tests.infusions.reminders.scene import MINUTE, NOON, VISIT_DAY, cancelled, moved

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def noon(time_machine):
    time_machine.move_to(NOON, tick=False)


@pytest.fixture
def appointment():
    return make_appointment(day=VISIT_DAY)


def test_sending_mails_what_is_due_and_records_it(appointment):
    plan_reminders()
    assert dict(send_due(worker="w1")) == {"sent": 1}
    sent = Reminder.objects.get(state=ReminderState.SENT)
    assert (sent.kind, sent.settled_at, sent.tries, sent.claimed_by) == (Kind.CONFIRMATION, NOON, 1, "w1")
    assert [(m.to, m.extra_headers["Message-ID"]) for m in mail.outbox] == [
        ([appointment.patient.email], sent.message_id)
    ]
    event = AuditEvent.objects.get(action="reminder.sent")
    assert (event.actor_name, event.patient_id, event.target_id) == (
        "System",
        appointment.patient.public_id,
        sent.public_id,
    )


def test_sending_again_sends_nothing_more(appointment):
    plan_reminders()
    send_due()
    assert dict(send_due()) == {}
    assert len(mail.outbox) == 1


def test_a_sent_reminder_resists_change(appointment):
    sent = make_reminder(appointment=appointment, state=ReminderState.SENT)
    for attempt in (Reminder.objects.filter(pk=sent.pk).delete, lambda: Reminder.objects.update(tries=9)):
        with pytest.raises(DatabaseError), transaction.atomic():
            attempt()
    assert list(Reminder.objects.values_list("pk", "tries")) == [(sent.pk, 0)]


def skip_cases():
    def close(a):
        Patient.objects.filter(pk=a.patient_id).update(is_active=False)

    def forget(a):
        Patient.objects.filter(pk=a.patient_id).update(email="")

    def refuse(a):
        set_contact_consent(patient=a.patient, channel=Channel.EMAIL, consents=False, by=None)

    def stop_order(a):
        InfusionOrder.objects.filter(pk=a.order_id).update(status=OrderStatus.STOPPED)

    def arrive(a):
        Appointment.objects.filter(pk=a.pk).update(state=State.ARRIVED)

    def miss(a):
        Appointment.objects.filter(pk=a.pk).update(state=State.NO_SHOW)

    return [
        (moved, Kind.CONFIRMATION, Reason.MOVED),
        (moved, Kind.DAYS_3, Reason.MOVED),
        (cancelled, Kind.DAYS_3, Reason.CANCELLED),
        (arrive, Kind.DAYS_1, Reason.BEGUN),
        (miss, Kind.DAYS_1, Reason.BEGUN),
        (close, Kind.DAYS_3, Reason.INACTIVE),
        (refuse, Kind.CONFIRMATION, Reason.NO_CONSENT),
        (forget, Kind.CONFIRMATION, Reason.NO_ADDRESS),
        (stop_order, Kind.DAYS_3, Reason.ORDER_STOPPED),
    ]


@pytest.mark.parametrize(("happens", "kind", "reason"), skip_cases())
def test_what_happened_since_planning_decides_at_sending(appointment, happens, kind, reason):
    reminder = make_reminder(appointment=appointment, kind=kind)
    happens(appointment)
    assert dict(send_due()) == {"skipped": 1}
    reminder.refresh_from_db()
    assert (reminder.state, reminder.reason, mail.outbox) == (ReminderState.SKIPPED, reason, [])
    assert AuditEvent.objects.get(action="reminder.skipped").detail["reason"] == reason


def test_a_reminder_of_a_visit_that_has_begun_is_skipped(appointment, time_machine):
    reminder = make_reminder(appointment=appointment)
    time_machine.move_to(appointment.start)
    send_due()
    reminder.refresh_from_db()
    assert (reminder.reason, mail.outbox) == (Reason.BEGUN, [])


def test_a_reminder_that_waited_through_an_outage_is_not_sent_absurdly_late(appointment, time_machine):
    reminder = make_reminder(appointment=appointment, kind=Kind.DAYS_3)
    time_machine.move_to(appointment.start - dt.timedelta(days=2))
    send_due()
    reminder.refresh_from_db()
    assert (reminder.reason, mail.outbox) == (Reason.TOO_LATE, [])


def test_a_day_reminder_that_the_site_switched_off_is_skipped(appointment):
    reminder = make_reminder(appointment=appointment, kind=Kind.DAYS_7)
    send_due()
    reminder.refresh_from_db()
    assert (reminder.reason, mail.outbox) == (Reason.SWITCHED_OFF, [])


def test_a_cancellation_goes_only_to_a_patient_who_knew_of_the_visit(appointment):
    cancelled(appointment)
    untold = make_reminder(appointment=appointment, kind=Kind.CANCELLED)
    send_due()
    untold.refresh_from_db()
    assert (untold.reason, mail.outbox) == (Reason.NEVER_TOLD, [])


def test_reminders_wait_for_the_morning_where_the_patient_lives(time_machine):
    patient = make_patient(time_zone="America/Los_Angeles")
    appointment = make_appointment(patient=patient, day=dt.date(2026, 6, 18))
    reminder = make_reminder(appointment=appointment, kind=Kind.MOVED, appointment_version=1)
    time_machine.move_to(dt.datetime(2026, 6, 2, 13, tzinfo=dt.UTC))  # nine in New York, six in Los Angeles
    assert dict(send_due()) == {"postponed": 1}
    reminder.refresh_from_db()
    assert (reminder.state, reminder.due_at, reminder.tries) == (
        ReminderState.OWED,
        dt.datetime(2026, 6, 2, 15, tzinfo=dt.UTC),
        0,
    )
    assert mail.outbox == []


def test_a_confirmation_goes_at_once_even_at_night(appointment, time_machine):
    make_reminder(appointment=appointment)
    time_machine.move_to(dt.datetime(2026, 6, 2, 6, tzinfo=dt.UTC))
    assert dict(send_due()) == {"sent": 1}


def test_messages_wait_while_the_order_is_on_hold(appointment):
    InfusionOrder.objects.update(status=OrderStatus.HELD)
    reminder = make_reminder(appointment=appointment)
    assert dict(send_due()) == {"postponed": 1}
    reminder.refresh_from_db()
    assert (reminder.state, reminder.due_at, mail.outbox) == (ReminderState.OWED, NOON + 60 * MINUTE, [])


def test_resending_owes_the_same_message_once_more(appointment, scheduler):
    failed = make_reminder(appointment=appointment, state=ReminderState.FAILED, reason=Reason.ADDRESS_REFUSED)
    again = resend_reminder(reminder=failed, reason="Address corrected", by=scheduler)
    assert (again.kind, again.resend_no, again.due_at, again.requested_by, again.request_reason) == (
        failed.kind,
        1,
        NOON,
        scheduler,
        "Address corrected",
    )
    assert dict(send_due()) == {"sent": 1}
    failed.refresh_from_db()
    assert failed.state == ReminderState.FAILED
    assert AuditEvent.objects.filter(action="reminder.resend_requested", actor_id=scheduler.pk).count() == 1


def test_a_sent_message_can_be_sent_again_under_an_id_of_its_own(appointment, scheduler):
    plan_reminders()
    send_due()
    first = Reminder.objects.get(state=ReminderState.SENT)
    resend_reminder(reminder=first, reason="Deleted by mistake", by=scheduler)
    send_due()
    assert len({m.extra_headers["Message-ID"] for m in mail.outbox}) == 2


@pytest.mark.parametrize(
    ("happens", "reason", "code"),
    [
        (lambda a: None, " ", "reason-missing"),
        (moved, "x", "not-sendable-moved"),
        (cancelled, "x", "not-sendable-cancelled"),
        (lambda a: make_reminder(appointment=a, resend_no=1), "x", "already-owed"),
        (lambda a: Patient.objects.update(email=""), "x", "not-sendable-no_address"),
    ],
)
def test_resending_is_refused(appointment, scheduler, happens, reason, code):
    sent = make_reminder(appointment=appointment, state=ReminderState.SENT)
    happens(appointment)
    sent.refresh_from_db()
    before = Reminder.objects.count()
    with pytest.raises(RuleViolation) as refused:
        resend_reminder(reminder=Reminder.objects.with_visit().get(pk=sent.pk), reason=reason, by=scheduler)
    assert (refused.value.codes, Reminder.objects.count()) == ({code}, before)
