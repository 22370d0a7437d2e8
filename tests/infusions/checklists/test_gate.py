"""Which check lets the infusion start, and which questions and comparisons belong to a visit."""

import datetime as dt

import pytest

from infusion_center.core import clock
from infusions.checklists.models import (
    RunStatus,
)
from infusions.checklists.queries import run_state
from infusions.checklists.rules import gate_problems, missing_items
from infusions.scheduling.states import State
from tests.factories.checklists import (
    make_open_checklist,
    make_passed_checklist,
)
from tests.factories.patients import make_patient
from tests.factories.scheduling import make_appointment, make_bookable_order

pytestmark = pytest.mark.django_db


def codes(run) -> list[str]:
    return sorted(problem["code"] for problem in run.problems)


def test_gate_asks_for_a_check_then_for_its_end(arrived):
    before = [(p.code, p.message) for p in gate_problems(arrived, clock.now())]
    make_open_checklist(arrived)
    during = [(p.code, p.message) for p in gate_problems(arrived, clock.now())]
    assert before == [("checklist-missing", "No check has been done today.")]
    assert during == [("checklist-missing", "The check of today is not finished.")]


def test_gate_goes_by_the_day_of_the_site(site):
    appointment = make_appointment(site=site, state=State.ARRIVED)
    evening = clock.from_local(dt.date(2026, 3, 9), dt.time(23, 30), site.time_zone)
    make_passed_checklist(appointment, now=evening)
    assert gate_problems(appointment, evening + dt.timedelta(minutes=29)) == []
    after_midnight = evening + dt.timedelta(minutes=31)
    assert [p.code for p in gate_problems(appointment, after_midnight)] == ["checklist-missing"]


def test_gate_goes_by_the_latest_run(arrived):
    make_passed_checklist(arrived)
    make_passed_checklist(arrived, infection="yes")
    assert [p.code for p in gate_problems(arrived, clock.now())] == ["checklist-failed"]


def test_home_and_first_dose_ask_their_own_questions(site):
    home = make_open_checklist(make_appointment(site=site, setting="home", state=State.ARRIVED))
    chair = make_open_checklist(make_appointment(site=site, state=State.ARRIVED))
    first_order = make_bookable_order(is_first_dose=True)
    first = make_open_checklist(make_appointment(site=site, order=first_order, state=State.ARRIVED))
    special = {"emergency-set", "emergency-kit-home", "ride-home"}

    def asked(run):
        state = run_state(run, clock.now())
        return {missing.code for missing in missing_items(state.items, {}, state.context)} & special

    assert (asked(home), asked(chair), asked(first)) == (
        {"emergency-kit-home"},
        {"emergency-set"},
        {"emergency-set", "ride-home"},
    )


def test_a_rise_of_creatinine_since_an_earlier_visit_fails(site):
    patient = make_patient()
    earlier = make_appointment(site=site, patient=patient, state=State.ARRIVED)
    make_passed_checklist(earlier, creatinine="0.8", creatinine_on="2026-01-05")
    later = make_appointment(order=earlier.order, site=site, at="13:00", state=State.ARRIVED)
    run = make_passed_checklist(later, creatinine="1.1")
    assert (run.status, codes(run)) == (RunStatus.FAILED, ["creatinine-rise"])
