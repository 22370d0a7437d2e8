"""What patients do with a visit by link: some starts that really fit, nothing that needs an approval, nothing late."""

import datetime as dt

import pytest

from infusion_center.audit.models import AuditEvent
from infusion_center.core import clock
from infusions.facility.models import MoveRequests
from infusions.scheduling.booking import move_appointment
from infusions.scheduling.invariants import claim_violations
from infusions.scheduling.models import Appointment, Claim
from infusions.scheduling.patient_answers import (
    ask_for_call,
    cancel_by_patient,
    move_by_patient,
    offered_starts,
)
from infusions.scheduling.states import State
from tests.factories.facility import make_shift
from tests.factories.orders import make_order
from tests.factories.scheduling import make_appointment
from tests.infusions.scheduling.conftest import NOW, make_center
from tests.infusions.scheduling.support import refusal

pytestmark = pytest.mark.django_db
HOUR, DAY = dt.timedelta(hours=1), dt.timedelta(days=1)
LAST_VISIT = dt.date(2026, 2, 6)  # 28 days and 4 either way: due from 2 to 10 March


@pytest.fixture
def center():
    """One chair, nurses on shift from Monday to Friday of two weeks."""
    center = make_center(chairs=1, nurses=1)
    for number in range(7, 12):
        make_shift(nurse=center.nurses[0], site=center.site, day=dt.date(2026, 3, 2) + number * DAY)
    return center


def visit_at(center, wall="09:00", day=dt.date(2026, 3, 5), **order) -> Appointment:
    order = make_order(infusion_minutes=180, **{"last_dose_on": LAST_VISIT, "doses_given": 1, **order})
    return make_appointment(
        order=order, chair=center.chairs[0], nurse=center.nurses[0], start=center.at(wall, day), minutes=240
    )


def offered(visit, now=NOW) -> list[str]:
    return [f"{clock.to_local(one.start, visit.site.time_zone):%a %d %H:%M}" for one in offered_starts(visit, now=now)]


def test_offered_starts_are_six_over_days_and_hours_inside_window_and_notice(center):
    visit = visit_at(center)
    starts = offered_starts(visit, now=NOW)
    local = [clock.to_local(one.start, center.site.time_zone) for one in starts]
    days = {one.date() for one in local}
    assert (len(starts), len(days)) == (6, 6)
    assert (min(one.start for one in starts) >= NOW + 24 * HOUR, max(days) <= dt.date(2026, 3, 10)) == (True, True)
    assert len({one.hour // 2 for one in local}) >= 3
    assert visit.start not in {one.start for one in starts}


def test_offered_starts_count_what_others_hold_and_not_what_the_visit_holds_itself(center):
    visit = visit_at(center, "11:00")
    for number in (3, 4, 6, 7, 9, 10):
        day = dt.date(2026, 3, 1) + (number - 1) * DAY
        if day.weekday() < 5:
            make_appointment(chair=center.chairs[0], nurse=center.nurses[0], start=center.at("08:00", day), minutes=600)
    assert {one[:6] for one in offered(visit)} == {"Thu 05"}
    assert all("08:00" <= one[7:] <= "14:00" for one in offered(visit))


@pytest.mark.parametrize(
    ("fields", "order"),
    [
        ({"move_requests": MoveRequests.CALL_BACK}, {}),
        ({}, {"days": 2}),
        ({}, {"status": "held"}),
        ({"cancel_cutoff_hours": 168}, {"last_dose_on": LAST_VISIT - 4 * DAY}),
    ],
)
def test_nothing_is_offered_where_site_order_or_window_leave_nothing(center, fields, order):
    visit = visit_at(center, **order)
    for name, value in fields.items():
        setattr(visit.site, name, value)
    assert offered(visit) == []


def test_move_by_patient_moves_once_confirms_and_tells_who(center):
    visit = visit_at(center)
    start = offered_starts(visit, now=NOW)[0].start
    moved = move_by_patient(appointment=visit, start=start, version=1)
    assert (moved.start, moved.version, moved.state, moved.confirmed_at) == (start, 2, State.CONFIRMED, NOW)
    assert claim_violations() == []
    events = AuditEvent.objects.filter(target_id=visit.public_id).order_by("pk").values_list("action", "actor_name")
    assert list(events) == [("appointment.moved", "Patient"), ("appointment.confirmed", "Patient")]
    assert refusal(move_by_patient, appointment=visit, start=start + DAY, version=1) == {"changed-meanwhile"}


def test_a_start_just_taken_is_refused_whole(center):
    visit = visit_at(center)
    start = offered_starts(visit, now=NOW)[0].start
    make_appointment(chair=center.chairs[0], nurse=center.nurses[0], start=start, minutes=240)
    assert refusal(move_by_patient, appointment=visit, start=start, version=1) & {"chair-taken", "chairs-taken"}


def test_patients_take_no_start_outside_of_what_is_offered(center):
    visit = visit_at(center)
    tomorrow, after_the_window = center.at("08:00", dt.date(2026, 3, 3)), center.at("09:00", dt.date(2026, 3, 11))
    asked = {"appointment": visit, "version": 1, "now": NOW + 2 * HOUR}
    found = [refusal(move_by_patient, start=at, **asked) for at in (visit.start, tomorrow, after_the_window)]
    assert found == [{"start-not-offered"}] * 3
    early = visit_at(center, "09:00", dt.date(2026, 3, 12), last_dose_on=dt.date(2026, 2, 12))
    before_interval = center.at("09:00", dt.date(2026, 3, 6))
    assert refusal(move_by_patient, appointment=early, start=before_interval, version=1) == {"start-not-offered"}


def test_cancel_by_patient_frees_the_hours_and_keeps_why(center):
    visit = visit_at(center)
    cancelled = cancel_by_patient(appointment=visit, because="travel", message="Back in\nMay", version=1)
    assert (cancelled.state, cancelled.cancel_reason) == (State.CANCELLED, "By the patient: away. Back in May")
    assert not Claim.objects.exists()
    assert AuditEvent.objects.get(action="appointment.cancelled").actor_name == "Patient"


ANSWERS = {
    "move": lambda visit: (move_by_patient, {"start": visit.start + DAY}),
    "call": lambda visit: (ask_for_call, {"message": ""}),
    "cancel": lambda visit: (cancel_by_patient, {"because": "ill"}),
}


@pytest.mark.parametrize("answer", ANSWERS)
def test_close_to_the_visit_and_once_it_has_begun_nothing_goes_by_link(center, answer):
    visit = visit_at(center)
    service, more = ANSWERS[answer](visit)
    late = visit.start - 24 * HOUR + dt.timedelta(minutes=1)
    assert refusal(service, appointment=visit, version=1, now=late, **more) == {"too-close"}
    Appointment.objects.update(state=State.ARRIVED)
    assert refusal(service, appointment=visit, version=1, **more) == {"wrong-state"}


@pytest.mark.parametrize("answer", ANSWERS)
def test_who_answers_for_an_earlier_time_changes_nothing(center, answer):
    visit = visit_at(center)
    move_appointment(appointment=visit, start=visit.start + DAY, by=center.scheduler)
    service, more = ANSWERS[answer](visit)
    assert refusal(service, appointment=visit, version=1, **more) == {"changed-meanwhile"}


def test_one_of_several_days_is_not_left_out_by_link_but_a_call_may_be_asked_for(center):
    visit = visit_at(center, days=2)
    assert refusal(cancel_by_patient, appointment=visit, because="ill", version=1) == {"one-of-several-days"}
    assert refusal(move_by_patient, appointment=visit, start=visit.start + DAY, version=1) == {"start-not-offered"}
    assert ask_for_call(appointment=visit, message="Next week?", version=1).patient_message == "Next week?"
