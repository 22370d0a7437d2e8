"""Services of the pre-infusion check: what they write, and that a refusal writes nothing."""

import datetime as dt
from decimal import Decimal

import pytest

from infusion_center.audit.models import AuditEvent
from infusion_center.core import clock
from infusion_center.core.rules import RuleViolation
from infusions.checklists.catalog import load_template
from infusions.checklists.models import (
    ChecklistAnswer,
    ChecklistItem,
    ChecklistTemplate,
    PreInfusionChecklist,
    RunStatus,
)
from infusions.checklists.queries import latest_answers
from infusions.checklists.rules import gate_problems
from infusions.checklists.services import answer_item, close_checklist, start_checklist
from infusions.orders.models import InfusionOrder
from infusions.scheduling.states import State
from patients.models import Weight
from tests.factories.accounts import make_staff
from tests.factories.checklists import (
    give_answers,
    good_answers,
    make_open_checklist,
    make_passed_checklist,
    make_template,
)
from tests.factories.scheduling import make_appointment

pytestmark = pytest.mark.django_db


def item(run, code) -> ChecklistItem:
    return run.template.items.get(code=code)


def codes(run) -> list[str]:
    return sorted(problem["code"] for problem in run.problems)


def test_load_template_loads_the_shipped_questions_once():
    first, again = load_template(), load_template()
    assert first == again == ChecklistTemplate.objects.get(is_active=True)
    assert first.items.count() == 30
    assert AuditEvent.objects.filter(action="checklist.template_loaded").count() == 1


def test_load_template_leaves_a_template_of_the_center_in_use(manager):
    own = ChecklistTemplate.objects.create(version=2, is_active=True, published_at=clock.now(), created_by=manager)
    shipped = load_template()
    assert (shipped.is_active, list(ChecklistTemplate.objects.filter(is_active=True))) == (False, [own])


def test_start_checklist_opens_one_run_for_two_nurses(arrived, nurse):
    make_template()
    run = start_checklist(appointment=arrived, by=nurse)
    same = start_checklist(appointment=arrived, by=make_staff(site=arrived.site))
    assert (same.pk, same.started_by, PreInfusionChecklist.objects.count()) == (run.pk, nurse, 1)


@pytest.mark.parametrize("state", [State.EXPECTED, State.CONFIRMED, State.IN_PROGRESS, State.COMPLETED, State.NO_SHOW])
def test_start_checklist_refuses_a_patient_who_is_not_waiting(site, state):
    make_template()
    appointment = make_appointment(site=site, state=state)
    with pytest.raises(RuleViolation) as refused:
        start_checklist(appointment=appointment, by=appointment.nurse.user)
    assert refused.value.codes == {"not-arrived"}
    assert not PreInfusionChecklist.objects.exists()


def test_start_checklist_refuses_without_a_template(arrived, nurse):
    with pytest.raises(RuleViolation) as refused:
        start_checklist(appointment=arrived, by=nurse)
    assert refused.value.codes == {"no-template"}


def test_start_checklist_fails_a_run_left_open_on_another_day(arrived, nurse):
    now = clock.now()
    old = make_open_checklist(arrived, by=nurse, now=now - dt.timedelta(days=1))
    new = start_checklist(appointment=arrived, by=nurse, now=now)
    old.refresh_from_db()
    assert (old.status, codes(old), new.is_open, new.answers.count()) == ("failed", ["checklist-left-open"], True, 0)


def test_answer_item_adds_and_the_latest_counts(arrived, nurse):
    run = make_open_checklist(arrived)
    answer_item(run=run, item=item(run, "weight"), value="71", by=nurse)
    answer_item(run=run, item=item(run, "weight"), value="70.50", by=nurse)
    assert [answer.value for answer in run.answers.order_by("id")] == ["71", "70.5"]
    assert latest_answers(run)["weight"].value == "70.5"


def test_answer_item_again_adds_nothing_and_keeps_who_gave_it(arrived, nurse):
    run = make_open_checklist(arrived)
    first = answer_item(run=run, item=item(run, "consent"), value="yes", by=nurse)
    again = answer_item(run=run, item=item(run, "consent"), value="yes", by=make_staff(site=arrived.site))
    assert (again, again.answered_by, run.answers.count()) == (first, nurse, 1)


def test_two_nurses_see_each_others_answers_and_lose_none(arrived, nurse):
    other = make_staff(site=arrived.site)
    run, same = make_open_checklist(arrived), make_open_checklist(arrived, by=other)
    answer_item(run=run, item=item(run, "pulse"), value="80", by=nurse)
    answer_item(run=same, item=item(run, "consent"), value="yes", by=other)
    answer_item(run=same, item=item(run, "pulse"), value="84", by=other)
    latest = {code: (answer.value, answer.answered_by) for code, answer in latest_answers(run).items()}
    assert latest == {"pulse": ("84", other), "consent": ("yes", other)}
    assert list(run.answers.order_by("id").values_list("value", flat=True)) == ["80", "yes", "84"]


@pytest.mark.parametrize(
    ("code", "value"),
    [
        ("weight", "seventy"),
        ("weight", "700"),
        ("weight", "-70"),
        ("weight", "7e1"),
        ("weight", "70,5"),
        ("weight", "70.555"),
        ("pulse", "72.5"),
        ("pulse", ""),
        ("consent", "perhaps"),
        ("dehydration-signs", ["thirst", "none"]),
        ("dehydration-signs", []),
        ("dehydration-signs", ["hunger"]),
        ("premedication", "maybe"),
        ("creatinine-on", "yesterday"),
        ("creatinine-on", "2999-01-01"),
        ("premedication-at", "25:00"),
    ],
)
def test_answer_item_refuses_what_is_no_answer(arrived, nurse, code, value):
    run = make_open_checklist(arrived)
    events = AuditEvent.objects.count()
    with pytest.raises(RuleViolation) as refused:
        answer_item(run=run, item=item(run, code), value=value, by=nurse)
    assert [(p.code, p.field) for p in refused.value.problems] == [("unreadable-answer", code)]
    assert (ChecklistAnswer.objects.count(), AuditEvent.objects.count()) == (0, events)


def test_answer_item_refuses_a_question_of_another_template(arrived, nurse, manager):
    run = make_open_checklist(arrived)
    other = ChecklistTemplate.objects.create(version=7, created_by=manager)
    foreign = ChecklistItem.objects.create(template=other, position=1, section="A", code="x", text="X?", kind="yes_no")
    with pytest.raises(RuleViolation) as refused:
        answer_item(run=run, item=foreign, value="yes", by=nurse)
    assert (refused.value.codes, run.answers.count()) == ({"foreign-item"}, 0)


def test_answer_item_refuses_a_closed_run(arrived, nurse):
    run = make_passed_checklist(arrived)
    before = run.answers.count()
    with pytest.raises(RuleViolation) as refused:
        answer_item(run=run, item=item(run, "weight"), value="80", by=nurse)
    assert (refused.value.codes, run.answers.count()) == ({"checklist-closed"}, before)


def test_close_checklist_lists_what_is_missing_and_stays_open(arrived, nurse):
    run = make_open_checklist(arrived)
    answers = good_answers(run)
    del answers["pulse"], answers["consent"]
    give_answers(run, answers, by=nurse)
    with pytest.raises(RuleViolation) as refused:
        close_checklist(run=run, by=nurse)
    assert [(p.code, p.field) for p in refused.value.problems] == [("unanswered", "pulse"), ("unanswered", "consent")]
    run.refresh_from_db()
    assert (run.is_open, Weight.objects.filter(recorded_by=nurse).exists()) == (True, False)


def test_close_checklist_passes_good_answers_and_keeps_the_weight(arrived, nurse):
    run = make_passed_checklist(arrived, weight="71.5")
    today = clock.local_date(run.closed_at, arrived.site.time_zone)
    weights = Weight.objects.filter(patient=arrived.patient, measured_on=today).values_list("kg", "recorded_by")
    assert (run.status, run.closed_by, run.problems) == (RunStatus.PASSED, nurse, [])
    assert list(weights) == [(Decimal("71.5"), nurse.pk)]
    assert gate_problems(arrived, clock.now()) == []


def test_close_checklist_passes_with_a_warning_and_keeps_it(arrived):
    run = make_passed_checklist(arrived, live_vaccine="yes")
    assert (run.status, codes(run)) == (RunStatus.PASSED, ["live-vaccine"])


def test_close_checklist_fails_on_a_blocker_and_says_why(arrived):
    run = make_passed_checklist(arrived, dehydration_signs=["thirst", "dry-mouth"], room_temperature="no")
    assert (run.status, codes(run)) == (RunStatus.FAILED, ["dehydration-signs-hold", "room-temperature"])
    assert [p.code for p in gate_problems(arrived, clock.now())] == ["checklist-failed"]


def test_close_checklist_fails_when_the_order_was_held_meanwhile(arrived):
    InfusionOrder.objects.filter(pk=arrived.order_id).update(status="held")
    run = make_passed_checklist(arrived)
    assert (run.status, codes(run)) == (RunStatus.FAILED, ["order-not-signed"])


def test_close_checklist_keeps_the_same_weight_of_the_day_once(arrived):
    make_passed_checklist(arrived, infection="yes")
    make_passed_checklist(arrived)
    assert Weight.objects.filter(patient=arrived.patient, kg=arrived.order.actual_weight_kg).count() <= 2
    today = clock.local_date(clock.now(), arrived.site.time_zone)
    assert Weight.objects.filter(patient=arrived.patient, measured_on=today).count() == 1


def test_a_failed_run_is_followed_by_an_empty_one_that_can_pass(arrived):
    failed = make_passed_checklist(arrived, infection="yes")
    second = make_passed_checklist(arrived)
    assert (failed.status, second.status, failed.pk != second.pk) == (RunStatus.FAILED, RunStatus.PASSED, True)
    assert gate_problems(arrived, clock.now()) == []
