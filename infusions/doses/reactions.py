"""Writes about reactions: what happened, what it does to the infusion and to the patient's orders, what was done."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from decimal import Decimal

from django.db import transaction

from infusion_center.core import clock
from infusion_center.core.rules import refuse_if_blocking
from infusions.doses import reaction_calls, volume
from infusions.doses import reaction_rules as rules
from infusions.doses.course import Course
from infusions.doses.models import DoseRecord, DoseState, Outcome
from infusions.doses.planning import cap_now_ml_per_h
from infusions.doses.reaction_calls import GRADE_PAUSE, GRADE_STOP
from infusions.doses.reaction_models import LateReaction, Reaction, ReactionStep, ReactionStepKind
from infusions.doses.running import change_rate, end_course, pause_course, pause_infusion
from infusions.doses.running_rules import RUNNING
from infusions.doses.writing import keep, lock
from infusions.orders.models import InfusionOrder, OrderStatus
from infusions.orders.services import hold_order

SAME_PRESS = dt.timedelta(minutes=1)


@transaction.atomic
def record_reaction(
    *,
    record: DoseRecord,
    kind: str,
    grade: int,
    action: str,
    notes: str = "",
    onset_at: dt.datetime | None = None,
    lots: Sequence[str] = (),
    called: Sequence[str] = (),
    by,
    now: dt.datetime | None = None,
) -> Reaction:
    """Keep a reaction and act on its grade at once: 2 pauses; 3 and more stop for good and hold the order.

    `lots`: those that ran, all of the dose when none is named. `called`: ReactionStepKinds that are done already.
    A second press that says the same within a minute adds nothing.
    Source: fact sheet 5, reaction -> app.
    """
    now = now or clock.now()
    onset = onset_at or now
    course = lock(record)
    refuse_if_blocking(rules.reaction_problems(course, grade=grade, action=action, lots=lots, onset_at=onset, now=now))
    lots, action = sorted(set(lots)) or sorted(rules.lots_of(course)), action.strip()[:300]
    same = record.reactions.filter(kind=kind, grade=grade, action=action, recorded_by=by, recorded_at__lte=now)
    for earlier in same.filter(recorded_at__gt=now - SAME_PRESS):
        if earlier.lots == lots:
            return earlier
    reaction = Reaction.objects.create(
        record=record,
        kind=kind,
        grade=grade,
        onset_at=onset,
        rate_ml_per_h=_rate_at_onset(course, onset),
        volume_ml=_volume_at_onset(course, onset),
        lots=lots,
        action=action,
        notes=notes.strip()[:300],
        recorded_at=now,
        recorded_by=by,
    )
    keep("reaction_recorded", record, by=by, kind=reaction.kind, grade=grade)
    for step in called:
        _add_step(reaction, step, by=by, now=now)
    _act_on_grade(course, reaction, by, now)
    return reaction


def _act_on_grade(course: Course, reaction: Reaction, by, now: dt.datetime) -> None:
    record, why = course.record, f"{reaction.get_kind_display()}, grade {reaction.grade}"
    if reaction.grade >= GRADE_STOP:
        if record.state in RUNNING:
            end_course(course, Outcome.STOPPED_EARLY, why, by, now)
        hold_every_order(record, f"Reaction at the last dose: {why}", by)
    elif reaction.grade >= GRADE_PAUSE and record.state == DoseState.INFUSING:
        pause_course(course, why, by, now)


def hold_every_order(record: DoseRecord, reason: str, by) -> None:
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


def _volume_at_onset(course: Course, onset: dt.datetime) -> Decimal:
    """What had gone in by then; the whole volume given once the infusion had ended."""
    ended_at, given = course.record.ended_at, course.record.volume_given_ml
    if ended_at is not None and onset >= ended_at and given is not None:
        return given
    return volume.volume_given_ml(course.rates, onset, course.to_give_ml)


@transaction.atomic
def slow_for_reaction(*, reaction: Reaction, by, now: dt.datetime | None = None) -> ReactionStep:
    """Back to the last tolerated rate, one step below the one it came at; at the first step a pause.

    Where the cap fell below that rate meanwhile, down to the cap: slowing is never refused.
    """
    now, record = now or clock.now(), reaction.record
    course = lock(record)
    refuse_if_blocking(rules.slow_problems(course, reaction))
    cap = cap_now_ml_per_h(record, clock.local_date(now, record.appointment.site.time_zone))
    rate, why = min(reaction_calls.tolerated_ml_per_h(course, reaction), cap), f"{reaction.get_kind_display()}, grade 1"
    if rate:
        change_rate(record=record, rate_ml_per_h=rate, reason=why, by=by, now=now)
    else:
        pause_infusion(record=record, reason=why, by=by, now=now)
    note = f"to {rate.normalize():f} mL/h" if rate else "paused, it came at the first rate"
    return _add_step(reaction, ReactionStepKind.SLOWED, note=note, by=by, now=now)


@transaction.atomic
def record_reaction_step(
    *, reaction: Reaction, kind: str, note: str = "", by, now: dt.datetime | None = None
) -> ReactionStep:
    """One press: a call made, looked again, over. A second press within a minute adds nothing."""
    now = now or clock.now()
    course = lock(reaction.record)
    same = [step for step in reaction_calls.steps_of(course, reaction) if step.kind == kind]
    if course.state != DoseState.SIGNED and same and same[-1].at > now - SAME_PRESS:
        return same[-1]
    refuse_if_blocking(rules.step_problems(course, reaction, kind))
    return _add_step(reaction, kind, note=note, by=by, now=now)


def _add_step(reaction: Reaction, kind: str, *, note: str = "", by, now: dt.datetime) -> ReactionStep:
    step = ReactionStep.objects.create(
        record=reaction.record,
        reaction=reaction,
        kind=kind,
        at=now,
        note=note.strip()[:200],
        recorded_at=now,
        recorded_by=by,
    )
    keep("reaction_step_recorded", reaction.record, by=by, kind=str(kind), reaction=reaction.public_id)
    return step


@transaction.atomic
def record_late_reaction(
    *,
    record: DoseRecord,
    kind: str,
    grade: int,
    onset_on: dt.date,
    action: str,
    learned_from: str,
    notes: str = "",
    by,
    now: dt.datetime | None = None,
) -> LateReaction:
    """A reaction learned of after signing, as a row beside the signed record; grade 3 and more hold every order."""
    now = now or clock.now()
    lock(record)
    refuse_if_blocking(
        rules.late_reaction_problems(
            record, grade=grade, action=action, learned_from=learned_from, onset_on=onset_on, now=now
        )
    )
    late = LateReaction.objects.create(
        record=record,
        kind=kind,
        grade=grade,
        onset_on=onset_on,
        action=action.strip()[:300],
        notes=notes.strip()[:300],
        learned_from=learned_from.strip()[:120],
        recorded_at=now,
        recorded_by=by,
    )
    keep("late_reaction_recorded", record, by=by, kind=late.kind, grade=grade, reaction=late.public_id)
    if grade >= GRADE_STOP:
        hold_every_order(record, f"Late reaction: {late.get_kind_display()}, grade {grade}", by)
    return late
