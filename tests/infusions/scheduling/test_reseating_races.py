"""Sixteen real processes that all want others to make room on the same day: who is late is shown the new plan."""

import pytest

from infusion_center.audit.models import AuditEvent
from infusions.scheduling.models import Appointment
from infusions.scheduling.reseat_services import plan_key
from tests.infusions.scheduling.conftest import make_center
from tests.infusions.scheduling.reseating_center import all_is_sound, make_crossed, plan_for
from tests.infusions.scheduling.test_races import PROCESSES, daily_orders, job_of, run_job

pytestmark = [pytest.mark.race, pytest.mark.django_db(transaction=True)]


@pytest.fixture(autouse=True)
def _frozen_clock():
    """The real clock: other processes have no other. They are told what to take for now."""


def race(center, walls) -> tuple[list[int], dict]:
    orders, starts = daily_orders(PROCESSES, infusion_minutes=180), [center.at(wall) for wall in walls]
    shown = [plan_key(plan_for(center, orders[0], wall)) for wall in walls]
    return run_job(kind="make_room", **job_of(center, orders, starts, shown=shown))


def test_of_sixteen_for_whom_the_same_visit_makes_room_one_is_booked():
    center = make_center(chairs=2, nurses=2)
    visits = make_crossed(center)
    booked, refused = race(center, ["10:00"])
    assert len(booked) == 1
    assert refused == {"plan-changed": PROCESSES - 1}
    assert AuditEvent.objects.filter(action="appointment.reseated").count() == 1
    assert Appointment.objects.count() == len(visits) + 1
    assert all_is_sound()


def test_two_plans_that_move_the_same_visits_are_never_mixed():
    center = make_center(chairs=2, nurses=2)
    make_crossed(center)
    booked, refused = race(center, ["10:00", "09:30"])
    assert len(booked) == 1
    assert refused == {"plan-changed": PROCESSES - 1}
    assert all_is_sound()
