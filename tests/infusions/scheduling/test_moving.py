import datetime as dt

import pytest

from infusion_center.audit.models import AuditEvent
from infusion_center.core import clock
from infusion_center.core.rules import RuleViolation
from infusions.facility.models import Setting
from infusions.scheduling.booking import cancel_appointment
from infusions.scheduling.invariants import claim_violations
from infusions.scheduling.models import Claim
from infusions.scheduling.slots import find_slots
from infusions.scheduling.states import State
from tests.factories.facility import make_shift
from tests.factories.orders import make_order
from tests.factories.scheduling import make_appointment
from tests.infusions.scheduling.conftest import DAY, NOW, make_center
from tests.infusions.scheduling.support import book, move, raise_integrity_error, refusal, steal

pytestmark = pytest.mark.django_db


def test_move_appointment_keeps_chair_and_nurse_and_frees_the_old_time(center):
    visit = book(center, chair=center.chairs[1], nurse=center.nurses[1])
    moved = move(center, visit, "13:00")
    assert (moved.chair, moved.nurse, moved.version) == (center.chairs[1], center.nurses[1], 2)
    assert (moved.start, moved.local_start) == (center.at("13:00"), "2026-03-03T13:00")
    assert claim_violations() == []
    detail = AuditEvent.objects.get(action="appointment.moved").detail
    assert (detail["before"], detail["after"]) == ("2026-03-03T09:00", "2026-03-03T13:00")


def test_a_visit_may_move_into_the_time_that_it_holds_itself():
    center = make_center(chairs=1, nurses=1)
    visit = book(center, "09:00")
    assert move(center, visit, "09:30").start == center.at("09:30")
    assert claim_violations() == []


def test_a_moved_visit_is_to_be_confirmed_again(center):
    visit = make_appointment(site=center.site, day=DAY, state=State.CONFIRMED)
    moved = move(center, visit, "11:00")
    assert (moved.state, moved.confirmed_at, moved.move_requested_at) == (State.EXPECTED, None, None)


def test_another_chair_at_the_same_start_leaves_the_patients_confirmation_and_the_version(center):
    visit = make_appointment(
        chair=center.chairs[0],
        nurse=center.nurses[0],
        day=DAY,
        state=State.CONFIRMED,
        order=make_order(infusion_minutes=180),
    )
    moved = move(center, visit, "09:00", chair=center.chairs[1])
    assert (moved.chair, moved.nurse) == (center.chairs[1], center.nurses[0])
    assert (moved.state, moved.version, moved.confirmed_at) == (State.CONFIRMED, 1, visit.confirmed_at)
    assert AuditEvent.objects.get().action == "appointment.reseated"
    assert claim_violations() == []


def test_a_move_takes_another_chair_when_its_own_is_taken(center):
    visit = book(center, "09:00", chair=center.chairs[0])
    book(center, "13:00", chair=center.chairs[0])
    assert move(center, visit, "13:15").chair == center.chairs[1]


def test_a_move_onto_a_taken_chair_leaves_everything_as_it_was(center):
    visit = book(center, "08:00", chair=center.chairs[0])
    book(center, "13:00", chair=center.chairs[0])
    assert refusal(move, center, visit, "12:00", chair=center.chairs[0]) == {"chair-taken"}


def test_a_stale_version_is_told_what_changed(center):
    visit = book(center, "08:00")
    move(center, visit, "13:00")
    assert refusal(move, center, visit, "10:00", version=1) == {"changed-meanwhile"}
    with pytest.raises(RuleViolation, match="It is now expected, Tue 3 Mar 2026 13:00"):
        move(center, visit, "10:00", version=1)


@pytest.mark.parametrize("state", sorted(set(State) - {State.EXPECTED, State.CONFIRMED}))
def test_a_visit_that_began_or_ended_cannot_be_moved(center, state):
    visit = make_appointment(site=center.site, day=DAY, state=state)
    assert refusal(move, center, visit, "11:00") == {"wrong-state"}


def test_a_move_that_loses_its_seat_once_raises_the_version_once(center, monkeypatch):
    visit = book(center, "09:00")
    steal(monkeypatch, [raise_integrity_error])
    assert move(center, visit, "10:00").version == 2
    assert claim_violations() == []


# Cancelling


def test_cancel_appointment_frees_what_the_visit_held_and_keeps_the_row(center):
    visit = book(center)
    cancelled = cancel_appointment(appointment=visit, reason="Has a fever", by=center.scheduler)
    assert (cancelled.state, cancelled.cancel_reason, cancelled.cancelled_at) == (State.CANCELLED, "Has a fever", NOW)
    assert (cancelled.version, Claim.objects.count()) == (2, 0)
    assert AuditEvent.objects.get(action="appointment.cancelled").detail == {"before": "expected", "version": 2}
    assert book(center, chair=visit.chair, nurse=visit.nurse).start == visit.start


def test_the_patient_may_cancel_without_a_member_of_staff(center):
    cancel_appointment(appointment=book(center), reason="Asked by link", by=None)
    assert AuditEvent.objects.get(action="appointment.cancelled").actor_name == "Patient"


def test_cancelling_needs_a_reason(center):
    visit = book(center)
    assert refusal(cancel_appointment, appointment=visit, reason=" ", by=center.scheduler) == {"reason-missing"}


@pytest.mark.parametrize(
    "state", [State.IN_PROGRESS, State.COMPLETED, State.STOPPED_EARLY, State.CANCELLED, State.NO_SHOW]
)
def test_a_visit_that_began_or_ended_cannot_be_cancelled(center, state):
    visit = make_appointment(site=center.site, day=DAY, state=state)
    assert refusal(cancel_appointment, appointment=visit, reason="x", by=center.scheduler) == {"wrong-state"}


def test_a_visit_in_the_middle_of_a_series_is_looked_for_between_its_neighbours(center):
    order = make_order(infusion_minutes=180, interval_days=28, tolerance_days=4)
    _, middle, _ = (
        make_appointment(order=order, chair=center.chairs[0], day=DAY + dt.timedelta(days=days)) for days in (0, 28, 54)
    )
    make_shift(nurse=center.nurses[0], site=center.site, day=DAY + dt.timedelta(days=27))
    found = find_slots(order, setting=Setting.FACILITY, site=center.site, moving=middle)
    # From 24 days after the first on, and no later than 24 days before the last.
    days = (DAY + dt.timedelta(days=24), DAY + dt.timedelta(days=30))
    assert (found.window.first, found.window.last) == days
    offered = {
        (clock.local_date(option.start, center.site.time_zone), option.needs_approval) for option in found.options
    }
    assert offered == {(DAY + dt.timedelta(days=27), False), (DAY + dt.timedelta(days=28), False)}
