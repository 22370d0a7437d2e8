"""What the running page proposes about each reaction, by grade, and the presses that are left to make."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from infusions.doses import reaction_calls, running_rules
from infusions.doses.course import Course
from infusions.doses.models import DoseState
from infusions.doses.reaction_models import Reaction, ReactionStep, ReactionStepKind
from infusions.doses.reaction_rules import CALLS

GRAVE_CALLS = (
    ReactionStepKind.EMERGENCY_CALLED,
    ReactionStepKind.PRESCRIBER_CALLED,
    ReactionStepKind.PHARMACIST_TOLD,
)
CARE = (ReactionStepKind.REASSESSED, ReactionStepKind.RESOLVED)


@dataclass(frozen=True)
class Press:
    """One tap: `done` is the last time it was made; a call that is made is no button any more."""

    kind: ReactionStepKind
    done: ReactionStep | None
    is_owed: bool

    @property
    def is_button(self) -> bool:
        return self.done is None or self.kind not in CALLS


@dataclass(frozen=True)
class ReactionCard:
    """`slow_to` in mL/h, 0 for a pause, None when there is nothing to slow; `restart_at` after grade 2 while paused."""

    reaction: Reaction
    is_over: bool
    is_stopped: bool
    slow_to: Decimal | None
    restart_at: Decimal | None
    presses: tuple[Press, ...]

    @property
    def is_treated(self) -> bool:
        return self.reaction.grade >= reaction_calls.GRADE_PAUSE


def reaction_cards(course: Course, most_ml_per_h: Decimal | None = None) -> list[ReactionCard]:
    """The gravest and latest first; what is over and asks for nothing more is left to the history.

    `most_ml_per_h`: the cap of now, where it may lie below a tolerated rate.
    """
    if course.state == DoseState.SIGNED:
        return []
    cards = [_card(course, one, most_ml_per_h) for one in course.reactions]
    asking = [card for card in cards if not card.is_over or any(press.is_owed for press in card.presses)]
    return sorted(asking, key=lambda card: (card.reaction.grade, card.reaction.onset_at), reverse=True)


def _card(course: Course, reaction: Reaction, most: Decimal | None) -> ReactionCard:
    over = reaction_calls.is_over(course, reaction)
    return ReactionCard(
        reaction=reaction,
        is_over=over,
        is_stopped=reaction.grade >= reaction_calls.GRADE_STOP,
        slow_to=None if over else _slow_to(course, reaction, most),
        restart_at=_restart_at(course, reaction),
        presses=_presses(course, reaction, over=over),
    )


def _slow_to(course: Course, reaction: Reaction, most: Decimal | None) -> Decimal | None:
    if reaction.grade >= reaction_calls.GRADE_PAUSE or course.state != DoseState.INFUSING:
        return None
    tolerated = reaction_calls.tolerated_ml_per_h(course, reaction)
    if tolerated is None or tolerated >= course.rate_ml_per_h:
        return None
    return tolerated if most is None else min(tolerated, most)


def _restart_at(course: Course, reaction: Reaction) -> Decimal | None:
    if course.state != DoseState.PAUSED or running_rules.pausing_reaction(course) != reaction:
        return None
    return running_rules.resume_rate_ml_per_h(course)


def _presses(course: Course, reaction: Reaction, *, over: bool) -> tuple[Press, ...]:
    """Grade 3 and more: all calls. Grade 2: prescriber and pharmacist. Grade 1: look again and over."""
    made = {step.kind: step for step in reaction_calls.steps_of(course, reaction)}
    owed = reaction in reaction_calls.uncalled(course, reaction_calls.GRADE_STOP)
    calls = GRAVE_CALLS if reaction.grade >= reaction_calls.GRADE_STOP else GRAVE_CALLS[1:]
    kinds = [*(calls if reaction.grade >= reaction_calls.GRADE_PAUSE else ()), *(() if over else CARE)]
    return tuple(
        Press(kind, made.get(kind), is_owed=owed and kind == ReactionStepKind.PRESCRIBER_CALLED) for kind in kinds
    )
