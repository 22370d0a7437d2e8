"""Writes about reactions: what happened and what it does to the infusion and to the patient's orders."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from django.db import transaction

from infusion_center.core import clock
from infusion_center.core.rules import refuse_if_blocking
from infusions.doses import running_rules as rules
from infusions.doses import volume
from infusions.doses.course import Course
from infusions.doses.models import DoseRecord, DoseState, Outcome
from infusions.doses.reaction_models import Reaction
from infusions.doses.running import end_course, pause_course
from infusions.doses.writing import keep, lock
from infusions.orders.models import InfusionOrder, OrderStatus
from infusions.orders.services import hold_order


@transaction.atomic
def record_reaction(
    *,
    record: DoseRecord,
    kind: str,
    grade: int,
    action: str,
    notes: str = "",
    onset_at: dt.datetime | None = None,
    by,
    now: dt.datetime | None = None,
) -> Reaction:
    """Keep a reaction and act on its grade at once: 2 pauses; 3 and more stop for good and hold the order.

    Source: fact sheet 5, reaction -> app.
    """
    now = now or clock.now()
    onset = onset_at or now
    course = lock(record)
    refuse_if_blocking(rules.reaction_problems(record, grade=grade, action=action, onset_at=onset, now=now))
    reaction = Reaction.objects.create(
        record=record,
        kind=kind,
        grade=grade,
        onset_at=onset,
        rate_ml_per_h=_rate_at_onset(course, onset),
        action=action.strip()[:300],
        notes=notes.strip()[:300],
        recorded_at=now,
        recorded_by=by,
    )
    keep("reaction_recorded", record, by=by, kind=reaction.kind, grade=grade)
    why = f"{reaction.get_kind_display()}, grade {grade}"
    running = record.state in rules.RUNNING
    if grade >= rules.GRADE_STOP:
        if running:
            end_course(course, Outcome.STOPPED_EARLY, why, by, now)
        _hold_every_order(record, f"Reaction at the last dose: {why}", by)
    elif grade >= rules.GRADE_PAUSE and record.state == DoseState.INFUSING:
        pause_course(course, why, by, now)
    return reaction


def _hold_every_order(record: DoseRecord, reason: str, by) -> None:
    """The patient had the reaction, not the order: none of his orders gives the next dose before somebody clears it."""
    signed = InfusionOrder.objects.filter(patient=record.patient, status=OrderStatus.SIGNED)
    for order in signed.select_for_update().order_by("pk"):
        hold_order(order=order, reason=reason, by=by)


def _rate_at_onset(course: Course, onset: dt.datetime) -> Decimal | None:
    """The rate that ran then; in a pause the one before it; none once the infusion had ended."""
    if course.record.ended_at is not None and onset >= course.record.ended_at:
        return None
    until = [rate for rate in course.rates if rate.at <= onset]
    return volume.last_running_rate(until) or None
