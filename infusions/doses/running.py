"""Writes from the first drop to the end of observation: rates, pauses, vital signs, stop and finish."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from decimal import Decimal

from django.db import transaction

from infusion_center.core import clock
from infusion_center.core.rules import RuleViolation, blocker, refuse_if_blocking
from infusions.doses import finish_rules, titration
from infusions.doses import running_rules as rules
from infusions.doses.course import Course, signs_lacking
from infusions.doses.models import DoseRecord, DoseState, Outcome, Phase, RateChange, RateKind, VitalSigns
from infusions.doses.writing import add_rate, keep, lock
from infusions.scheduling import attendance

SAME_PRESS = dt.timedelta(minutes=1)
SIGNS = tuple(rules.PLAUSIBLE)


@transaction.atomic
def change_rate(
    *, record: DoseRecord, rate_ml_per_h: Decimal, reason: str = "", by, now: dt.datetime | None = None
) -> RateChange:
    """Set the pump to another rate: the next planned step, slower, or with a reason ahead of the plan."""
    now = now or clock.now()
    course = lock(record)
    refuse_if_blocking(rules.rate_problems(course, rate_ml_per_h, now), reason)
    above = titration.step_above(course.steps, course.rate_ml_per_h)
    is_step = above is not None and above.rate_ml_per_h == rate_ml_per_h
    kind = RateKind.STEP if is_step else RateKind.CHANGE
    change = add_rate(course, kind, rate_ml_per_h, by=by, now=now, reason=reason)
    keep("rate_changed", record, by=by, kind=kind.value)
    return change


@transaction.atomic
def pause_infusion(*, record: DoseRecord, reason: str = "", by, now: dt.datetime | None = None) -> RateChange:
    course = lock(record)
    refuse_if_blocking(rules.state_problems(record, DoseState.INFUSING))
    return pause_course(course, reason, by, now or clock.now())


def pause_course(course: Course, reason: str, by, now: dt.datetime) -> RateChange:
    change = add_rate(course, RateKind.PAUSE, Decimal(0), by=by, now=now, reason=reason)
    course.record.state = DoseState.PAUSED
    course.record.save()
    keep("paused", course.record, by=by)
    return change


@transaction.atomic
def resume_infusion(
    *,
    record: DoseRecord,
    rate_ml_per_h: Decimal | None = None,
    reason: str = "",
    by,
    now: dt.datetime | None = None,
) -> RateChange:
    """Go on after a pause, at the fastest rate allowed when none is given; after grade 2 `reason` names the order."""
    now = now or clock.now()
    course = lock(record)
    refuse_if_blocking(rules.state_problems(record, DoseState.PAUSED))
    rate = rules.resume_rate_ml_per_h(course) if rate_ml_per_h is None else rate_ml_per_h
    refuse_if_blocking(rules.resume_problems(course, rate, now), reason)
    change = add_rate(course, RateKind.RESUME, rate, by=by, now=now, reason=reason)
    record.state = DoseState.INFUSING
    record.save()
    keep("resumed", record, by=by)
    return change


@transaction.atomic
def record_vital_signs(
    *, record: DoseRecord, phase: str = "", by, now: dt.datetime | None = None, **values: Decimal | int | None
) -> VitalSigns:
    """`values`: temperature_c, systolic, diastolic, pulse, respiration, spo2_percent; what is missing stays empty.

    The phase follows from the state when not given. A second press with the same values within a minute adds nothing.
    Whether the values call for a hold is told by running_rules.hold_problems: they are kept either way.
    """
    now = now or clock.now()
    if unknown := set(values) - set(SIGNS):
        raise TypeError(f"not vital signs: {sorted(unknown)}")
    lock(record)
    phase = Phase(phase or phase_of(record))
    refuse_if_blocking([*rules.phase_problems(record, phase), *rules.vital_sign_problems(values)])
    same = record.vital_signs.filter(phase=phase, recorded_by=by, at__gt=now - SAME_PRESS, at__lte=now)
    for earlier in same:
        if all(getattr(earlier, name) == values.get(name) for name in SIGNS):
            return earlier
    signs = VitalSigns.objects.create(record=record, phase=phase, at=now, recorded_at=now, recorded_by=by, **values)
    keep("vital_signs_recorded", record, by=by, phase=phase.value)
    return signs


def phase_of(record: DoseRecord) -> Phase:
    """After the infusion come the vital signs of its end, until none that is needed is lacking."""
    if record.state == DoseState.PREPARING:
        return Phase.BASELINE
    if record.state in rules.RUNNING:
        return Phase.DURING
    return Phase.END if signs_lacking(record.vital_signs.filter(phase=Phase.END)) else Phase.OBSERVATION


@transaction.atomic
def end_infusion(*, record: DoseRecord, by, now: dt.datetime | None = None, stop_reason: str = "") -> DoseRecord:
    """The pump is off: the whole dose is in, or it stops early for a reason. Observation begins."""
    now = now or clock.now()
    course = lock(record)
    refuse_if_blocking(finish_rules.end_problems(course, now, stop_reason))
    outcome = Outcome.STOPPED_EARLY if stop_reason.strip() else Outcome.COMPLETED
    end_course(course, outcome, stop_reason, by, now)
    return record


def end_course(course: Course, outcome: Outcome, reason: str, by, now: dt.datetime) -> None:
    """Whole dose: what was to be given is in, whatever the clock's estimate of the last millilitres says."""
    record = course.record
    given = course.to_give_ml if outcome == Outcome.COMPLETED else course.given_ml(now)
    add_rate(course, RateKind.STOP, Decimal(0), by=by, now=now, reason=reason)
    record.state, record.ended_at, record.ended_by = DoseState.OBSERVING, now, by
    record.outcome, record.stop_reason = outcome, reason.strip()[:200]
    record.volume_given_ml, record.waste_ml = given, course.vials_ml - given
    record.save()
    keep("ended", record, by=by, outcome=outcome.value)


@transaction.atomic
def end_observation(*, record: DoseRecord, by, now: dt.datetime | None = None, reason: str = "") -> DoseRecord:
    """The patient may go: the visit is over, the record waits for its signature."""
    now = now or clock.now()
    lock(record)
    short = finish_rules.observation_problems(record, now)
    refuse_if_blocking(short, reason)
    record.state, record.observation_ended_at = DoseState.ENDED, now
    if short:
        record.notes = f"{record.notes}\nObservation ended early: {reason.strip()}".strip()
    record.save()
    stopped = record.outcome == Outcome.STOPPED_EARLY
    attendance.finish(appointment=record.appointment, stopped_early=stopped, by=by, now=now)
    keep("observation_ended", record, by=by, short=bool(short))
    return record


def refuse_stale(record: DoseRecord, seen: str) -> None:
    """A page opened before somebody else acted must not act on what it no longer shows."""
    if seen and seen != record_version(record):
        message = "A colleague has changed this infusion since you opened the page."
        raise RuleViolation([blocker("page-stale", message, remedy="Look at it again, then repeat.")])


def record_version(record: DoseRecord) -> str:
    """State and last rate, before the start the vials and the plan: what an act at the chair depends on."""
    is_preparing = record.state == DoseState.PREPARING
    parts = record.vials if is_preparing else record.rates
    keys = list(parts.order_by("-recorded_at", "-pk").values_list("public_id", flat=True))
    plan = f"-{_mark(record)}" if is_preparing else ""
    return f"{record.state}-{len(keys)}-{keys[0] if keys else ''}{plan}"


def _mark(record: DoseRecord) -> str:
    """Another one for any other plan: whoever presses start or checks must have seen the dose and rates of now."""
    numbers = (record.planned_g, record.planned_volume_ml, record.max_rate_ml_per_h)
    shown = [record.product_id, *(f"{number.normalize():f}" for number in numbers), record.plan]
    return hashlib.sha256(json.dumps(shown, sort_keys=True).encode()).hexdigest()[:8]
