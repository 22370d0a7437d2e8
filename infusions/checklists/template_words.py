"""A question of the check in words, as pages of its versions and their differences show it. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from types import MappingProxyType

from infusion_center.core.rules import Severity
from infusions.checklists.models import ChecklistItem, ItemKind
from infusions.checklists.template_shapes import LIMITS_ELSEWHERE, RULED
from infusions.checklists.values import plain

# Kinds whose failing answers take the gravity of the question; choices carry their own.
GRADED = (ItemKind.YES_NO, ItemKind.NUMBER)
Items = Mapping[str, ChecklistItem]


@dataclass(frozen=True)
class Row:
    """A question as one line of a table. `fails`: what makes an answer fail, empty where nothing does."""

    item: ChecklistItem
    answer: str
    possible: str
    fails: str
    asked: str
    waits_for: str
    is_first: bool = False
    is_last: bool = False
    touched: str = ""  # in a draft: new, changed or moved, against the version in use


def rows_by_section(
    items: Sequence[ChecklistItem], touched: Mapping[str, str] = MappingProxyType({})
) -> list[tuple[str, list[Row]]]:
    others = {item.code: item for item in items}
    sections = [(title, list(members)) for title, members in groupby(items, key=lambda item: item.section)]
    return [
        (title, [row_of(item, others, members, touched.get(item.code, "")) for item in members])
        for title, members in sections
    ]


def row_of(item: ChecklistItem, others: Items, members: Sequence[ChecklistItem], touched: str) -> Row:
    return Row(
        item=item,
        answer=answer_words(item),
        possible=range_words(item),
        fails=failing_words(item),
        asked=asked_words(item),
        waits_for=condition_words(item, others),
        is_first=item is members[0],
        is_last=item is members[-1],
        touched=touched,
    )


def failing_words(item: ChecklistItem) -> str:
    """“No”; Below 250 mL; Set on the page of the site; of choices each says for itself."""
    if item.kind == ItemKind.YES_NO:
        return {"yes": "“No”", "no": "“Yes”"}.get(item.expected, "")
    return "; ".join(filter(None, [limit_words(item), RULED.get(item.code, "")]))


def facts_of(item: ChecklistItem, others: Items) -> dict[str, str]:
    """Label -> words, of all that an editor may change. `others`: all questions of the version, by code."""
    return {
        "Question": item.text,
        "Section": item.section,
        "Hint": item.hint,
        "Answer": answer_words(item),
        "Possible": range_words(item),
        "Limits": limit_words(item),
        "Passes with": item.expected.capitalize() if item.kind == ItemKind.YES_NO else "",
        "A failing answer": Severity(item.severity).label,
        "Means": item.problem_text,
        "What to do": item.remedy,
        "Asked": asked_words(item),
        "Waits for": condition_words(item, others),
        "Answer needed": "Yes" if item.is_required else "Only if known",
        "Source": item.source,
    }


def answer_words(item: ChecklistItem) -> str:
    """Number in kg, 2 decimal places; One of: Taken, None ordered, Not taken (needs approval)."""
    kind = ItemKind(item.kind).label
    if item.kind == ItemKind.NUMBER:
        unit = f" in {item.unit}" if item.unit else ""
        places = f", {item.decimal_places} decimal place{'' if item.decimal_places == 1 else 's'}"
        return f"{kind}{unit}{places if item.decimal_places else ', whole'}"
    if item.kind in (ItemKind.CHOICE, ItemKind.MULTI):
        return f"{kind}: {', '.join(choice_words(choice) for choice in item.choices)}"
    return kind


def choice_words(choice: Sequence[str]) -> str:
    _, label, *severity = choice
    return f"{label} ({Severity(severity[0]).label.lower()})" if severity else label


def range_words(item: ChecklistItem) -> str:
    if item.kind != ItemKind.NUMBER or item.lowest is None or item.highest is None:
        return ""
    return f"{plain(item.lowest)} to {plain(item.highest)} {item.unit}".strip()


def limit_words(item: ChecklistItem) -> str:
    """The limits beyond which an answer fails: Below 250 mL."""
    if item.kind != ItemKind.NUMBER:
        return ""
    if item.code in LIMITS_ELSEWHERE:
        return f"Set {LIMITS_ELSEWHERE[item.code]}"
    parts = [
        f"{word} {plain(limit)}"
        for word, limit in (("below", item.minimum), ("above", item.maximum))
        if limit is not None
    ]
    return capitalized(f"{' or '.join(parts)} {item.unit}".strip()) if parts else ""


def capitalized(words: str) -> str:
    """The first letter only: the unit keeps its own."""
    return words[:1].upper() + words[1:]


def asked_words(item: ChecklistItem) -> str:
    where = "At home" if item.home_only else "In a chair" if item.facility_only else "Everywhere"
    return f"{where}, first dose only" if item.first_dose_only else where


def condition_words(item: ChecklistItem, others: Items) -> str:
    if not item.asked_if:
        return ""
    other = others.get(item.asked_if)
    question = f"“{other.text if other else item.asked_if}”"
    if not item.asked_if_value:
        return f"{question} answered"
    labels = {choice[0]: choice[1] for choice in other.choices} if other else {}
    return f"{question} answered “{labels.get(item.asked_if_value, item.asked_if_value.capitalize())}”"
