"""Who may let which problem pass, when, and what it does to the run."""

import datetime as dt

import pytest

from infusion_center.core import clock
from infusion_center.core.rules import RuleViolation
from infusions.checklists.models import (
    ChecklistItem,
    ChecklistOverride,
    RunStatus,
)
from infusions.checklists.rules import gate_problems
from infusions.checklists.services import answer_item, close_checklist, override_problem
from tests.factories.checklists import (
    give_answers,
    good_answers,
    make_open_checklist,
    make_passed_checklist,
)

pytestmark = pytest.mark.django_db


def item(run, code) -> ChecklistItem:
    return run.template.items.get(code=code)


def test_override_before_closing_lets_the_run_pass_as_overridden(arrived, nurse, pharmacist):
    run = make_open_checklist(arrived)
    give_answers(run, good_answers(run) | {"systolic": "185"}, by=nurse)
    override_problem(run=run, code="systolic-high", reason="Known white coat", by=pharmacist)
    assert close_checklist(run=run, by=nurse).status == RunStatus.OVERRIDDEN
    assert gate_problems(arrived, clock.now()) == []


def test_override_of_every_problem_turns_a_failed_run_into_overridden(arrived, pharmacist):
    run = make_passed_checklist(arrived, systolic="185", pulse="130")
    override_problem(run=run, code="systolic-high", reason="Known", by=pharmacist)
    run.refresh_from_db()
    assert run.status == RunStatus.FAILED
    override_problem(run=run, code="pulse-high", reason="Agreed with Dr. Example", by=pharmacist)
    run.refresh_from_db()
    assert (run.status, gate_problems(arrived, clock.now())) == (RunStatus.OVERRIDDEN, [])
    assert list(run.overrides.values_list("problem_code", "reason", "overridden_by")) == [
        ("systolic-high", "Known", pharmacist.pk),
        ("pulse-high", "Agreed with Dr. Example", pharmacist.pk),
    ]


def test_an_override_is_void_once_the_item_is_answered_anew(arrived, nurse, pharmacist):
    run = make_open_checklist(arrived)
    give_answers(run, good_answers(run) | {"systolic": "185"}, by=nurse)
    override_problem(run=run, code="systolic-high", reason="Known", by=pharmacist)
    answer_item(run=run, item=item(run, "systolic"), value="215", by=nurse)
    assert close_checklist(run=run, by=nurse).status == RunStatus.FAILED


@pytest.mark.parametrize("role", ["nurse", "scheduler", "manager"])
def test_override_refuses_a_role_without_the_right(arrived, staff, role):
    run = make_passed_checklist(arrived, systolic="185")
    with pytest.raises(RuleViolation) as refused:
        override_problem(run=run, code="systolic-high", reason="Because", by=staff[role])
    assert (refused.value.codes, ChecklistOverride.objects.count()) == ({"may-not-override"}, 0)


@pytest.mark.parametrize(
    ("changed", "code", "reason", "refusal"),
    [
        ({"identity_name": "no"}, "identity-name", "In a hurry", "never-overridden"),
        ({"identity_birth_date": "no"}, "identity-birth-date", "In a hurry", "never-overridden"),
        ({"order_matches": "no"}, "order-matches", "In a hurry", "never-overridden"),
        ({"room_temperature": "no"}, "room-temperature", "In a hurry", "never-overridden"),
        ({"vials_inspected": "no"}, "vials-inspected", "In a hurry", "never-overridden"),
        ({"weight": "80"}, "weight-change", "In a hurry", "never-overridden"),
        ({"iv_access": "no"}, "iv-access", "In a hurry", "never-overridden"),
        ({"consent": "no"}, "consent", "  ", "reason-missing"),
        ({"consent": "no"}, "pulse-high", "Why not", "nothing-to-override"),
        ({"consent": "no", "live_vaccine": "yes"}, "live-vaccine", "Why not", "nothing-to-override"),
    ],
)
def test_override_refuses(arrived, pharmacist, changed, code, reason, refusal):
    run = make_passed_checklist(arrived, **changed)
    with pytest.raises(RuleViolation) as refused:
        override_problem(run=run, code=code, reason=reason, by=pharmacist)
    run.refresh_from_db()
    assert (refused.value.codes, run.status, ChecklistOverride.objects.count()) == ({refusal}, RunStatus.FAILED, 0)


def test_override_refuses_a_run_that_another_one_followed(arrived, pharmacist):
    failed = make_passed_checklist(arrived, systolic="185")
    make_open_checklist(arrived)
    with pytest.raises(RuleViolation) as refused:
        override_problem(run=failed, code="systolic-high", reason="Known", by=pharmacist)
    assert (refused.value.codes, ChecklistOverride.objects.count()) == ({"checklist-closed"}, 0)


def test_override_refuses_yesterdays_run(arrived, pharmacist):
    failed = make_passed_checklist(arrived, systolic="185", now=clock.now() - dt.timedelta(days=1))
    with pytest.raises(RuleViolation) as refused:
        override_problem(run=failed, code="systolic-high", reason="Known", by=pharmacist)
    assert refused.value.codes == {"checklist-closed"}
