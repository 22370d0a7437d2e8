"""What came to light while the pump runs: a lot recalled, a cap below the rate. Table: docs/clinical-rules.md."""

from __future__ import annotations

import datetime as dt

from infusion_center.core import clock
from infusion_center.core.rules import Problem, blocker, needs_approval, warning
from infusions.doses.course import Course
from infusions.doses.models import DoseState
from infusions.doses.planning import cap_now_ml_per_h
from infusions.stock.queries import recalled_lots


def recalled_problems(course: Course) -> list[Problem]:
    """Faster, or on after a pause, only when somebody decided. Source: fact sheet 5, recalls."""
    remedy = "Ask prescriber and pharmacist, or stop the infusion; give the reason and who decided."
    return [needs_approval("lot-recalled-meanwhile", one, field="reason", remedy=remedy) for one in _recalled(course)]


def meanwhile_problems(course: Course, now: dt.datetime) -> list[Problem]:
    """Told at the chair, in running and in paused infusions, for as long as it stands."""
    if course.state not in (DoseState.INFUSING, DoseState.PAUSED):
        return []
    remedy = "Pause, call the prescriber, tell the pharmacist. Keep the vials."
    problems = [blocker("lot-recalled-meanwhile", one, remedy=remedy) for one in _recalled(course)]
    most = cap_now_ml_per_h(course.record, clock.local_date(now, course.record.appointment.site.time_zone))
    if course.rate_ml_per_h > most:
        message = (
            f"{course.rate_ml_per_h.normalize():f} mL/h is above the maximum that holds now, {most.normalize():f}."
        )
        problems.append(warning("rate-above-cap-now", message, remedy=f"Slow to {most.normalize():f} mL/h or less."))
    return problems


def _recalled(course: Course) -> list[str]:
    record, lots = course.record, {vial.lot for vial in course.vials}
    return [
        f"Lot {one.lot} runs here and is recalled: {one.recall.reason.rstrip('. ')}."
        for one in recalled_lots(record.product, lots)
    ]
