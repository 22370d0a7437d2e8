"""The database keeps closed checks and overrides as they were; the trail tells every step."""

import pytest
from django.db import DatabaseError, connection, transaction

from infusion_center.audit.models import AuditEvent
from infusions.checklists.models import (
    ChecklistAnswer,
    ChecklistItem,
    ChecklistOverride,
    PreInfusionChecklist,
    RunStatus,
)
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


@pytest.mark.parametrize(
    "sql",
    [
        "INSERT INTO infusions_checklistanswer (run_id, item_id, value, answered_at, answered_by_id) "
        "SELECT run_id, item_id, value, answered_at, answered_by_id FROM infusions_checklistanswer",
        "UPDATE infusions_checklistanswer SET answered_by_id = answered_by_id",
        "DELETE FROM infusions_checklistanswer",
        "UPDATE infusions_preinfusionchecklist SET status = 'passed'",
        "UPDATE infusions_preinfusionchecklist SET status = 'overridden', closed_by_id = started_by_id + 1",
        "DELETE FROM infusions_preinfusionchecklist",
        "UPDATE infusions_checklistitem SET text = 'Other'",
        "DELETE FROM infusions_checklistitem",
    ],
)
def test_the_database_refuses_to_change_a_closed_run(arrived, sql):
    make_passed_checklist(arrived, infection="yes")
    before = list(ChecklistAnswer.objects.order_by("id").values())
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql)
    assert list(ChecklistAnswer.objects.order_by("id").values()) == before
    assert PreInfusionChecklist.objects.get().status == RunStatus.FAILED


def test_the_database_refuses_to_change_an_override(arrived, pharmacist):
    run = make_passed_checklist(arrived, systolic="185")
    override_problem(run=run, code="systolic-high", reason="Known", by=pharmacist)
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("UPDATE infusions_checklistoverride SET reason = 'Other'")
    assert ChecklistOverride.objects.get().reason == "Known"


def test_every_step_is_in_the_trail(arrived, nurse, pharmacist):
    run = make_open_checklist(arrived)
    give_answers(run, good_answers(run), by=nurse)
    answer_item(run=run, item=item(run, "systolic"), value="185", by=nurse)
    close_checklist(run=run, by=nurse)
    override_problem(run=run, code="systolic-high", reason="Known", by=pharmacist)
    events = AuditEvent.objects.filter(target_id=run.public_id).order_by("id")
    assert [(event.action, event.actor_id) for event in events] == [
        ("checklist.started", nurse.pk),
        ("checklist.answered", nurse.pk),
        ("checklist.closed", nurse.pk),
        ("checklist.overridden", pharmacist.pk),
        ("checklist.passed_with_override", pharmacist.pk),
    ]
    assert {event.patient_id for event in events} == {arrived.patient.public_id}
