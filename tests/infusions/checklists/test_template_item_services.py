"""Services of the questions in a draft: add, amend, remove, order; what is refused writes nothing."""

from decimal import Decimal

import pytest

from infusion_center.audit.models import AuditEvent
from infusion_center.core.rules import RuleViolation
from infusions.checklists.models import ChecklistItem, ChecklistTemplate, ItemKind
from infusions.checklists.template_item_services import (
    add_item,
    amend_item,
    move_item,
    move_section,
    new_code,
    remove_item,
    rename_section,
)
from infusions.checklists.template_queries import mark_of
from infusions.checklists.template_shapes import Shape
from tests.infusions.checklists.versions import SORE, item, last_event, order, refused_codes, rows

pytestmark = pytest.mark.django_db


def test_add_item_puts_it_at_the_end_of_its_section_under_a_code_of_its_own(draft, manager):
    added = add_item(draft=draft, fields=SORE, by=manager)
    assert order(draft, "Infection") == [(9, "infection"), (10, "own-sore-throat")]
    assert [position for position, _ in order(draft)] == list(range(1, 32))
    assert {name: getattr(added, name) for name in SORE} == SORE
    assert last_event() == ("checklist_template.item_added", manager.pk, {"item": "own-sore-throat"})


def test_add_item_in_a_new_section_comes_last(draft, manager):
    add_item(draft=draft, fields=SORE | {"section": "Mood"}, by=manager)
    assert order(draft)[-1] == (31, "own-sore-throat")


def test_add_item_refuses_what_breaks_a_rule(draft, manager):
    assert refused_codes(add_item, draft=draft, fields=SORE | {"expected": ""}, by=manager) == {"expected-missing"}


@pytest.mark.parametrize(
    ("text", "kind", "code"),
    [
        ("Sore throat?", ItemKind.YES_NO, "own-sore-throat"),
        ("¿?", ItemKind.YES_NO, "own-question"),
        ("A" * 60, ItemKind.YES_NO, "own-" + "a" * 30),
        ("Seizures", ItemKind.YES_NO, "own-seizures"),  # asked before as the same: its last answer stands beside it
        ("Seizures", ItemKind.NUMBER, "own2-seizures"),  # ... as something else: no answer may be mistaken
        ("Cough", ItemKind.YES_NO, "own2-cough"),  # taken
        ("Cough at night", ItemKind.YES_NO, "own2-cough-at-night"),  # reads like a problem of “own-cough”
    ],
)
def test_new_code(text, kind, code):
    asked = {"own-seizures": Shape(ItemKind.YES_NO)}
    assert new_code(ChecklistItem(text=text, kind=kind), ["weight", "own-cough"], asked) == code


def test_amend_item_changes_only_what_is_given_and_names_the_fields(draft, pharmacist):
    before = rows(draft)
    fields = {"text": "Drunk today", "minimum": Decimal(300), "severity": "warning"}
    amend_item(item=item(draft, "intake-today"), fields=fields, by=pharmacist)
    after = rows(draft)
    assert after[5] == before[5] | {"text": "Drunk today", "minimum": Decimal(300)}
    assert after[:5] + after[6:] == before[:5] + before[6:]
    detail = {"item": "intake-today", "fields": ["minimum", "text"]}
    assert last_event() == ("checklist_template.item_amended", pharmacist.pk, detail)


def test_amend_item_to_the_same_writes_nothing(draft, pharmacist):
    weight, events = item(draft, "weight"), AuditEvent.objects.count()
    amend_item(item=weight, fields={"text": weight.text, "highest": Decimal(400)}, by=pharmacist)
    draft_now = ChecklistTemplate.objects.get(pk=draft.pk)
    assert (draft_now.updated_at, AuditEvent.objects.count()) == (draft.updated_at, events)


def test_amend_item_moves_it_to_the_end_of_another_section(draft, manager):
    amend_item(item=item(draft, "infection"), fields={"section": "Hydration"}, by=manager)
    assert order(draft, "Hydration")[-1] == (9, "infection")
    assert [position for position, _ in order(draft)] == list(range(1, 31))


@pytest.mark.parametrize(
    ("code", "fields", "codes"),
    [
        ("weight", {"is_required": False}, {"must-be-asked"}),
        ("iv-access", {"severity": "warning"}, {"must-stop"}),
        ("creatinine", {"unit": "µmol/L"}, {"unit-fixed"}),
        ("creatinine", {"section": "Ready to start"}, {"asked-if-later"}),
        ("premedication", {"choices": [["taken", "Taken"], ["not-ordered", "None"]]}, {"choice-lost"}),
        ("consent", {"kind": "text"}, {"kind-fixed"}),
    ],
)
def test_amend_item_refuses_what_breaks_a_rule(draft, manager, code, fields, codes):
    assert refused_codes(amend_item, item=item(draft, code), fields=fields, by=manager) == codes


def test_amend_item_refuses_to_take_an_answer_away_that_another_question_waits_for(draft, manager):
    cold = {"kind": "choice", "text": "Cold", "section": "Infection", "choices": [["a", "A"], ["b", "B"], ["c", "C"]]}
    cold = add_item(draft=draft, fields=cold, by=manager)
    add_item(draft=draft, fields=SORE | {"asked_if": cold.code, "asked_if_value": "c"}, by=manager)
    with pytest.raises(RuleViolation) as refused:
        amend_item(item=cold, fields={"choices": [["a", "A"], ["b", "B"]]}, by=manager)
    assert [(p.code, p.field, p.message) for p in refused.value.problems] == [
        ("asked-if-value", "", "“Sore throat?”: “Cold” has no answer “c”.")
    ]


def test_amend_item_tells_what_a_colleague_changed_meanwhile(draft, manager, pharmacist):
    consent = item(draft, "consent")
    seen = mark_of(consent)
    amend_item(item=consent, fields={"text": "Consent on file?"}, by=pharmacist, seen=seen)
    with pytest.raises(RuleViolation) as refused:
        amend_item(item=consent, fields={"text": "Consent?"}, by=manager, seen=seen)
    assert refused.value.codes == {"changed-meanwhile"}
    assert refused.value.problems[0].message.startswith(f"{pharmacist.full_name} changed this question")
    assert item(draft, "consent").text == "Consent on file?"


def test_a_colleagues_move_or_other_question_does_not_make_a_form_stale(draft, manager, pharmacist):
    consent = item(draft, "consent")
    seen = mark_of(consent)
    move_item(item=item(draft, "consent"), up=True, by=pharmacist)
    amend_item(item=item(draft, "infection"), fields={"hint": "Ask"}, by=pharmacist)
    assert amend_item(item=consent, fields={"hint": "Look"}, by=manager, seen=seen).hint == "Look"


@pytest.mark.parametrize("service", [amend_item, remove_item])
def test_a_question_removed_meanwhile_is_told(draft, manager, pharmacist, service):
    consent = item(draft, "consent")
    remove_item(item=item(draft, "consent"), by=pharmacist)
    fields = {"fields": {"text": "Consent?"}} if service is amend_item else {}
    assert refused_codes(service, item=consent, by=manager, **fields) == {"question-gone"}


def test_remove_item_closes_the_gap(draft, manager):
    remove_item(item=item(draft, "live-vaccine"), by=manager)
    assert "live-vaccine" not in dict(map(reversed, order(draft)))
    assert [position for position, _ in order(draft)] == list(range(1, 30))
    assert last_event() == ("checklist_template.item_removed", manager.pk, {"item": "live-vaccine"})


@pytest.mark.parametrize(("code", "codes"), [("weight", {"question-needed"}), ("emergency-set", {"question-awaited"})])
def test_remove_item_refuses_what_is_needed(draft, manager, code, codes):
    add_item(draft=draft, fields=SORE | {"section": "Ready to start", "asked_if": "emergency-set"}, by=manager)
    assert refused_codes(remove_item, item=item(draft, code), by=manager) == codes


def test_remove_item_tells_what_a_colleague_changed_meanwhile(draft, manager, pharmacist):
    seen = mark_of(item(draft, "consent"))
    amend_item(item=item(draft, "consent"), fields={"text": "Consent?"}, by=pharmacist)
    assert refused_codes(remove_item, item=item(draft, "consent"), seen=seen, by=manager) == {"changed-meanwhile"}


@pytest.mark.parametrize(
    ("code", "up", "after"),
    [
        ("pulse", True, ["temperature", "systolic", "pulse", "diastolic", "spo2", "respiration"]),
        ("pulse", False, ["temperature", "systolic", "diastolic", "spo2", "pulse", "respiration"]),
        ("temperature", True, ["temperature", "systolic", "diastolic", "pulse", "spo2", "respiration"]),
        ("respiration", False, ["temperature", "systolic", "diastolic", "pulse", "spo2", "respiration"]),
    ],
)
def test_move_item_goes_one_place_within_its_section(draft, manager, code, up, after):
    move_item(item=item(draft, code), up=up, by=manager)
    assert order(draft, "Vital signs") == list(enumerate(after, start=16))


def test_move_item_refuses_to_pass_the_question_whose_answer_it_waits_for(draft, manager):
    moved = {"item": item(draft, "creatinine-on"), "up": True, "by": manager}
    assert refused_codes(move_item, **moved) == {"asked-if-later"}


def test_move_item_tells_a_move_of_a_colleague(draft, manager, pharmacist):
    position = item(draft, "pulse").position
    move_item(item=item(draft, "pulse"), up=True, by=pharmacist, seen_position=position)
    again = {"item": item(draft, "pulse"), "up": True, "by": manager, "seen_position": position}
    assert refused_codes(move_item, **again) == {"changed-meanwhile"}


def test_move_section_takes_its_questions_along(draft, manager):
    move_section(draft=draft, section="Order", up=True, by=manager)
    assert order(draft)[:3] == [(1, "order-matches"), (2, "identity-name"), (3, "identity-birth-date")]
    move_section(draft=draft, section="Order", up=True, by=manager)
    assert order(draft)[0] == (1, "order-matches")
    assert refused_codes(move_section, draft=draft, section="Mood", up=True, by=manager) == {"section-gone"}


def test_rename_section_keeps_questions_and_refuses_a_name_that_is_taken(draft, manager):
    rename_section(draft=draft, section="Order", title=" Order and product ", by=manager)
    assert order(draft, "Order and product") == [(3, "order-matches")]
    wrong = {"draft": draft, "section": "Order and product", "by": manager}
    assert refused_codes(rename_section, title="weight", **wrong) == {"section-taken"}
    assert refused_codes(rename_section, title=" ", **wrong) == {"section-missing"}


@pytest.mark.parametrize(
    ("service", "more"), [(amend_item, {"fields": {"text": "Other"}}), (remove_item, {}), (move_item, {"up": True})]
)
def test_questions_of_a_published_version_are_not_edited(in_use, manager, service, more):
    assert refused_codes(service, item=item(in_use, "consent"), by=manager, **more) == {"already-published"}
