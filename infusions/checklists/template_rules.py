"""What must hold of the questions of the pre-infusion check before a new version of them goes into use."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal

from infusion_center.core.rules import Problem, Severity, blocker
from infusions.checklists.models import ChecklistItem, ItemKind
from infusions.checklists.template_shapes import (
    ALWAYS_ASKED,
    GATE,
    HOME_GATE,
    KNOWN_CHOICES,
    LIMITS_ELSEWHERE,
    RESERVED_VALUES,
    SHAPES,
    Shape,
)
from infusions.checklists.values import NONE, choice_values, plain
from patients.rules import WEIGHT_KG

# The shapes of all questions published so far, by code: an answer of today stands beside that of the last visit.
Asked = Mapping[str, Shape]

STOPS = (Severity.BLOCKER, Severity.APPROVAL)
LONGEST_VALUE = 19  # with the code of the question it makes the code of a problem
VALUE = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


def item_problems(item: ChecklistItem, asked: Asked) -> list[Problem]:
    """What is wrong with one question by itself; `field` names its column."""
    return [
        *wording_problems(item),
        *shape_problems(item, asked),
        *place_problems(item),
        *answer_problems(item),
        *choice_problems(item),
    ]


def wording_problems(item: ChecklistItem) -> list[Problem]:
    needed = {"text": "Write the question.", "section": "Name the section that it stands in."}
    return [blocker(f"{name}-missing", words, field=name) for name, words in needed.items() if not getattr(item, name)]


def shape_problems(item: ChecklistItem, asked: Asked) -> list[Problem]:
    """Kind, unit and places of what rules compute with, or what was asked before under this code, stay."""
    shape = SHAPES.get(item.code) or asked.get(item.code)
    if shape is None:
        return []
    why = "Rules compute with it." if item.code in SHAPES else "Answers of earlier visits are shown beside it."
    remedy = "" if item.code in SHAPES else "Remove this question and add a new one."
    fixed = (
        ("kind", "kind-fixed", f"The answer stays “{shape.kind.label}”.", item.kind != shape.kind),
        ("unit", "unit-fixed", f"The unit stays “{shape.unit}”.", item.unit != shape.unit),
        (
            "decimal_places",
            "places-fixed",
            f"The answer keeps {shape.decimal_places} decimal places.",
            item.code in SHAPES and item.decimal_places != shape.decimal_places,
        ),
    )
    return [blocker(code, f"{words} {why}", field=field, remedy=remedy) for field, code, words, wrong in fixed if wrong]


def place_problems(item: ChecklistItem) -> list[Problem]:
    """Where and when it is asked. The questions that keep the gate are asked always, must be answered, and stop."""
    problems = []
    if item.home_only and item.facility_only:
        problems.append(blocker("asked-nowhere", "Only at home and only in a chair: it would never be asked."))
    if item.code in GATE | HOME_GATE | ALWAYS_ASKED:
        narrowed = {
            "is_required": not item.is_required,
            "home_only": item.home_only and item.code not in HOME_GATE,
            "facility_only": item.facility_only,
            "first_dose_only": item.first_dose_only,
            "asked_if": bool(item.asked_if),
        }
        message = "This is asked at every visit, and an answer is needed."
        if item.code in HOME_GATE:
            message = "This is asked at every visit at home, and an answer is needed."
        problems += [blocker("must-be-asked", message, field=field) for field, narrow in narrowed.items() if narrow]
    if item.code in GATE | HOME_GATE:
        if item.severity != Severity.BLOCKER:
            problems.append(blocker("must-stop", "A failing answer stops the infusion, always.", field="severity"))
        if SHAPES[item.code].kind == ItemKind.YES_NO and item.expected != "yes":
            problems.append(blocker("expected-fixed", "The answer that passes stays “yes”.", field="expected"))
    return problems


def answer_problems(item: ChecklistItem) -> list[Problem]:
    """The answer that passes, and the numbers that an answer is held against."""
    if item.kind == ItemKind.YES_NO and not item.expected and item.severity in STOPS:
        message = "Say which answer passes: a failing one would stop the infusion."
        return [blocker("expected-missing", message, field="expected")]
    if item.kind != ItemKind.NUMBER:
        return []
    return [*range_problems(item), *limit_problems(item)]


def range_problems(item: ChecklistItem) -> list[Problem]:
    """The range in which a number can be right at all: beyond it is a slip of the finger."""
    lowest, highest = item.lowest, item.highest
    if lowest is None or highest is None:
        field = "lowest" if lowest is None else "highest"
        return [blocker("range-missing", "Give the lowest and the highest number that can be right.", field=field)]
    if lowest >= highest:
        return [blocker("range-reversed", "The highest number must be above the lowest.", field="highest")]
    if item.code == "weight" and (lowest < WEIGHT_KG[0] or highest > WEIGHT_KG[1]):
        message = f"The chart takes weights from {plain(WEIGHT_KG[0])} to {plain(WEIGHT_KG[1])} kg."
        return [blocker("range-too-wide", message, field="lowest" if lowest < WEIGHT_KG[0] else "highest")]
    return []


def limit_problems(item: ChecklistItem) -> list[Problem]:
    """The limits beyond which an answer fails: in order, inside the range, and not where others decide."""
    limits = {"minimum": item.minimum, "maximum": item.maximum}
    given = {name: limit for name, limit in limits.items() if limit is not None}
    if given and item.code in LIMITS_ELSEWHERE:
        message = f"The limits of this question are set {LIMITS_ELSEWHERE[item.code]}."
        return [blocker("limit-elsewhere", message, field=next(iter(given)))]
    if len(given) == 2 and given["minimum"] >= given["maximum"]:
        return [blocker("limits-reversed", "The upper limit must be above the lower one.", field="maximum")]
    return [
        blocker("limit-out-of-range", f"{plain(limit)} is outside what can be right.", field=name)
        for name, limit in given.items()
        if is_outside(limit, item.lowest, item.highest)
    ]


def is_outside(number: Decimal, lowest: Decimal | None, highest: Decimal | None) -> bool:
    return (lowest is not None and number < lowest) or (highest is not None and number > highest)


def choice_problems(item: ChecklistItem) -> list[Problem]:
    """At least two answers, each once, “none” last, and the answers kept that rules know."""
    if item.kind not in (ItemKind.CHOICE, ItemKind.MULTI):
        return []
    values, labels = choice_values(item), [choice[1].strip().casefold() for choice in item.choices]
    faults = [
        ("choices-few", "Give at least two answers to choose from.", len(values) < 2),
        ("choice-repeated", "Each answer may stand here once.", len({*values}) + len({*labels}) < 2 * len(values)),
        ("choice-unreadable", "An answer needs a value of small letters, digits and hyphens.", has_unreadable(values)),
        ("choice-reserved", "This answer has a name that a rule uses. Word it otherwise.", uses_reserved(item, values)),
        (
            "none-last",
            "“None” must be the last answer, so that it is chosen on purpose, and it stops nothing.",
            item.kind == ItemKind.MULTI and (values[-1:] != [NONE] or len(item.choices[-1]) > 2),
        ),
    ]
    problems = [blocker(code, message, field="choices") for code, message, wrong in faults if wrong]
    lost = KNOWN_CHOICES.get(item.code, frozenset()) - set(values)
    if lost:
        message = f"Rules know these answers, which may be worded anew but not removed: {', '.join(sorted(lost))}."
        problems.append(blocker("choice-lost", message, field="choices"))
    return problems


def has_unreadable(values: Iterable[str]) -> bool:
    return any(len(value) > LONGEST_VALUE or not VALUE.fullmatch(value) for value in values)


def uses_reserved(item: ChecklistItem, values: Iterable[str]) -> bool:
    return not RESERVED_VALUES.get(item.code, frozenset()).isdisjoint(values)


def condition_problems(item: ChecklistItem, items: Sequence[ChecklistItem]) -> list[Problem]:
    """A question asked by the answer to another needs that one before it, in the same place, with that answer."""
    if not item.asked_if:
        return []
    other = next((one for one in items if one.code == item.asked_if and one.code != item.code), None)
    if other is None:
        return [blocker("asked-if-missing", "The question whose answer it waits for is gone.", field="asked_if")]
    if other.position >= item.position:
        message = f"It waits for the answer to “{other.text}”, so it must come after that question."
        return [blocker("asked-if-later", message, field="asked_if")]
    if item.asked_if_value and item.asked_if_value not in possible_values(other):
        message = f"“{other.text}” has no answer “{item.asked_if_value}”."
        return [blocker("asked-if-value", message, field="asked_if")]
    if (other.home_only and item.facility_only) or (other.facility_only and item.home_only):
        message = f"“{other.text}” is not asked where this one is: it would never be asked."
        return [blocker("asked-if-elsewhere", message, field="asked_if")]
    return []


def possible_values(item: ChecklistItem) -> list[str]:
    """The answers that another question may wait for; of numbers, dates and texts only that there is one."""
    return ["yes", "no"] if item.kind == ItemKind.YES_NO else choice_values(item)


def lost_problems(items: Iterable[ChecklistItem], wording: Mapping[str, str]) -> list[Problem]:
    """Questions that no version may go without. `wording`: how each code was last asked."""
    there = {item.code for item in items}
    return [
        blocker("question-needed", f"“{wording.get(code, code)}” is needed: other rules depend on its answer.")
        for code in SHAPES
        if code not in there
    ]


def removal_problems(item: ChecklistItem, items: Iterable[ChecklistItem]) -> list[Problem]:
    if item.code in SHAPES:
        message = f"“{item.text}” cannot be removed: other rules depend on its answer."
        return [blocker("question-needed", message, remedy="Its wording, hint and place may change.")]
    return [
        blocker("question-awaited", f"“{other.text}” waits for its answer.", remedy="Change that question first.")
        for other in items
        if other.asked_if == item.code
    ]


def draft_problems(items: Sequence[ChecklistItem], asked: Asked, wording: Mapping[str, str]) -> list[Problem]:
    """All that stands against putting these questions into use; `field` is the code of the question."""
    problems = lost_problems(items, wording)
    for item in items:
        found = [*item_problems(item, asked), *condition_problems(item, items)]
        problems += [replace(p, message=f"“{item.text}”: {p.message}", field=item.code) for p in found]
    return problems


def note_problems(note: str) -> list[Problem]:
    if note.strip():
        return []
    message = "Write what changed and why; it stands with the version for good."
    return [blocker("note-missing", message, field="note")]
