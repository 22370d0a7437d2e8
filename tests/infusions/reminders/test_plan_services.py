"""Planning into the ledger: what is written, and what is settled because the visit changed."""

import datetime as dt

import pytest

from infusions.reminders.heartbeat import PLANNER, last_beat
from infusions.reminders.models import Kind, Reminder
from infusions.reminders.scan_span import HORIZON, span_of_scan
from infusions.reminders.services import plan_reminders, send_due
from infusions.scheduling.models import Appointment
from tests.factories.scheduling import make_appointment
from tests.infusions.reminders.scene import MINUTE, NOON, VISIT_DAY, cancelled, moved

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
    plan_reminders()
    for _ in range(3):
        make_appointment(day=dt.date(2026, 6, 18))
    with django_assert_num_queries(13):
        plan_reminders()
    assert Reminder.objects.count() == 16


def written(appointment, moment):
    """As if a transaction had set this moment, whenever it was committed."""
    Appointment.objects.filter(pk=appointment.pk).update(created_at=moment, updated_at=moment)


@pytest.mark.parametrize(
    ("late", "again_after", "planned"),
    [
        (4 * MINUTE, MINUTE, 4),  # within the overlap of the frequent scan
        (9 * MINUTE, MINUTE, 0),
        (9 * MINUTE, 61 * MINUTE, 4),  # by the whole scan of the hour
    ],
)
def test_a_visit_that_was_committed_late_is_found(time_machine, late, again_after, planned):
    plan_reminders()
    appointment = make_appointment(day=VISIT_DAY)
    written(appointment, NOON - late)
    time_machine.move_to(NOON + again_after)
    plan_reminders()
    assert len(ledger(appointment)) == planned


def test_the_first_scan_after_an_outage_looks_at_all_that_changed_meanwhile(time_machine):
    plan_reminders()
    far = make_appointment(day=VISIT_DAY + dt.timedelta(days=200))
    time_machine.move_to(NOON + dt.timedelta(days=9))
    plan_reminders()
    assert ledger(far) == {(1, kind, "owed", "") for kind in ("confirmation", "days_3", "days_1", "hydration")}


def test_a_clock_that_was_set_back_makes_the_scan_whole(appointment, time_machine):
    time_machine.move_to(NOON + dt.timedelta(days=1))
    plan_reminders()
    time_machine.move_to(NOON)
    assert span_of_scan(NOON).near_until == NOON + HORIZON


def test_a_scan_that_runs_out_of_time_tells_what_is_left_and_is_gone_on_with(appointment):
    assert dict(plan_reminders(seconds=-1)) == {"skipped": 0, "left": 1}
    assert (last_beat(PLANNER).beat_at, last_beat(PLANNER).seen_until) == (NOON, None)
    assert dict(plan_reminders()) == {"skipped": 0, "planned": 4}
    assert last_beat(PLANNER).seen_until == NOON
