"""Advice after a visit in the ledger: owed once, sent though the visit is over, with consent and not at night."""

import datetime as dt

import pytest
from django.core import mail

from infusion_center.audit.models import AuditEvent
from infusion_center.core.rules import RuleViolation
from infusions.orders.models import InfusionOrder, OrderStatus
from infusions.reminders.advice import owe_advice
from infusions.reminders.models import Kind, Reason, Reminder, ReminderState
from infusions.reminders.services import plan_reminders, send_due
from infusions.scheduling.models import Appointment
from infusions.scheduling.states import State
from patients.models import Channel, Patient
from patients.services import set_contact_consent
from tests.factories.accounts import make_staff
from tests.factories.scheduling import make_appointment
from tests.infusions.reminders.scene import NOON

pytestmark = pytest.mark.django_db
EVENING = NOON + dt.timedelta(hours=11)


@pytest.fixture(autouse=True)
def noon(time_machine):
    time_machine.move_to(NOON, tick=False)


@pytest.fixture
def visit():
    """Began four hours ago and is over."""
    made = make_appointment(start=NOON - dt.timedelta(hours=4), state=State.COMPLETED)
    return Appointment.objects.get(pk=made.pk)


@pytest.fixture
def nurse():
    return make_staff()


def rows() -> list[tuple]:
    return list(Reminder.objects.filter(kind=Kind.ADVICE).values_list("kind", "state", "reason"))


def test_advice_is_owed_once_and_sent_though_the_visit_is_over(visit, nurse):
    assert owe_advice(appointment=visit, by=nurse) == owe_advice(appointment=visit, by=nurse)
    plan_reminders()
    assert dict(send_due()) == {"sent": 1}
    assert rows() == [(Kind.ADVICE, ReminderState.SENT, "")]
    sent = mail.outbox[0]
    assert (sent.to, sent.attachments, "Call 911 at once" in sent.body) == ([visit.patient.email], [], True)
    assert AuditEvent.objects.filter(action="reminder.advice_owed", actor_id=nurse.pk).count() == 1


def test_the_scan_leaves_advice_alone_when_the_visit_changed(visit, nurse):
    owe_advice(appointment=visit, by=nurse)
    Appointment.objects.filter(pk=visit.pk).update(version=visit.version + 1, updated_at=NOON)
    assert plan_reminders()["skipped"] == 0
    assert dict(send_due()) == {"sent": 1}


def test_an_order_held_for_a_reaction_does_not_hold_the_advice(visit, nurse):
    owe_advice(appointment=visit, by=nurse)
    InfusionOrder.objects.update(status=OrderStatus.HELD)
    assert dict(send_due()) == {"sent": 1}


def test_advice_waits_for_the_morning(visit, nurse, time_machine):
    time_machine.move_to(EVENING, tick=False)
    owed = owe_advice(appointment=visit, by=nurse)
    assert owed.due_at > EVENING
    Reminder.objects.update(due_at=EVENING)
    assert dict(send_due()) == {"postponed": 1}


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda visit: Appointment.objects.update(state=State.ARRIVED), "advice-before-visit"),
        (lambda visit: Patient.objects.update(email=""), "not-sendable-no_address"),
        (lambda visit: withdraw(visit), "not-sendable-no_consent"),
    ],
)
def test_owe_advice_refuses(visit, nurse, change, code):
    change(visit)
    with pytest.raises(RuleViolation) as refused:
        owe_advice(appointment=Appointment.objects.get(pk=visit.pk), by=nurse)
    assert (refused.value.codes, rows()) == ({code}, [])


def test_consent_withdrawn_before_sending_skips_it(visit, nurse):
    owe_advice(appointment=visit, by=nurse)
    withdraw(visit)
    assert dict(send_due()) == {"skipped": 1}
    assert rows() == [(Kind.ADVICE, ReminderState.SKIPPED, Reason.NO_CONSENT)]


def withdraw(visit):
    set_contact_consent(patient=visit.patient, channel=Channel.EMAIL, consents=False, by=make_staff())
