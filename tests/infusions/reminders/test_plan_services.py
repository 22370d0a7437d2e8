"""Planning into the ledger: what is written, and what is settled because the visit changed."""

import datetime as dt

import pytest

from infusions.reminders.models import Kind, Reminder
from infusions.reminders.services import plan_reminders, send_due
from infusions.scheduling.models import Appointment
from tests.factories.scheduling import make_appointment
from tests.infusions.reminders.scene import NOON, VISIT_DAY, cancelled, moved

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def noon(time_machine):
    time_machine.move_to(NOON, tick=False)


@pytest.fixture
def appointment():
    return make_appointment(day=VISIT_DAY)


def ledger(appointment) -> set[tuple]:
    rows = Reminder.objects.filter(appointment=appointment)
    return set(rows.values_list("appointment_version", "kind", "state", "reason"))


def test_planning_a_booking_owes_confirmation_and_day_reminders(appointment):
    assert dict(plan_reminders()) == {"skipped": 0, "planned": 4}
    assert set(Reminder.objects.values_list("kind", "due_at", "state")) == {
        (Kind.CONFIRMATION, NOON, "owed"),
        (Kind.DAYS_3, dt.datetime(2026, 6, 15, 13, tzinfo=dt.UTC), "owed"),
        (Kind.DAYS_1, dt.datetime(2026, 6, 17, 13, tzinfo=dt.UTC), "owed"),
        (Kind.HYDRATION, dt.datetime(2026, 6, 17, 21, tzinfo=dt.UTC), "owed"),
    }


def test_planning_again_owes_nothing_more(appointment):
    plan_reminders()
    before = list(Reminder.objects.order_by("pk").values())
    assert dict(plan_reminders()) == {"skipped": 0}
    assert list(Reminder.objects.order_by("pk").values()) == before


def test_planning_a_move_after_the_confirmation_tells_of_the_move_and_skips_the_old_reminders(appointment):
    plan_reminders()
    send_due()
    moved(appointment)
    plan_reminders()
    assert ledger(appointment) == {
        (1, "confirmation", "sent", ""),
        (1, "days_3", "skipped", "moved"),
        (1, "days_1", "skipped", "moved"),
        (1, "hydration", "skipped", "moved"),
        (2, "moved", "owed", ""),
        (2, "days_3", "owed", ""),
        (2, "days_1", "owed", ""),
        (2, "hydration", "owed", ""),
    }


def test_planning_a_move_that_the_patient_never_heard_of_confirms_the_new_time(appointment):
    moved(appointment)
    plan_reminders()
    assert ledger(appointment) == {
        (2, "confirmation", "owed", ""),
        (2, "days_3", "owed", ""),
        (2, "days_1", "owed", ""),
        (2, "hydration", "owed", ""),
    }


def test_planning_a_cancellation_tells_the_patient_and_skips_the_reminders(appointment):
    plan_reminders()
    send_due()
    cancelled(appointment)
    plan_reminders()
    assert ledger(appointment) == {
        (1, "confirmation", "sent", ""),
        (1, "days_3", "skipped", "cancelled"),
        (1, "days_1", "skipped", "cancelled"),
        (1, "hydration", "skipped", "cancelled"),
        (2, "cancelled", "owed", ""),
    }


def test_planning_a_cancellation_that_nobody_was_told_of_owes_nothing(appointment):
    cancelled(appointment)
    plan_reminders()
    assert ledger(appointment) == set()


def test_planning_after_a_long_outage_finds_near_visits(appointment, time_machine):
    time_machine.move_to(dt.datetime(2026, 6, 16, 14, tzinfo=dt.UTC))
    Appointment.objects.update(created_at=NOON, updated_at=NOON)
    plan_reminders()
    assert ledger(appointment) == {
        (1, "confirmation", "owed", ""),
        (1, "days_3", "skipped", "too_late"),
        (1, "days_1", "owed", ""),
        (1, "hydration", "owed", ""),
    }


def test_planning_leaves_far_and_unchanged_visits_alone(appointment, time_machine):
    time_machine.move_to(NOON + dt.timedelta(days=5))
    plan_reminders()
    assert ledger(appointment) == set()


def test_planning_ignores_what_has_begun(appointment, time_machine):
    time_machine.move_to(appointment.start)
    plan_reminders()
    assert ledger(appointment) == set()


def test_planning_costs_the_same_number_of_queries_for_many_visits(appointment, django_assert_num_queries):
    for _ in range(3):
        make_appointment(day=dt.date(2026, 6, 18))
    with django_assert_num_queries(10):
        plan_reminders()
    assert Reminder.objects.count() == 16
