"""Advice for the evening before a visit: sent that evening or not at all, as site, patient and visit then are."""

import datetime as dt

import pytest

from infusion_center.core.rules import RuleViolation
from infusions.facility.models import Site
from infusions.orders.models import InfusionOrder, OrderStatus
from infusions.reminders.models import Kind, Reason, Reminder, ReminderState
from infusions.reminders.services import plan_reminders, resend_reminder, send_due
from infusions.scheduling.models import Appointment
from patients.models import Patient
from tests.factories.accounts import make_staff
from tests.factories.reminders import make_reminder
from tests.factories.scheduling import make_appointment
from tests.infusions.reminders.scene import NOON, VISIT_DAY, moved

pytestmark = pytest.mark.django_db
FIVE = dt.datetime(2026, 6, 17, 21, tzinfo=dt.UTC)  # in New York, the day before the visit
HOUR = dt.timedelta(hours=1)


@pytest.fixture(autouse=True)
def noon(time_machine):
    time_machine.move_to(NOON, tick=False)


@pytest.fixture
def appointment():
    return make_appointment(day=VISIT_DAY)


@pytest.fixture
def owed(appointment):
    return make_reminder(appointment=appointment, kind=Kind.HYDRATION, due_at=FIVE)


def nothing_happens(appointment):
    pass


def switch_off(appointment):
    Site.objects.update(sends_hydration_mail=False)


def hold_order(appointment):
    InfusionOrder.objects.update(status=OrderStatus.HELD)


def live_further_west(appointment):
    Patient.objects.update(time_zone="America/Los_Angeles")


@pytest.mark.parametrize(
    ("happens", "after", "outcome", "reason"),
    [
        (nothing_happens, 0, "sent", ""),
        (nothing_happens, 2.9, "sent", ""),
        (nothing_happens, 3, "skipped", Reason.TOO_LATE),  # eight in the evening, where quiet hours begin
        (nothing_happens, 15, "skipped", Reason.TOO_LATE),  # eight in the morning of the visit, where they end
        (live_further_west, 5.9, "sent", ""),
        (live_further_west, 6, "skipped", Reason.TOO_LATE),
        (switch_off, 0, "skipped", Reason.SWITCHED_OFF),
        (moved, 0, "skipped", Reason.MOVED),
        (hold_order, 0, "postponed", ""),
        (hold_order, 3, "skipped", Reason.TOO_LATE),
    ],
)
def test_what_holds_that_evening_decides(appointment, owed, happens, after, outcome, reason):
    happens(appointment)
    assert dict(send_due(now=FIVE + after * HOUR)) == {outcome: 1}
    assert Reminder.objects.get().reason == reason


def test_a_site_that_does_not_send_it_is_planned_none(appointment):
    switch_off(appointment)
    plan_reminders()
    assert not Reminder.objects.filter(kind=Kind.HYDRATION).exists()


def test_a_visit_moved_that_evening_is_not_advised_once_more(appointment, time_machine):
    plan_reminders()
    send_due()
    time_machine.move_to(FIVE + HOUR, tick=False)
    fresh = moved(appointment, days=0)
    plan_reminders()
    rows = fresh.reminders.filter(kind=Kind.HYDRATION).order_by("appointment_version")
    assert list(rows.values_list("appointment_version", "state", "reason")) == [
        (1, ReminderState.SKIPPED, Reason.MOVED),
        (2, ReminderState.SKIPPED, Reason.TOLD_RECENTLY),
    ]


def test_nobody_can_send_it_after_that_evening(appointment, time_machine):
    make_reminder(appointment=appointment, kind=Kind.HYDRATION, state=ReminderState.SENT)
    sent, by = Reminder.objects.get(), make_staff()
    time_machine.move_to(FIVE + HOUR, tick=False)
    again = resend_reminder(reminder=sent, reason="Deleted by mistake", by=by)
    assert (again.state, dict(send_due())) == (ReminderState.OWED, {"sent": 1})
    resend_reminder(reminder=sent, reason="Deleted again", by=by)
    time_machine.move_to(FIVE + 3 * HOUR, tick=False)
    assert dict(send_due()) == {"skipped": 1}
    with pytest.raises(RuleViolation) as refused:
        resend_reminder(reminder=sent, reason="Once more", by=by)
    assert (refused.value.codes, Reminder.objects.count()) == ({"not-sendable-too_late"}, 3)


def test_an_outage_over_the_whole_evening_is_told_in_the_ledger(appointment, time_machine):
    Appointment.objects.update(created_at=NOON, updated_at=NOON)
    time_machine.move_to(FIVE + 12 * HOUR, tick=False)
    plan_reminders()
    assert Reminder.objects.get(kind=Kind.HYDRATION).reason == Reason.TOO_LATE
