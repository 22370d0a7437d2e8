"""The step as one act: vital signs and the new rate in one press; and staying, which puts the step off."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.db import transaction

from infusion_center.core import clock
from infusion_center.core.rules import Problem, RuleViolation, refuse_if_blocking
from infusions.doses import running_rules as rules
from infusions.doses.models import DoseRecord, RateChange, RateKind, VitalSigns
from infusions.doses.running import change_rate, record_vital_signs
from infusions.doses.writing import add_rate, keep, lock


@dataclass(frozen=True)
class StepMade:
    """What one press did. The vital signs stand also where the step was refused, mostly because of them."""

    signs: VitalSigns | None
    change: RateChange | None
    refused: Sequence[Problem] = ()


@transaction.atomic
def step_up(
    *,
    record: DoseRecord,
    rate_ml_per_h: Decimal,
    reason: str = "",
    by,
    now: dt.datetime | None = None,
    **values: Decimal | int | None,
) -> StepMade:
    """Keep the vital signs, then raise the rate. Refused, the step is not made, but what was measured is kept.

    Without values the step needs fresh vital signs, or a reason; wrong values (typing errors) refuse both.
    """
    now = now or clock.now()
    signs = None
    if any(value is not None for value in values.values()):
        signs = record_vital_signs(record=record, by=by, now=now, **values)
    else:
        refuse_if_blocking(rules.unwatched_step_problems(lock(record), now), reason)
    try:
        with transaction.atomic():
            change = change_rate(record=record, rate_ml_per_h=rate_ml_per_h, reason=reason, by=by, now=now)
    except RuleViolation as refused:
        if signs is None:
            raise
        return StepMade(signs, None, refused.problems)
    return StepMade(signs, change)


@transaction.atomic
def stay_at_rate(*, record: DoseRecord, reason: str = "", by, now: dt.datetime | None = None) -> RateChange:
    """The pump goes on as it runs; the next step is due when the current one has run for its minutes once more."""
    now = now or clock.now()
    course = lock(record)
    refuse_if_blocking(rules.stay_problems(course, reason, now))
    change = add_rate(course, RateKind.HOLD, course.rate_ml_per_h, by=by, now=now, reason=reason)
    keep("step_put_off", record, by=by)
    return change
