"""A record as a chairside page shows it at one moment: what is due, what stands against going on, how far it is."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal

from infusion_center.core.rules import Problem, Severity
from infusions.doses import finish_rules, running_rules
from infusions.doses.course import Course
from infusions.doses.due import Due
from infusions.doses.step_screen import StepNow, step_now
from infusions.doses.titration import Step
from infusions.doses.vial_plan import missing_vials

SURPLUS = {"vials-too-many", "vials-above-plan", "vial-waste"}
OWN_STEPS = {"vials-missing", "second-check-missing", "baseline-missing"}


@dataclass(frozen=True)
class StepRow:
    """One line of the plan with its arithmetic, and whether it is past, running or to come."""

    step: Step
    is_running: bool
    is_past: bool


@dataclass(frozen=True)
class Screen:
    """A record as a page shows it at `now`."""

    course: Course
    now: dt.datetime
    due: list[Due]
    problems: list[Problem]
    hold: list[Problem]

    @property
    def first_due(self) -> Due | None:
        return self.due[0] if self.due else None

    @property
    def given_ml(self) -> Decimal:
        return self.course.given_ml(self.now)

    @property
    def percent(self) -> int:
        return self.course.given_percent(self.now)

    @property
    def ends_at(self) -> dt.datetime | None:
        return self.course.projected_end(self.now)

    @property
    def rate(self) -> Decimal:
        return self.course.rate_ml_per_h

    @property
    def rate_mg(self) -> Decimal:
        return self.course.mg_per_kg_per_min(self.rate)

    @property
    def last_rate(self) -> Decimal:
        return self.course.last_rate_ml_per_h

    @property
    def step_is_due(self) -> bool:
        coming = self.course.next_step
        return coming is not None and self.now >= coming.at - running_rules.STEP_EARLY

    @property
    def step(self) -> StepNow | None:
        return step_now(self.course, self.now)

    @property
    def may_start(self) -> bool:
        return not [p for p in self.problems if p.severity in (Severity.BLOCKER, Severity.APPROVAL)]

    @property
    def baseline_is_missing(self) -> bool:
        return any(p.code == "baseline-missing" for p in self.problems)

    @property
    def other_problems(self) -> list[Problem]:
        """Without what the page says anyway: that its own first steps are still to be done."""
        return [p for p in self.problems if p.code not in OWN_STEPS]

    @property
    def surplus(self) -> Problem | None:
        """More in the vials than is planned: said at once with the vial that makes it so, not first at the start."""
        return next((p for p in self.problems if p.code in SURPLUS), None)

    @property
    def vials_are_too_many(self) -> bool:
        return self.surplus is not None and self.surplus.severity == Severity.BLOCKER

    @property
    def checklist_is_open(self) -> bool:
        return any(p.code.startswith("checklist") for p in self.problems)

    @property
    def plan_is_old(self) -> bool:
        return any(p.code == "plan-changed" for p in self.problems)

    @property
    def is_ready_to_end(self) -> bool:
        return self.given_ml >= self.course.to_give_ml * finish_rules.WHOLE_DOSE

    @property
    def steps(self) -> list[StepRow]:
        running = self.course.step.number if self.course.rates else 0
        reached = max((rate.step or 0 for rate in self.course.rates), default=0)
        if self.course.record.ended_at is not None:
            return [StepRow(step, is_running=False, is_past=step.number <= reached) for step in self.course.steps]
        return [
            StepRow(step, is_running=step.number == running, is_past=step.number < running)
            for step in self.course.steps
        ]

    @property
    def vials_percent(self) -> int:
        return min(100, int(self.course.vials_g * 100 / self.course.record.planned_g))

    @property
    def missing_g(self) -> Decimal:
        return self.course.missing_g

    @property
    def missing_vials(self) -> list[tuple[str, int]]:
        return missing_vials(self.course)
