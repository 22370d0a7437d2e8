"""What is due next for a patient, and when: vital signs, rate step, end, observation, signature.

Source: fact sheet 4, vital signs generator rule: baseline; 15 min after the start; just before each step up; every
15 min until the maximum, then every 30-60 min; at the end; 30 min later, and 60 min after a first dose or brand change.
The minutes of grace before something counts as overdue are ours.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from infusions.doses import reaction_calls
from infusions.doses.course import Course, course_of, observation_of
from infusions.doses.models import DoseRecord, DoseState, Phase

CLIMBING = dt.timedelta(minutes=15)
STEADY = dt.timedelta(minutes=30)
STEADY_LATEST = dt.timedelta(minutes=60)
FRESH = dt.timedelta(minutes=10)  # vital signs taken this shortly before a step count as taken before it
GRACE = dt.timedelta(minutes=5)
STEP_GRACE = dt.timedelta(minutes=10)  # a late step costs time, not safety
PAUSE_DECISION = dt.timedelta(minutes=15)
OBSERVATION_CHECKS = (dt.timedelta(minutes=30), dt.timedelta(minutes=60))
SIGN_GRACE = dt.timedelta(minutes=30)


class DueKind(StrEnum):
    """In this order when two fall on the same minute."""

    CALL = "call"
    END = "end"
    VITAL_SIGNS = "vital_signs"
    LOOK_AGAIN = "look_again"
    STEP = "step"
    RESUME = "resume"
    OBSERVATION_END = "observation_end"
    SIGN = "sign"
    START = "start"
    RECHECK = "recheck"
    CHECKLIST = "checklist"
    ARRIVAL = "arrival"


@dataclass(frozen=True)
class Due:
    """One thing to do: from `at` on, and overdue after `latest`."""

    kind: DueKind
    what: str
    at: dt.datetime
    latest: dt.datetime
    is_due: bool = False
    is_overdue: bool = False

    def seen_at(self, now: dt.datetime) -> Due:
        return Due(self.kind, self.what, self.at, self.latest, now >= self.at, now > self.latest)


def next_due(record: DoseRecord, now: dt.datetime) -> Due | None:
    """The first thing due; None once the record is signed."""
    return next(iter(all_due(course_of(record), now)), None)


def all_due(course: Course, now: dt.datetime) -> list[Due]:
    """Everything that can be foreseen, first things first."""
    order = list(DueKind)
    found = [due.seen_at(now) for due in _foreseen(course, now)]
    return sorted(found, key=lambda due: (due.at, order.index(due.kind)))


def _foreseen(course: Course, now: dt.datetime) -> Iterator[Due]:
    yield from _reactions(course)
    match course.state:
        case DoseState.PREPARING:
            yield _start(course)
        case DoseState.INFUSING:
            yield from _infusing(course, now)
        case DoseState.PAUSED:
            yield from _paused(course)
        case DoseState.OBSERVING:
            yield from _observing(course)
        case DoseState.ENDED:
            yield _sign(course)


def _reactions(course: Course) -> Iterator[Due]:
    """Source: fact sheet 5, reaction -> app: from grade 3 on a physician call, timed."""
    if course.state == DoseState.SIGNED:
        return
    if owed := reaction_calls.uncalled(course, reaction_calls.GRADE_STOP):
        at = min(one.onset_at for one in owed)
        yield Due(DueKind.CALL, "Call the prescriber", at, at + reaction_calls.CALL_WITHIN)
    again = reaction_calls.look_again_at(course)
    if again is not None and course.state != DoseState.ENDED:
        yield Due(DueKind.LOOK_AGAIN, "Look at the reaction again", again, again + GRACE)


def _start(course: Course) -> Due:
    visit = course.record.appointment
    at = visit.start + dt.timedelta(minutes=visit.preparation_minutes)
    what = "Start infusion" if course.vials else "Add the vials"
    return Due(DueKind.START, what, at, at + CLIMBING)


def _infusing(course: Course, now: dt.datetime) -> Iterator[Due]:
    coming = course.next_step
    yield _vital_signs(course)
    if coming is not None:
        what = f"Step up to {coming.step.rate_ml_per_h.normalize():f} mL/h"
        yield Due(DueKind.STEP, what, coming.at, coming.at + STEP_GRACE)
    end = course.projected_end(now)
    yield Due(DueKind.END, "End of infusion", end, end + GRACE)


def _vital_signs(course: Course) -> Due:
    """Before the coming step if none are fresh by then, else after the interval of climbing or steady rate."""
    started = course.record.started_at
    during = [signs.at for signs in course.vital_signs if signs.at > started and signs.phase != Phase.BASELINE]
    last = max(during, default=started)
    coming = course.next_step
    close_watch = coming is not None or not during or any(one.onset_at >= last for one in course.reactions)
    at = last + (CLIMBING if close_watch else STEADY)
    latest = at + GRACE if close_watch else last + STEADY_LATEST
    if coming is not None and last < coming.at - FRESH and coming.at <= at:
        what = f"Vital signs before {coming.step.rate_ml_per_h.normalize():f} mL/h"
        return Due(DueKind.VITAL_SIGNS, what, coming.at, coming.at + GRACE)
    return Due(DueKind.VITAL_SIGNS, "Vital signs", at, latest)


def _paused(course: Course) -> Iterator[Due]:
    paused_at = course.rates[-1].at
    last = max([paused_at, *(signs.at for signs in course.vital_signs)])
    yield Due(DueKind.VITAL_SIGNS, "Vital signs", last + CLIMBING, last + CLIMBING + GRACE)
    yield Due(DueKind.RESUME, "Resume or stop", paused_at + PAUSE_DECISION, paused_at + PAUSE_DECISION + STEP_GRACE)


def _observing(course: Course) -> Iterator[Due]:
    ended = course.record.ended_at
    length = observation_of(course.record)
    if course.signs_lacking(Phase.END):
        yield Due(DueKind.VITAL_SIGNS, "Vital signs at the end", ended, ended + STEP_GRACE)
    else:
        last = max(signs.at for signs in course.vital_signs)
        checks = [check for check in OBSERVATION_CHECKS if check <= length] or [length]
        missing = [check for check in checks if last < ended + check - FRESH]
        if missing:
            at = ended + missing[0]
            yield Due(DueKind.VITAL_SIGNS, "Vital signs after the infusion", at, at + GRACE)
    yield Due(DueKind.OBSERVATION_END, "End observation", ended + length, ended + length + STEP_GRACE)


def _sign(course: Course) -> Due:
    length = observation_of(course.record)
    at = course.record.ended_at + length
    return Due(DueKind.SIGN, "Sign the dose record", at, at + SIGN_GRACE)
