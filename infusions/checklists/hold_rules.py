"""What may be done about a check that did not pass, as Problems."""

import datetime as dt
from collections.abc import Iterable

from infusion_center.core.rules import Problem, blocker
from infusions.checklists.models import HoldStep, HoldStepKind

MOST_ML_AT_ONCE = 1000
SOONEST_MINUTES, LATEST_MINUTES = 5, 240
RECHECK_GRACE = dt.timedelta(minutes=15)  # afterwards it counts as overdue
MOST_NOTE = 200


def step_problems(
    *,
    kind: str,
    amount_ml: int | None,
    recheck_minutes: int | None,
    note: str,
    restriction_ml: int | None,
    steps: Iterable[HoldStep],
    is_open: bool = False,
) -> list[Problem]:
    """Why this step cannot be noted. `steps`: those of the run so far."""
    if is_open:
        return [blocker("check-not-finished", "Finish the check first.", remedy="Then note what was done about it.")]
    if kind not in HoldStepKind.values:
        return [blocker("step-unknown", "Choose one of the steps shown.")]
    if len(note) > MOST_NOTE:
        return [blocker("step-note-long", f"Use at most {MOST_NOTE} characters.", field="note")]
    if kind == HoldStepKind.FLUIDS:
        return fluid_problems(amount_ml, restriction_ml, steps)
    if amount_ml is not None:
        return [blocker("fluids-amount", "Only fluids have an amount.", field="amount_ml")]
    if kind == HoldStepKind.RECHECK and not _plausible(recheck_minutes):
        message = f"Check again in {SOONEST_MINUTES} to {LATEST_MINUTES} minutes."
        return [blocker("recheck-implausible", message, field="recheck_minutes")]
    if kind != HoldStepKind.RECHECK and recheck_minutes is not None:
        return [blocker("recheck-implausible", "This step sets no time.", field="recheck_minutes")]
    return []


def fluid_problems(amount_ml: int | None, restriction_ml: int | None, steps: Iterable[HoldStep]) -> list[Problem]:
    """A patient who must drink little gets fluids only after the prescriber was asked, and said what."""
    if amount_ml is None or not 0 < amount_ml <= MOST_ML_AT_ONCE:
        message = f"Give an amount of 1 to {MOST_ML_AT_ONCE} mL."
        return [blocker("fluids-amount", message, field="amount_ml")]
    if restriction_ml is not None and not prescriber_answered(steps):
        return [
            blocker(
                "fluids-restricted",
                f"Fluid restriction of {restriction_ml} mL a day: ask the prescriber before giving fluids.",
                field="amount_ml",
                remedy="Note the call and what was said, then the fluids.",
            )
        ]
    return []


def prescriber_answered(steps: Iterable[HoldStep]) -> bool:
    return any(step.kind == HoldStepKind.CALLED and step.note for step in steps)


def _plausible(minutes: int | None) -> bool:
    return minutes is not None and SOONEST_MINUTES <= minutes <= LATEST_MINUTES
