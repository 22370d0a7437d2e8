"""What the reactions of a course still ask for: a call, another look, a slower rate. Reads fetched rows only.

Source: fact sheet 5, reaction -> app: grade 1 slow to the last tolerated rate; grade 3 and more stop for good and a
physician call, timed. The minutes are ours.
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from infusion_center.core.rules import Problem, blocker, warning
from infusions.doses.course import Course
from infusions.doses.reaction_models import Reaction, ReactionStep, ReactionStepKind
from infusions.doses.titration import step_below

GRADE_PAUSE, GRADE_STOP = 2, 3
CALL_WITHIN = dt.timedelta(minutes=10)
LOOK_AGAIN = dt.timedelta(minutes=15)
LOOKS = (ReactionStepKind.SLOWED, ReactionStepKind.REASSESSED, ReactionStepKind.RESOLVED)


def uncalled(course: Course, least_grade: int) -> list[Reaction]:
    """Reactions of that grade and more after whose onset no prescriber was called; one call counts for all before."""
    calls = [step.at for step in course.reaction_steps if step.kind == ReactionStepKind.PRESCRIBER_CALLED]
    last = max(calls, default=None)
    return [one for one in course.reactions if one.grade >= least_grade and (last is None or last < one.onset_at)]


def call_problems(course: Course) -> list[Problem]:
    """Source: fact sheet 5, reaction -> app: grade 3 and more, physician call; home practice tells him of grade 2."""
    if owed := uncalled(course, GRADE_STOP):
        message = f"No call to the prescriber is on record since {owed[0].get_kind_display().lower()}."
        remedy = "Call, then press “Prescriber called” at the reaction."
        return [blocker("reaction-call-missing", message, remedy=remedy)]
    if uncalled(course, GRADE_PAUSE):
        return [warning("reaction-call-missing", "The prescriber was not told of the reaction of grade 2.")]
    return []


def open_count(course: Course) -> int:
    """Reactions that are not over: each gets over once."""
    over = sum(step.kind == ReactionStepKind.RESOLVED for step in course.reaction_steps)
    return len(course.reactions) - over


def look_again_at(course: Course) -> dt.datetime | None:
    """When to look at the patient again; None while no reaction is open."""
    if open_count(course) <= 0:
        return None
    looks = [step.at for step in course.reaction_steps if step.kind in LOOKS]
    return max([*(one.onset_at for one in course.reactions), *looks]) + LOOK_AGAIN


def steps_of(course: Course, reaction: Reaction) -> list[ReactionStep]:
    return [step for step in course.reaction_steps if step.reaction_id == reaction.pk]


def is_over(course: Course, reaction: Reaction) -> bool:
    return any(step.kind == ReactionStepKind.RESOLVED for step in steps_of(course, reaction))


def tolerated_ml_per_h(course: Course, reaction: Reaction) -> Decimal | None:
    """The last tolerated rate: the step below the one it came at, 0 below the first; None when unknown."""
    if not reaction.rate_ml_per_h:
        return None
    below = step_below(course.steps, reaction.rate_ml_per_h)
    return below.rate_ml_per_h if below else Decimal(0)
