"""What the running page offers for the rate: the step to come, what would refuse it, and where to go back to."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal

from infusion_center.core.rules import Problem, Severity
from infusions.doses import running_rules
from infusions.doses.course import Course

SHOWN_OTHERWISE = {"vital-signs-before-step"}  # the form asks for them


@dataclass(frozen=True)
class StepNow:
    """The next step as it would be answered now."""

    rate_ml_per_h: Decimal
    at: dt.datetime
    asks_signs: bool
    problems: list[Problem]

    @property
    def is_refused(self) -> bool:
        return any(one.severity == Severity.BLOCKER for one in self.problems)

    @property
    def needs_reason(self) -> bool:
        return any(one.severity == Severity.APPROVAL for one in self.problems)


def step_now(course: Course, now: dt.datetime) -> StepNow | None:
    """None at the top rate, in a pause and afterwards."""
    coming = course.next_step
    if coming is None:
        return None
    rate = coming.step.rate_ml_per_h
    problems = running_rules.rate_problems(course, rate, now)
    asks_signs = not any(signs.at >= now - running_rules.FRESH for signs in course.vital_signs)
    return StepNow(rate, coming.at, asks_signs, [one for one in problems if one.code not in SHOWN_OTHERWISE])


def rate_back(course: Course) -> Decimal | None:
    """One step back: the fastest rate of the plan below the current one."""
    slower = [step.rate_ml_per_h for step in course.steps if step.rate_ml_per_h < course.rate_ml_per_h]
    return max(slower, default=None)


def slower_rates(course: Course) -> list[Decimal]:
    """What one tap sets: the plan's rates below the current one and half of it, fastest first; tenths cut."""
    rate = course.rate_ml_per_h
    half = (rate / 2).quantize(Decimal("0.1"), "ROUND_FLOOR")
    found = {step.rate_ml_per_h for step in course.steps if step.rate_ml_per_h < rate} | ({half} if half else set())
    return sorted(found, reverse=True)[:5]
