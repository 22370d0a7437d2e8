"""What may stand against recording a reaction and what is done about it. Table with sources: docs/clinical-rules.md."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from infusion_center.core import clock
from infusion_center.core.rules import Problem, blocker
from infusions.doses import reaction_calls
from infusions.doses.course import Course
from infusions.doses.models import DoseRecord, DoseState
from infusions.doses.reaction_models import Reaction, ReactionStepKind
from infusions.doses.running_rules import OVER, RUNNING, state_problems

GRADES = range(1, 6)
CALLS = (
    ReactionStepKind.PRESCRIBER_CALLED,
    ReactionStepKind.EMERGENCY_CALLED,
    ReactionStepKind.PHARMACIST_TOLD,
)
BY_HAND = (*CALLS, ReactionStepKind.REASSESSED, ReactionStepKind.RESOLVED)


def reaction_problems(
    course: Course, *, grade: int, action: str, lots: Sequence[str] = (), onset_at: dt.datetime, now: dt.datetime
) -> list[Problem]:
    """Source: fact sheet 5, grading (CTCAE v5)."""
    record = course.record
    if problems := state_problems(record, *RUNNING, *OVER):
        return problems
    problems = _grade_and_action(grade, action)
    if not record.started_at <= onset_at <= now:
        message = "The reaction must have begun after the infusion started, and not in the future."
        problems.append(blocker("reaction-onset", message, field="onset_at"))
    if unknown := set(lots) - set(lots_of(course)):
        message = f"Lot {', '.join(sorted(unknown))} is not one of this dose."
        problems.append(blocker("reaction-lot-unknown", message, field="lots"))
    return problems


def _grade_and_action(grade: int, action: str) -> list[Problem]:
    problems = []
    if grade not in GRADES:
        problems.append(blocker("reaction-grade", "The grade is 1 to 5.", field="grade"))
    if not action.strip():
        problems.append(blocker("reaction-action-missing", "Write what was done.", field="action"))
    return problems


def lots_of(course: Course) -> list[str]:
    """The lots of the dose, in the order in which they were added."""
    return list(dict.fromkeys(vial.lot for vial in course.vials))


def slow_problems(course: Course, reaction: Reaction) -> list[Problem]:
    """Source: fact sheet 5, reaction -> app: grade 1 slow to the last tolerated rate."""
    if problems := state_problems(course.record, DoseState.INFUSING):
        return problems
    tolerated = reaction_calls.tolerated_ml_per_h(course, reaction)
    if tolerated is None or course.rate_ml_per_h <= tolerated:
        return [blocker("already-slower", "The pump already runs at the last tolerated rate or slower.")]
    return []


def step_problems(course: Course, reaction: Reaction, kind: str) -> list[Problem]:
    """Calls may still be noted when the reaction is over: signing asks for them."""
    if course.state == DoseState.SIGNED:
        return [blocker("signed", "The record is signed.", remedy="Amend it instead.")]
    if kind not in BY_HAND:
        return [blocker("reaction-step-unknown", "This is no step that is pressed.", field="kind")]
    if kind not in CALLS and reaction_calls.is_over(course, reaction):
        return [blocker("reaction-over", "The reaction is over.", remedy="When it comes back, record it anew.")]
    return []


def late_reaction_problems(
    record: DoseRecord, *, grade: int, action: str, learned_from: str, onset_on: dt.date, now: dt.datetime
) -> list[Problem]:
    """Learned of after signing: hours to months later. Source: fact sheet 5, the late complications."""
    if record.state != DoseState.SIGNED:
        remedy = "Record the reaction in it instead."
        return [blocker("not-signed", "The record is not signed yet.", remedy=remedy)]
    problems = _grade_and_action(grade, action)
    zone_name = record.appointment.site.time_zone
    given_on = clock.local_date(record.started_at, zone_name)
    if not given_on <= onset_on <= clock.local_date(now, zone_name):
        message = f"Choose a day from the infusion ({given_on:%d-%b-%Y}) to today."
        problems.append(blocker("late-reaction-onset", message, field="onset_on"))
    if not learned_from.strip():
        problems.append(blocker("late-reaction-source", "Write who told of it.", field="learned_from"))
    return problems
