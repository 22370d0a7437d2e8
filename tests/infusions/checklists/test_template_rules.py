"""Tables of the rules for questions: what an edit may not do, what stands against a version, what makes it weaker."""

import json
from decimal import Decimal as D

import pytest

from infusions.checklists.cards import LINKED
from infusions.checklists.catalog import SHIPPED, item_of
from infusions.checklists.consequences import SPECIAL
from infusions.checklists.models import ChecklistItem, ChecklistTemplate, ItemKind
from infusions.checklists.rules import NEVER_OVERRIDDEN
from infusions.checklists.template_changes import changes_between, weaker_problems
from infusions.checklists.template_rules import (
    condition_problems,
    draft_problems,
    item_problems,
    note_problems,
    removal_problems,
)
from infusions.checklists.template_shapes import GATE, HOME_GATE, KNOWN_CHOICES, SHAPES, Shape
from infusions.checklists.values import choice_values
from infusions.doses.rules import CHECKLIST_SIGNS

# No questions: what an order lacks, and what the weight of a check comes to.
NO_ITEMS = {"order-not-signed", "weight-change"}
COUGH = {
    "code": "own-cough", "section": "Infection", "text": "Coughs per hour", "kind": "number", "unit": "/h",
    "lowest": D(0), "highest": D(100), "maximum": D(20),
}  # fmt: skip
COLD = {
    "code": "own-cold", "section": "Infection", "text": "Signs of a cold?", "kind": "multi",
    "choices": [["sneezing", "Sneezing"], ["fever", "Fever", "blocker"], ["none", "None"]],
}  # fmt: skip
SORE = {"code": "own-sore", "section": "Infection", "text": "Sore throat?", "kind": "yes_no", "expected": "no"}


def shipped() -> list[ChecklistItem]:
    rows = json.loads(SHIPPED.read_text(encoding="utf-8"))["items"]
    return [item_of(ChecklistTemplate(version=1), position, row) for position, row in enumerate(rows, start=1)]


def own(fields, **changes) -> ChecklistItem:
    return ChecklistItem(position=99, **{**fields, **changes})


def question(code, **changes) -> ChecklistItem:
    item = next(item for item in shipped() if item.code == code)
    for name, value in changes.items():
        setattr(item, name, value)
    return item


def found(problems) -> list[tuple[str, str]]:
    return [(problem.code, problem.field) for problem in problems]


def test_the_shipped_questions_break_no_rule():
    items = shipped()
    assert (draft_problems(items, {}, {}), {item.code for item in items} >= set(SHAPES)) == ([], True)


def test_every_question_that_other_code_knows_is_kept_in_its_shape():
    known = (NEVER_OVERRIDDEN - NO_ITEMS) | set(SPECIAL) | set(CHECKLIST_SIGNS) | set(KNOWN_CHOICES)
    known |= set(LINKED) | {code for codes in LINKED.values() for code in codes}
    assert (known - set(SHAPES), (GATE | HOME_GATE) - set(SHAPES)) == (set(), set())
    assert {code: shape for code, shape in SHAPES.items() if shape != shape_of(question(code))} == {}


def shape_of(item) -> Shape:
    return Shape(ItemKind(item.kind), item.unit, item.decimal_places)


def test_the_choices_that_rules_know_are_those_shipped():
    lost = {code: values - set(choice_values(question(code))) for code, values in KNOWN_CHOICES.items()}
    assert {code: values for code, values in lost.items() if values} == {}


@pytest.mark.parametrize("code", sorted(GATE))
@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"is_required": False}, ("must-be-asked", "is_required")),
        ({"home_only": True}, ("must-be-asked", "home_only")),
        ({"facility_only": True}, ("must-be-asked", "facility_only")),
        ({"first_dose_only": True}, ("must-be-asked", "first_dose_only")),
        ({"asked_if": "infection"}, ("must-be-asked", "asked_if")),
        ({"severity": "approval"}, ("must-stop", "severity")),
    ],
)
def test_a_question_that_keeps_the_gate_stays_required_always_asked_and_a_blocker(code, change, problem):
    assert found(item_problems(question(code, **change), {})) == [problem]


@pytest.mark.parametrize(
    ("item", "problems"),
    [
        # Wording, hint, remedy, place and section are free, also where rules depend on the question
        (question("weight", text="Weight now", hint="Shoes off", remedy="Call", section="Body", position=1), []),
        (question("infection", severity="warning", is_required=False, home_only=True), []),
        (question("dehydration-signs", severity="approval"), []),
        (question("weight", text=""), [("text-missing", "text")]),
        (question("weight", section=""), [("section-missing", "section")]),
        # Shape
        (question("weight", kind="text"), [("kind-fixed", "kind")]),
        (question("weight", unit="lb"), [("unit-fixed", "unit")]),
        (question("temperature", decimal_places=2), [("places-fixed", "decimal_places")]),
        (question("creatinine-on", kind="text"), [("kind-fixed", "kind")]),
        (question("diastolic", unit="kPa"), [("unit-fixed", "unit")]),
        # Always asked
        (question("dehydration-signs", is_required=False), [("must-be-asked", "is_required")]),
        (question("intake-day-before", first_dose_only=True), [("must-be-asked", "first_dose_only")]),
        (question("emergency-kit-home", home_only=False), []),
        (question("emergency-kit-home", first_dose_only=True), [("must-be-asked", "first_dose_only")]),
        (question("emergency-kit-home", severity="warning"), [("must-stop", "severity")]),
        (question("emergency-kit-home", expected="no"), [("expected-fixed", "expected")]),
        (question("identity-name", expected="no"), [("expected-fixed", "expected")]),
        (question("consent", home_only=True, facility_only=True), [("asked-nowhere", "")]),
        # Answers that pass
        (own(SORE, expected=""), [("expected-missing", "expected")]),
        (own(SORE, expected="", severity="approval"), [("expected-missing", "expected")]),
        (own(SORE, expected="", severity="note"), []),
        # Numbers
        (own(COUGH), []),
        (own(COUGH, lowest=None), [("range-missing", "lowest")]),
        (own(COUGH, highest=None), [("range-missing", "highest")]),
        (own(COUGH, lowest=D(100)), [("range-reversed", "highest"), ("limit-out-of-range", "maximum")]),
        (own(COUGH, minimum=D(20)), [("limits-reversed", "maximum")]),
        (own(COUGH, minimum=D(0)), []),
        (own(COUGH, maximum=D(101)), [("limit-out-of-range", "maximum")]),
        (own(COUGH, lowest=D(5), minimum=D(4)), [("limit-out-of-range", "minimum")]),
        (question("weight", lowest=D("0.5")), [("range-too-wide", "lowest")]),
        (question("weight", highest=D(401)), [("range-too-wide", "highest")]),
        (question("weight", lowest=D(10), highest=D(200)), []),
        (question("systolic", maximum=D(200)), [("limit-elsewhere", "maximum")]),
        (question("intake-day-before", minimum=D(500)), [("limit-elsewhere", "minimum")]),
        (question("intake-today", minimum=D(300)), []),
        # Choices
        (own(COLD), []),
        (own(COLD, choices=[["none", "None"]]), [("choices-few", "choices")]),
        (own(COLD, kind="choice", choices=[["a", "A"]]), [("choices-few", "choices")]),
        (own(COLD, kind="choice", choices=[["a", "A"], ["b", "B", "blocker"]]), []),
        (own(COLD, choices=[["a", "A"], ["a", "B"], ["none", "None"]]), [("choice-repeated", "choices")]),
        (own(COLD, choices=[["a", "Cold"], ["b", "cold "], ["none", "None"]]), [("choice-repeated", "choices")]),
        (own(COLD, choices=[["none", "None"], ["a", "A"]]), [("none-last", "choices")]),
        (own(COLD, choices=[["a", "A"], ["b", "B"]]), [("none-last", "choices")]),
        (own(COLD, choices=[["a", "A"], ["none", "None", "warning"]]), [("none-last", "choices")]),
        (own(COLD, choices=[["A b", "A"], ["none", "None"]]), [("choice-unreadable", "choices")]),
        (own(COLD, choices=[["a" * 20, "A"], ["none", "None"]]), [("choice-unreadable", "choices")]),
    ],
    ids=lambda value: f"{value.code}" if isinstance(value, ChecklistItem) else "",
)
def test_item_problems(item, problems):
    assert found(item_problems(item, {})) == problems


@pytest.mark.parametrize(
    ("code", "value"), [(code, value) for code, values in KNOWN_CHOICES.items() for value in sorted(values)]
)
def test_a_choice_that_rules_know_cannot_be_lost_but_worded_anew(code, value):
    item = question(code)
    item.choices = [[one, "Other words"] if one == value else [one, label, *more] for one, label, *more in item.choices]
    assert "choice-lost" not in dict(found(item_problems(item, {})))
    item.choices = [choice for choice in item.choices if choice[0] != value]
    assert "choice-lost" in dict(found(item_problems(item, {})))


@pytest.mark.parametrize(("code", "value"), [("dehydration-signs", "hold"), ("premedication", "ordered")])
def test_a_choice_cannot_take_the_name_of_what_a_rule_says(code, value):
    item = question(code)
    item.choices = [[value, "Something else"], *item.choices]
    assert found(item_problems(item, {})) == [("choice-reserved", "choices")]


@pytest.mark.parametrize(
    ("change", "problems"),
    [
        ({}, []),
        ({"text": "Coughs in an hour", "maximum": D(10), "decimal_places": 1}, []),
        ({"kind": "text"}, [("kind-fixed", "kind")]),
        ({"unit": "/min"}, [("unit-fixed", "unit")]),
    ],
)
def test_a_question_asked_before_keeps_kind_and_unit(change, problems):
    """Its last answer stands beside the new one."""
    asked = {"own-cough": Shape(ItemKind.NUMBER, "/h")}
    assert found(item_problems(own(COUGH, **change), asked)) == problems


@pytest.mark.parametrize(
    ("change", "problems"),
    [
        ({"asked_if": ""}, []),
        ({"asked_if": "infection"}, []),
        ({"asked_if": "infection", "asked_if_value": "yes"}, []),
        ({"asked_if": "infection", "asked_if_value": "perhaps"}, ["asked-if-value"]),
        ({"asked_if": "premedication", "asked_if_value": "taken"}, []),
        ({"asked_if": "premedication", "asked_if_value": "some"}, ["asked-if-value"]),
        ({"asked_if": "weight", "asked_if_value": "70"}, ["asked-if-value"]),
        ({"asked_if": "shoe-size"}, ["asked-if-missing"]),
        ({"asked_if": "own-sore"}, ["asked-if-missing"]),
        ({"asked_if": "infection", "position": 2}, ["asked-if-later"]),
        ({"asked_if": "emergency-set", "home_only": True}, ["asked-if-elsewhere"]),
        ({"asked_if": "emergency-kit-home", "facility_only": True}, ["asked-if-elsewhere"]),
        ({"asked_if": "emergency-set", "facility_only": True}, []),
    ],
)
def test_condition_problems(change, problems):
    item = ChecklistItem(**{**SORE, "position": 99, **change})
    assert found(condition_problems(item, [*shipped(), item])) == [(code, "asked_if") for code in problems]


@pytest.mark.parametrize("code", sorted(SHAPES))
def test_a_question_that_rules_depend_on_cannot_be_removed(code):
    items = shipped()
    assert found(removal_problems(question(code), items)) == [("question-needed", "")]
    left = [item for item in items if item.code != code and item.asked_if != code]
    lost = draft_problems(left, {}, {code: "As it was asked"})
    assert "“As it was asked” is needed: other rules depend on its answer." in [problem.message for problem in lost]


def test_a_question_that_another_waits_for_cannot_be_removed():
    waiting = own(SORE, asked_if="consent")
    assert found(removal_problems(question("consent"), [*shipped(), waiting])) == [("question-awaited", "")]
    assert removal_problems(question("consent"), shipped()) == []


def test_problems_of_a_draft_name_the_question():
    broken = own(SORE, expected="", asked_if="shoe-size")
    problems = draft_problems([*shipped(), broken], {}, {})
    assert [(p.code, p.field, p.message.partition(":")[0]) for p in problems] == [
        ("expected-missing", "own-sore", "“Sore throat?”"),
        ("asked-if-missing", "own-sore", "“Sore throat?”"),
    ]


@pytest.mark.parametrize(("note", "problems"), [("Asked twice a day", []), (" ", [("note-missing", "note")])])
def test_a_version_needs_its_note(note, problems):
    assert found(note_problems(note)) == problems


@pytest.mark.parametrize(
    ("code", "change", "words"),
    [
        ("consent", {}, []),
        ("consent", {"text": "Consent?", "remedy": "Ask"}, []),
        ("consent", {"severity": "warning"}, ["a failing answer now only counts as warning"]),
        ("live-vaccine", {"severity": "blocker"}, []),
        ("consent", {"is_required": False}, ["no answer is needed any more"]),
        ("consent", {"first_dose_only": True}, ["asked at fewer visits"]),
        ("emergency-set", {"facility_only": False}, []),
        ("intake-today", {"minimum": D(100)}, ["the limits are wider"]),
        ("intake-today", {"minimum": None}, ["the limits are wider"]),
        ("intake-today", {"minimum": D(400)}, []),
        ("consent", {"expected": "no"}, ["an answer that failed now passes"]),
        ("premedication", {"choices": [["not-taken", "Not taken"]]}, ["an answer counts less, or is gone"]),
        ("premedication", {"choices": [["not-taken", "Not taken", "blocker"]]}, []),
    ],
)
def test_what_makes_a_version_weaker_is_said(code, change, words):
    after = [question(code, **change) if item.code == code else item for item in shipped()]
    text = question(code).text
    assert [p.message for p in weaker_problems(shipped(), after)] == [f"“{text}”: {word}." for word in words]


def test_a_removed_question_is_said():
    after = [item for item in shipped() if item.code != "consent"]
    assert [p.code for p in weaker_problems(shipped(), after)] == ["question-weaker"]


def test_changes_between_versions_in_words():
    before, after = shipped(), [item for item in shipped() if item.code != "ride-home"]
    changed = next(item for item in after if item.code == "intake-today")
    changed.text, changed.minimum, changed.severity = "Drunk today", D(300), "approval"
    after.append(own(SORE))
    systolic = next(item for item in after if item.code == "systolic")
    after.remove(systolic)
    after.insert(after.index(next(item for item in after if item.code == "spo2")) + 1, systolic)
    changes = changes_between(before, after)
    assert [item.code for item in changes.added] == ["own-sore"]
    assert [item.code for item in changes.removed] == ["ride-home"]
    assert [
        (change.item.code, change.is_moved, [(f.label, f.before, f.after) for f in change.fields])
        for change in changes.changed
    ] == [
        (
            "intake-today",
            False,
            [
                ("Question", "Drunk today so far", "Drunk today"),
                ("Limits", "Below 250 mL", "Below 300 mL"),
                ("A failing answer", "Warning", "Needs approval"),
            ],
        ),
        ("systolic", True, []),
    ]


def test_the_same_questions_differ_in_nothing():
    assert not changes_between(shipped(), shipped())
