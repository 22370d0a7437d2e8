"""What differs between two versions of the questions, in words, and what of it makes the check less strict. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from infusion_center.core.rules import Problem, Severity, warning
from infusions.checklists.models import ChecklistItem
from infusions.checklists.template_words import facts_of

GRAVITY = [*Severity]


@dataclass(frozen=True)
class FieldChange:
    label: str
    before: str
    after: str


@dataclass(frozen=True)
class ItemChange:
    item: ChecklistItem
    fields: tuple[FieldChange, ...]
    is_moved: bool = False


@dataclass(frozen=True)
class Changes:
    added: tuple[ChecklistItem, ...] = ()
    removed: tuple[ChecklistItem, ...] = ()
    changed: tuple[ItemChange, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.added or self.removed or self.changed)


def changes_between(before: Sequence[ChecklistItem], after: Sequence[ChecklistItem]) -> Changes:
    """Questions are the same when their code is. Moved: those out of the longest run that kept its order."""
    old, new = {item.code: item for item in before}, {item.code: item for item in after}
    moved = moved_codes([code for code in old if code in new], [code for code in new if code in old])
    changed = []
    for code in (code for code in new if code in old):
        facts, facts_before = facts_of(new[code], new), facts_of(old[code], old)
        fields = tuple(
            FieldChange(label, facts_before[label], words)
            for label, words in facts.items()
            if words != facts_before[label]
        )
        if fields or code in moved:
            changed.append(ItemChange(new[code], fields, code in moved))
    return Changes(
        added=tuple(item for code, item in new.items() if code not in old),
        removed=tuple(item for code, item in old.items() if code not in new),
        changed=tuple(changed),
    )


def moved_codes(before: list[str], after: list[str]) -> set[str]:
    blocks = SequenceMatcher(None, before, after, autojunk=False).get_matching_blocks()
    return set(after) - {code for block in blocks for code in after[block.b : block.b + block.size]}


def weaker_problems(before: Sequence[ChecklistItem], after: Sequence[ChecklistItem]) -> list[Problem]:
    """What the new version lets pass that the one before stopped: allowed, but said before it is put into use."""
    new = {item.code: item for item in after}
    return [
        warning("question-weaker", f"“{item.text}”: {words}.", field=item.code)
        for item in before
        for words in weaker_words(item, new.get(item.code))
    ]


def weaker_words(old: ChecklistItem, new: ChecklistItem | None) -> list[str]:
    if new is None:
        return ["no longer asked"]
    found = {
        f"a failing answer now only counts as {Severity(new.severity).label.lower()}": is_weaker(
            new.severity, old.severity
        ),
        "no answer is needed any more": old.is_required and not new.is_required,
        "asked at fewer visits": narrowness(new) - narrowness(old),
        "the limits are wider": is_wider(old, new),
        "an answer that failed now passes": bool(old.expected) and new.expected != old.expected,
        "an answer counts less, or is gone": any(
            is_weaker(severity_of(new, value), severity) for value, _, severity in graded(old)
        ),
    }
    return [words for words, holds in found.items() if holds]


def is_weaker(now: str, before: str) -> bool:
    gravity = {severity.value: number for number, severity in enumerate(GRAVITY)}
    return gravity.get(now, len(gravity)) > gravity.get(before, len(gravity))


def narrowness(item: ChecklistItem) -> set[str]:
    """What keeps the question from being asked at every visit."""
    flags = {name for name in ("home_only", "facility_only", "first_dose_only") if getattr(item, name)}
    return flags | ({f"{item.asked_if}={item.asked_if_value}"} if item.asked_if else set())


def is_wider(old: ChecklistItem, new: ChecklistItem) -> bool:
    lower = old.minimum is not None and (new.minimum is None or new.minimum < old.minimum)
    upper = old.maximum is not None and (new.maximum is None or new.maximum > old.maximum)
    return lower or upper


def graded(item: ChecklistItem) -> list[tuple[str, str, str]]:
    return [(choice[0], choice[1], choice[2]) for choice in item.choices if len(choice) > 2]


def severity_of(item: ChecklistItem, value: str) -> str:
    return next((severity for own, _, severity in graded(item) if own == value), "")
