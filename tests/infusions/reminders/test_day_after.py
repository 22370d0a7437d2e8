"""The mail of the day after a visit: owed to whoever was infused, once, for three days."""

import datetime as dt

import pytest
from django.core import mail

from infusions.facility.models import Site
from infusions.orders.models import InfusionOrder, OrderStatus
from infusions.reminders.day_after import plan_after_care
from infusions.reminders.models import Kind, Reason, Reminder, ReminderState
from infusions.reminders.services import plan_reminders, resend_reminder, send_due
from infusions.scheduling.models import Appointment
from infusions.scheduling.states import State
from patients.models import Channel, Patient
from patients.services import set_contact_consent
from tests.factories.accounts import make_staff
from tests.factories.reminders import make_reminder
from tests.factories.scheduling import make_appointment
from tests.infusions.reminders.scene import NOON

pytestmark = pytest.mark.django_db
TEN = dt.datetime(2026, 6, 2, 14, tzinfo=dt.UTC)  # the next morning in New York
HOUR = dt.timedelta(hours=1)


@pytest.fixture(autouse=True)
def noon(time_machine):
    time_machine.move_to(NOON, tick=False)


@pytest.fixture
def visit():
    """Over since noon."""
    return make_appointment(start=NOON - 4 * HOUR, state=State.COMPLETED)


def ledger() -> list[tuple]:
    return list(Reminder.objects.filter(kind=Kind.AFTER_CARE).values_list("due_at", "state", "reason"))


@pytest.mark.parametrize("state", [State.COMPLETED, State.STOPPED_EARLY])
def test_whoever_was_infused_is_asked_the_next_morning(state, time_machine):
    visit = make_appointment(start=NOON - 4 * HOUR, state=state)
    plan_reminders()
    plan_reminders()
    assert (ledger(), dict(send_due())) == ([(TEN, ReminderState.OWED, "")], {})
    time_machine.move_to(TEN, tick=False)
    assert dict(send_due()) == {"sent": 1}
    [sent] = mail.outbox
    assert (sent.to, sent.subject) == (
        [visit.patient.email],
        "How are you after your appointment on Monday, June 1, 2026?",
    )


@pytest.mark.parametrize(
    ("state", "fields"),
    [
        (State.ARRIVED, {}),
        (State.IN_PROGRESS, {}),
        (State.NO_SHOW, {}),
        (State.CANCELLED, {}),
        (State.STOPPED_EARLY, {"started_at": None}),
    ],
)
def test_whoever_was_not_infused_to_an_end_is_not(state, fields):
    make_appointment(start=NOON - 4 * HOUR, state=state, **fields)
    assert (plan_after_care(NOON), ledger()) == (0, [])


def test_a_site_that_does_not_send_it_is_planned_none(visit):
    Site.objects.update(sends_after_care_mail=False)
    assert (plan_after_care(NOON), ledger()) == (0, [])


@pytest.mark.parametrize(
    ("days", "expected"),
    [
        (2, [(TEN, ReminderState.OWED, "")]),
        (3, [(TEN, ReminderState.SKIPPED, Reason.TOO_LATE)]),
        (4.5, [(TEN, ReminderState.SKIPPED, Reason.TOO_LATE)]),
        (30, []),
    ],
)
def test_after_an_outage_it_is_sent_late_or_skipped_but_never_about_long_ago(visit, days, expected):
    plan_after_care(NOON + dt.timedelta(days=days))
    assert ledger() == expected


def test_planning_costs_the_same_for_many_visits(visit, django_assert_num_queries):
    for _ in range(3):
        make_appointment(start=NOON - 4 * HOUR, state=State.COMPLETED)
    with django_assert_num_queries(5):  # who, then a transaction of rows and their writing
        assert plan_after_care(NOON) == 4


def test_advice_of_the_day_itself_does_not_replace_it(visit):
    make_reminder(appointment=visit, kind=Kind.ADVICE, state=ReminderState.SENT)
    assert plan_after_care(NOON) == 1


def switch_off(visit):
    Site.objects.update(sends_after_care_mail=False)


def close(visit):
    Patient.objects.update(is_active=False)


def withdraw(visit):
    set_contact_consent(patient=visit.patient, channel=Channel.EMAIL, consents=False, by=make_staff())


def hold_order(visit):
    InfusionOrder.objects.update(status=OrderStatus.HELD)


def stop_order(visit):
    InfusionOrder.objects.update(status=OrderStatus.STOPPED)


def raise_version(visit):
    Appointment.objects.update(version=2)


@pytest.mark.parametrize(
    ("happens", "at", "outcome", "reason"),
    [
        (switch_off, TEN, "skipped", Reason.SWITCHED_OFF),
        (close, TEN, "skipped", Reason.INACTIVE),
        (withdraw, TEN, "skipped", Reason.NO_CONSENT),
        (hold_order, TEN, "sent", ""),
        (stop_order, TEN, "sent", ""),
        (raise_version, TEN, "sent", ""),
        (lambda visit: None, TEN + 12 * HOUR, "postponed", ""),
        (lambda visit: None, NOON + 71 * HOUR, "sent", ""),
        (lambda visit: None, NOON + 72 * HOUR, "skipped", Reason.TOO_LATE),
    ],
)
def test_what_holds_at_sending_decides(visit, happens, at, outcome, reason):
    make_reminder(appointment=visit, kind=Kind.AFTER_CARE, due_at=TEN)
    happens(visit)
    assert dict(send_due(now=at)) == {outcome: 1}
    assert Reminder.objects.get().reason == reason


def test_staff_may_send_it_again_later(visit, time_machine):
    make_reminder(appointment=visit, kind=Kind.AFTER_CARE, state=ReminderState.SENT)
    time_machine.move_to(NOON + 96 * HOUR, tick=False)
    resend_reminder(reminder=Reminder.objects.get(), reason="Asked on the phone", by=make_staff())
    assert dict(send_due()) == {"sent": 1}


def test_a_fault_in_one_visit_does_not_keep_others_from_being_planned(visit):
    broken = make_appointment(start=NOON - 4 * HOUR, state=State.COMPLETED)
    Patient.objects.filter(pk=broken.patient_id).update(time_zone="Nowhere/Land")
    assert (plan_after_care(NOON), Reminder.objects.get().appointment) == (1, visit)
