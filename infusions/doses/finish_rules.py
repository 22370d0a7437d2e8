"""What may stand against ending, letting go, signing and amending. Table with sources: docs/clinical-rules.md."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from infusion_center.core.rules import Problem, blocker, needs_approval, warning
from infusions.doses.course import Course, observation_of
from infusions.doses.medication_models import Purpose
from infusions.doses.models import DoseRecord, DoseState, Phase
from infusions.doses.reaction_calls import call_problems
from infusions.doses.running_rules import OVER, RUNNING, state_problems

WHOLE_DOSE = Decimal("0.95")  # the clock's estimate; the nurse sees the empty bottle


def end_problems(course: Course, now: dt.datetime, stop_reason: str) -> list[Problem]:
    """Stopping before the volume is in needs a reason; the last 5 % are the difference between clock and pump."""
    if problems := state_problems(course.record, *RUNNING):
        return problems
    if stop_reason.strip() or course.given_ml(now) >= course.to_give_ml * WHOLE_DOSE:
        return []
    message = f"About {_n(course.given_ml(now))} of {_n(course.to_give_ml)} mL have gone in."
    return [blocker("stop-reason-missing", message, field="stop_reason", remedy="Write why it stops early.")]


def observation_problems(record: DoseRecord, now: dt.datetime) -> list[Problem]:
    """Source: fact sheet 4: at least 30 min for everyone, an hour after a first dose or change of brand."""
    if problems := state_problems(record, DoseState.OBSERVING):
        return problems
    length = observation_of(record)
    if now >= record.ended_at + length:
        return []
    left = -(-(record.ended_at + length - now) // dt.timedelta(minutes=1))
    message = f"The observation goes on for {left} min."
    return [needs_approval("observation-short", message, field="reason", remedy="Wait, or give the reason.")]


def sign_problems(course: Course) -> list[Problem]:
    """A record closes only when it is whole. Source: fact sheet 4 (vital signs), 5 (lot and expiry of every vial)."""
    if problems := state_problems(course.record, DoseState.ENDED):
        return problems
    problems = []
    if not course.vials or any(not vial.lot or vial.expires_on is None for vial in course.vials):
        problems.append(blocker("vials-incomplete", "A vial has no lot or expiry."))
    for phase, when in ((Phase.BASELINE, "before the infusion"), (Phase.END, "at the end")):
        if lacking := course.signs_lacking(phase):
            message = f"Vital signs {when} are missing: {', '.join(lacking)}."
            problems.append(blocker(f"vital-signs-{phase}-missing", message))
    return [*problems, *call_problems(course), *_left_open(course)]


def _left_open(course: Course) -> list[Problem]:
    """Told, not asked for: the drug left in the line, and the advice for at home. Source: fact sheet 4 and 5."""
    problems = []
    if not any(one.purpose == Purpose.FLUSH for one in course.medications):
        problems.append(warning("flush-missing", "No flush of the line is on the record."))
    if course.record.advice_at is None:
        problems.append(warning("advice-missing", "The patient was given no advice for at home."))
    return problems


def advice_problems(record: DoseRecord) -> list[Problem]:
    """Once the pump is off."""
    return state_problems(record, *OVER)


def amend_problems(record: DoseRecord, *, text: str, reason: str) -> list[Problem]:
    problems = []
    if record.state != DoseState.SIGNED:
        problems.append(blocker("not-signed", "The record is not signed yet: change it instead."))
    if not text.strip():
        problems.append(blocker("amendment-empty", "Write what is added or put right.", field="text"))
    if not reason.strip():
        problems.append(blocker("amendment-reason-missing", "An amendment needs its reason.", field="reason"))
    return problems


def _n(number: Decimal) -> str:
    return f"{number.normalize():f}"
