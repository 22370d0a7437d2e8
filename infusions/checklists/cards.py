"""What the page shows of each question: the answer and who gave it, what it means, and what stands beside it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import groupby

from infusion_center.core.rules import Problem
from infusions.checklists import hints, rules
from infusions.checklists.beside import AgainLine, DisagreementLine, ReportLine, lines_beside
from infusions.checklists.models import ChecklistAnswer, ChecklistItem, ItemKind
from infusions.checklists.queries import RunState, earlier_answers
from infusions.checklists.values import Value, show_value

COMPACT = frozenset({ItemKind.NUMBER, ItemKind.DATE, ItemKind.TIME})
# Whoever the patient is and what is in hand is looked at anew: an earlier yes must not be repeated by habit.
COMPARED = frozenset({ItemKind.NUMBER, ItemKind.DATE, ItemKind.MULTI})
# Answers that change what another question says.
LINKED = {
    "weight": ("intake-day-before", "dehydration-signs"),
    "creatinine-on": ("creatinine",),
    "pregnancy-estrogen": ("order-matches",),
    "new-drugs": ("order-matches",),
}


@dataclass(frozen=True)
class Choice:
    value: str
    label: str
    is_chosen: bool


@dataclass(frozen=True)
class Card:
    """One question as it is shown. `typed` is what the fields hold, also when it could not be read (`error`)."""

    item: ChecklistItem
    is_asked: bool
    answer: ChecklistAnswer | None
    typed: Value
    problems: tuple[Problem, ...]
    beside: tuple[str, ...] = ()
    limits: str = ""
    consequence: str = ""
    last_text: str = ""
    last: ChecklistAnswer | None = None
    error: str = ""
    report: ReportLine | None = None
    again: AgainLine | None = None
    disagreement: DisagreementLine | None = None

    @property
    def root(self) -> str:
        return f"item-{self.item.code}"

    @property
    def is_compact(self) -> bool:
        return self.item.kind in COMPACT

    @property
    def is_wide(self) -> bool:
        return self.item.kind in (ItemKind.CHOICE, ItemKind.MULTI, ItemKind.TEXT)

    @property
    def shown(self) -> str:
        return show_value(self.item, self.answer.value) if self.answer else ""

    @property
    def kept(self) -> str:
        """What the server knows, as one text: a whole-page form compares it, to send on only what was changed."""
        return "|".join(as_list(self.answer.value)) if self.answer else ""

    @property
    def state(self) -> str:
        """unanswered, fine, or the severity of its gravest problem."""
        if self.problems:
            return self.problems[0].severity.value
        return "fine" if self.answer else "unanswered"

    @property
    def choices(self) -> list[Choice]:
        chosen = as_list(self.typed)
        if self.item.kind == ItemKind.YES_NO:
            return [Choice(value, label, value in chosen) for value, label in (("yes", "Yes"), ("no", "No"))]
        return [Choice(value, label, value in chosen) for value, label, *_ in self.item.choices]


@dataclass(frozen=True)
class Section:
    number: int
    title: str
    cards: list[Card]

    @property
    def is_asked(self) -> bool:
        return any(card.is_asked for card in self.cards)


@dataclass(frozen=True)
class Progress:
    answered: int
    total: int
    next_code: str
    problems: list[Problem] = field(default_factory=list)

    @property
    def is_complete(self) -> bool:
        return self.answered == self.total

    @property
    def holding(self) -> int:
        return len(rules.holding(self.problems))


def as_list(value: Value) -> list[str]:
    return [value] if isinstance(value, str) else list(value)


def progress_of(state: RunState) -> Progress:
    asked = rules.asked_items(state.items, state.answers, state.context)
    needed = [item for item in asked if item.is_required]
    missing = rules.missing_items(state.items, state.answers, state.context)
    return Progress(
        answered=len(needed) - len(missing),
        total=len(needed),
        next_code=missing[0].code if missing else "",
        problems=[p for p in state.problems if p.field in state.answers or not p.field or not missing],
    )


def cards_of(
    state: RunState, *, errors: Mapping[str, str] | None = None, typed: Mapping[str, Value] | None = None, viewer=None
) -> list[Card]:
    """A card for every question, asked or not: one not asked is hidden and shown when an answer calls for it."""
    errors, typed = errors or {}, typed or {}
    beside = lines_beside(state, viewer)
    earlier = earlier_answers(state.run.appointment, state.run)
    problems = state.problems
    asked = {item.code for item in rules.asked_items(state.items, state.answers, state.context)}
    return [
        Card(
            item=item,
            is_asked=item.code in asked,
            answer=state.latest.get(item.code),
            typed=typed.get(item.code, state.answers.get(item.code, "")),
            problems=tuple(p for p in problems if p.field == item.code and item.code in state.answers),
            beside=tuple(hints.facts_beside(item, state)),
            limits=hints.limits_of(item, state),
            consequence=hints.consequence_of(item, state),
            last=(last := earlier.get(item.code) if is_compared(item) else None),
            last_text=show_value(item, last.value) if last else "",
            error=errors.get(item.code, ""),
            report=beside.reports.get(item.code),
            again=beside.again.get(item.code),
            disagreement=beside.disagreements.get(item.code),
        )
        for item in state.items
    ]


def is_compared(item: ChecklistItem) -> bool:
    """Creatinine names its own earlier value, which may be older than the last check."""
    return item.kind in COMPARED and item.code not in ("creatinine", "creatinine-on")


def sections_of(cards: list[Card]) -> list[Section]:
    grouped = groupby(cards, key=lambda card: card.item.section)
    return [Section(number, title, list(members)) for number, (title, members) in enumerate(grouped, start=1)]


def touched_codes(state: RunState, code: str, seen: int) -> set[str]:
    """Other questions to draw anew after an answer: those that depend on it, and those a colleague answered since."""
    dependent = {item.code for item in state.items if item.asked_if == code} | set(LINKED.get(code, ()))
    return (dependent | changed_codes(state, seen)) - {code}


def changed_codes(state: RunState, seen: int) -> set[str]:
    changed = {code for code, answer in state.latest.items() if answer.pk > seen}
    return changed | {item.code for item in state.items if item.asked_if in changed}
