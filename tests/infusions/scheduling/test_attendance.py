import datetime as dt

import pytest

from infusion_center.audit.models import AuditEvent
from infusion_center.core.rules import RuleViolation
from infusions.facility.models import Setting
from infusions.scheduling import attendance
from infusions.scheduling.invariants import claim_violations
from infusions.scheduling.lanes import hands_lane
from infusions.scheduling.models import Appointment
from infusions.scheduling.states import State, may_follow
from tests.factories.scheduling import make_appointment
from tests.infusions.scheduling.conftest import DAY

pytestmark = pytest.mark.django_db


def visit_in(center, state, **fields):
    """A visit of four hours at nine on DAY."""
    return make_appointment(site=center.site, nurse=center.nurses[0], day=DAY, state=state, **fields)


def act(name, visit, center, now):
    more = {"finish": {"stopped_early": False}}.get(name, {})
    return getattr(attendance, name)(appointment=visit, by=center.scheduler, now=now, **more)


STEPS = {
    "confirm": (State.CONFIRMED, "08:00", "appointment.confirmed"),
    "check_in": (State.ARRIVED, "08:50", "appointment.checked_in"),
    "undo_check_in": (State.EXPECTED, "08:55", "appointment.check_in_undone"),
    "mark_no_show": (State.NO_SHOW, "09:30", "appointment.no_show"),
    "begin": (State.IN_PROGRESS, "09:30", "appointment.begun"),
    "finish": (State.COMPLETED, "12:00", "appointment.finished"),
}


@pytest.mark.parametrize("state", State.values)
@pytest.mark.parametrize("name", STEPS)
def test_each_step_is_possible_from_the_states_that_the_table_allows_and_no_other(center, name, state):
    to, wall, action = STEPS[name]
    visit = visit_in(center, state)
    before = Appointment.objects.values().get()
    allowed = state == State.ARRIVED if name == "undo_check_in" else may_follow(state, to)
    if name == "confirm" and state == State.CONFIRMED:
        allowed = True  # said twice
    if allowed:
        assert act(name, visit, center, center.at(wall)).state == to
        assert AuditEvent.objects.filter(action=action).count() == (state != to)
    else:
        with pytest.raises(RuleViolation) as refused:
            act(name, visit, center, center.at(wall))
        assert refused.value.codes == {"wrong-state"}
        assert Appointment.objects.values().get() == before
        assert not AuditEvent.objects.exists()
    assert claim_violations() == []


def test_the_steps_keep_their_times(center):
    visit = visit_in(center, State.EXPECTED)
    times = {}
    for name in ("confirm", "check_in", "begin", "finish"):
        times[name] = center.at(STEPS[name][1])
        visit = act(name, visit, center, times[name])
    stored = Appointment.objects.get()
    assert [stored.confirmed_at, stored.arrived_at, stored.started_at, stored.finished_at] == list(times.values())
    assert stored.updated_at == times["finish"]


def test_two_people_who_check_in_at_once_do_it_once(center):
    """Both opened the page while the visit was expected; the second is told."""
    visit = visit_in(center, State.EXPECTED)
    seen_by_both = [Appointment.objects.get(), Appointment.objects.get()]
    act("check_in", seen_by_both[0], center, center.at("08:50"))
    with pytest.raises(RuleViolation) as refused:
        act("check_in", seen_by_both[1], center, center.at("08:51"))
    assert refused.value.codes == {"wrong-state"}
    visit.refresh_from_db()
    assert visit.arrived_at == center.at("08:50")


def test_only_todays_visit_is_checked_in(center):
    visit = visit_in(center, State.EXPECTED)
    with pytest.raises(RuleViolation) as refused:
        act("check_in", visit, center, center.at("09:00", DAY - dt.timedelta(days=1)))
    assert refused.value.codes == {"not-today"}


def test_nobody_is_a_no_show_before_the_start(center):
    with pytest.raises(RuleViolation) as refused:
        act("mark_no_show", visit_in(center, State.EXPECTED), center, center.at("08:45"))
    assert refused.value.codes == {"not-yet"}


def test_a_patient_who_asks_to_move_is_no_longer_confirmed_and_keeps_the_visit(center):
    visit = visit_in(center, State.CONFIRMED)
    attendance.request_move(appointment=visit, message="Could it be Friday?", now=center.at("07:00"))
    visit.refresh_from_db()
    assert (visit.state, visit.patient_message) == (State.EXPECTED, "Could it be Friday?")
    assert (visit.move_requested_at, visit.confirmed_at) == (center.at("07:00"), None)
    assert AuditEvent.objects.get().actor_name == "Patient"


def test_a_patient_who_confirms_takes_the_wish_to_move_back(center):
    visit = visit_in(center, State.EXPECTED)
    attendance.request_move(appointment=visit, message="", now=center.at("07:00"))
    confirmed = attendance.confirm(appointment=visit, by=None, now=center.at("07:05"))
    assert (confirmed.state, confirmed.move_requested_at) == (State.CONFIRMED, None)


@pytest.mark.parametrize("ask", [attendance.confirm, attendance.request_move])
def test_a_past_visit_is_neither_confirmed_nor_moved_by_the_patient(center, ask):
    more = {"by": None} if ask is attendance.confirm else {"message": "Later?"}
    with pytest.raises(RuleViolation) as refused:
        ask(appointment=visit_in(center, State.EXPECTED), now=center.at("09:15"), **more)
    assert refused.value.codes == {"in-the-past"}


def test_a_visit_that_ends_early_frees_the_rest_of_its_lanes(center):
    visit = visit_in(center, State.IN_PROGRESS)
    attendance.finish(appointment=visit, stopped_early=True, by=center.scheduler, now=center.at("11:20"))
    visit.refresh_from_db()
    assert visit.state == State.STOPPED_EARLY
    assert max(visit.claims.values_list("quarter", flat=True)) * 900 == center.at("11:15").timestamp()
    assert claim_violations() == []
    make_appointment(chair=visit.chair, nurse=visit.nurse, start=center.at("11:30"))


def test_a_visit_that_overruns_takes_nothing_from_the_next(center):
    visit = visit_in(center, State.IN_PROGRESS)
    following = make_appointment(chair=visit.chair, nurse=visit.nurse, start=center.at("13:00"))
    held = set(visit.claims.values_list("lane", "quarter"))
    attendance.finish(appointment=visit, stopped_early=False, by=center.scheduler, now=center.at("14:00"))
    assert set(visit.claims.values_list("lane", "quarter")) == held
    assert following.claims.exists()
    assert claim_violations() == []


def test_a_home_nurse_is_still_on_her_way_after_a_visit_that_ended_early(center):
    visit = visit_in(center, State.IN_PROGRESS, setting=Setting.HOME)
    attendance.finish(appointment=visit, stopped_early=True, by=center.scheduler, now=center.at("11:00"))
    hands = visit.claims.filter(lane=hands_lane(visit.nurse_id)).order_by("quarter")
    assert hands.last().quarter * 900 == center.at("11:15").timestamp()
