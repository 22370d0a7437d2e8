"""Dose records for tests, in any state, lawful by default: the whole plan, one lot, second check, vital signs."""

import datetime as dt
from decimal import Decimal
from itertools import pairwise

from infusion_center.accounts.models import User
from infusions.doses.course import course_of
from infusions.doses.models import (
    DoseRecord,
    DoseState,
    Outcome,
    Phase,
    RateChange,
    RateKind,
    VialUsed,
    VitalSigns,
)
from infusions.doses.planning import day_plan
from infusions.doses.signing import content_hash
from infusions.scheduling.models import Appointment
from infusions.scheduling.states import State
from tests.factories.accounts import make_staff
from tests.factories.scheduling import make_appointment

RUNNING = (DoseState.INFUSING, DoseState.PAUSED)
OVER = (DoseState.OBSERVING, DoseState.ENDED, DoseState.SIGNED)
VISIT_STATE = {
    DoseState.PREPARING: State.ARRIVED,
    DoseState.INFUSING: State.IN_PROGRESS,
    DoseState.PAUSED: State.IN_PROGRESS,
    DoseState.OBSERVING: State.IN_PROGRESS,
    DoseState.ENDED: State.COMPLETED,
    DoseState.SIGNED: State.COMPLETED,
}
GOOD_SIGNS = {"temperature_c": Decimal("36.6"), "systolic": 122, "diastolic": 74, "pulse": 72, "spo2_percent": 98}


def make_dose_record(
    appointment: Appointment | None = None,
    *,
    state: str = DoseState.INFUSING,
    by: User | None = None,
    checked_by: User | None = None,
    lot: str = "LOT1",
    with_vials: bool = True,
    **fields,
) -> DoseRecord:
    """The record of a visit as it stands in `state`; started half an hour after the visit's start, steps on time.

    `fields` are columns of the record and win. Written directly, so that no gate needs to be passed.
    """
    appointment = appointment or make_appointment(state=VISIT_STATE[DoseState(state)])
    by = by or appointment.nurse.user
    plan = day_plan(appointment, appointment.order.product, appointment.start.date())
    values = {name: getattr(plan, name) for name in plan.__dataclass_fields__}
    record = DoseRecord.objects.create(
        appointment=appointment, order=appointment.order, patient=appointment.patient, **values
    )
    prepared_at = appointment.start + dt.timedelta(minutes=15)
    if with_vials:
        for size, count in plan.plan["vials"].items():
            for _ in range(count):
                make_vial(record, grams=size, lot=lot, by=by, at=prepared_at)
        record.second_check_by = checked_by or make_staff(site=appointment.site)
        record.second_check_at = prepared_at
    make_vital_signs(record, Phase.BASELINE, prepared_at, by)
    if state != DoseState.PREPARING:
        _run(record, DoseState(state), by)
    for name, value in fields.items():
        setattr(record, name, value)
    record.save()
    return record


def make_vial(record: DoseRecord, *, grams="10", lot="LOT1", by=None, at=None, **fields) -> VialUsed:
    """In date for a year."""
    at = at or record.appointment.start
    values = {"product": record.product, "expires_on": at.date() + dt.timedelta(days=365)} | fields
    by = by or record.appointment.nurse.user
    return VialUsed.objects.create(
        record=record, grams=Decimal(grams), lot=lot, recorded_at=at, recorded_by=by, **values
    )


def make_vital_signs(record: DoseRecord, phase: str, at: dt.datetime, by=None, **values) -> VitalSigns:
    by = by or record.appointment.nurse.user
    values = GOOD_SIGNS | values
    return VitalSigns.objects.create(record=record, phase=phase, at=at, recorded_at=at, recorded_by=by, **values)


def make_rate(record: DoseRecord, kind: str, at: dt.datetime, rate, *, step=None, by=None) -> RateChange:
    by = by or record.appointment.nurse.user
    return RateChange.objects.create(
        record=record, kind=kind, at=at, rate_ml_per_h=Decimal(rate), step=step, recorded_at=at, recorded_by=by
    )


def _run(record: DoseRecord, state: DoseState, by: User) -> None:
    """Start; and when it is over, every step of the plan on time and the end."""
    started = record.appointment.start + dt.timedelta(minutes=30)
    record.started_at, record.started_by, record.state = started, by, state
    steps = course_of(record).steps
    make_rate(record, RateKind.START, started, steps[0].rate_ml_per_h, step=1, by=by)
    if state == DoseState.PAUSED:
        make_rate(record, RateKind.PAUSE, started + dt.timedelta(minutes=10), 0, by=by)
    if state not in OVER:
        return
    at = started
    for earlier, step in pairwise(steps):
        at += dt.timedelta(minutes=earlier.minutes)
        make_vital_signs(record, Phase.DURING, at, by)
        make_rate(record, RateKind.STEP, at, step.rate_ml_per_h, step=step.number, by=by)
    ended = at + dt.timedelta(minutes=steps[-1].minutes)
    make_rate(record, RateKind.STOP, ended, 0, by=by)
    make_vital_signs(record, Phase.END, ended, by)
    record.ended_at, record.ended_by, record.outcome = ended, by, Outcome.COMPLETED
    record.volume_given_ml = course_of(record).to_give_ml
    record.waste_ml = course_of(record).vials_ml - record.volume_given_ml
    if state == DoseState.OBSERVING:
        return
    record.observation_ended_at = ended + dt.timedelta(minutes=record.appointment.observation_minutes)
    if state == DoseState.SIGNED:
        record.state = DoseState.ENDED
        record.save()
        record.content_hash = content_hash(course_of(DoseRecord.objects.get(pk=record.pk)))
        record.state, record.signed_by, record.signed_name = DoseState.SIGNED, by, by.full_name
        record.signed_at = record.observation_ended_at + dt.timedelta(minutes=5)
