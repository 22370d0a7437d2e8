"""What is done about a check that did not pass: fluids, a call, a time to check again, no infusion today."""

import datetime as dt

from django.db import transaction

from infusion_center.core import clock
from infusion_center.core.rules import RuleViolation
from infusions.checklists import hold_rules
from infusions.checklists.models import HoldStep, HoldStepKind, PreInfusionChecklist
from infusions.checklists.services import locked_run, record, refuse_unless_decidable


@transaction.atomic
def record_hold_step(
    *,
    run: PreInfusionChecklist,
    kind: str,
    by,
    amount_ml: int | None = None,
    recheck_minutes: int | None = None,
    note: str = "",
    now: dt.datetime | None = None,
) -> HoldStep:
    """Add one step to the check in hand. Fluids set the time to check again by themselves, by the site's minutes."""
    now = now or clock.now()
    run = locked_run(run)
    refuse_unless_decidable(run, now)
    note = " ".join(note.split())
    steps = list(run.hold_steps.order_by("id"))
    problems = hold_rules.step_problems(
        kind=kind,
        amount_ml=amount_ml,
        recheck_minutes=recheck_minutes,
        note=note,
        restriction_ml=run.appointment.patient.fluid_restriction_ml_per_day,
        steps=steps,
        is_open=run.is_open,
    )
    if problems:
        raise RuleViolation(problems)
    if kind == HoldStepKind.FLUIDS:
        recheck_minutes = run.appointment.site.recheck_minutes
    step = HoldStep.objects.create(
        run=run,
        kind=kind,
        amount_ml=amount_ml,
        recheck_at=now + dt.timedelta(minutes=recheck_minutes) if recheck_minutes else None,
        note=note,
        at=now,
        by=by,
    )
    record("checklist.hold_step", run, by, kind=step.kind)
    return step
