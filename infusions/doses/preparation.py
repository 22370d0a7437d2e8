"""Writes before the first drop: plan, product, vials, second check, start."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from django.db import transaction

from infusion_center.core import clock
from infusion_center.core.rules import RuleViolation, refuse_if_blocking
from infusions.doses import rules, vial_rules
from infusions.doses.course import course_of
from infusions.doses.models import DoseRecord, DoseState, Phase, RateKind, VialUsed, VitalSigns
from infusions.doses.planning import DayPlan, day_plan
from infusions.doses.second_check_rules import content_to_check, second_check_problems
from infusions.doses.writing import add_rate, keep, lock
from infusions.formulary.models import Product
from infusions.orders.models import InfusionOrder
from infusions.scheduling import attendance
from infusions.scheduling.models import Appointment
from infusions.stock import rules as stock_rules
from infusions.stock import services as stock
from infusions.stock.lots import written_lot
from patients.models import Patient


@transaction.atomic
def prepare_dose(*, appointment: Appointment, by, now: dt.datetime | None = None) -> DoseRecord:
    """The record of the visit, made on first call. Again before the start: its plan is brought up to date."""
    now = now or clock.now()
    # Two tablets pressing at once: the second waits here and finds the record of the first.
    visit = Appointment.objects.select_for_update().get(pk=appointment.pk)
    record = DoseRecord.objects.filter(appointment=visit).first()
    if record is not None and record.state != DoseState.PREPARING:
        return record
    refuse_if_blocking(rules.prepare_problems(visit))
    today = clock.local_date(now, visit.site.time_zone)
    plan = _plan_or_refuse(visit, record.product if record else visit.order.product, today)
    if record is None:
        record = DoseRecord(appointment=visit, order=visit.order, patient=visit.patient)
        _set_plan(record, plan)
        record.save()
        keep("prepared", record, by=by)
    elif rules.plan_differs(record, plan):
        _set_plan(record, plan)
        record.save()
        keep("prepared_again", record, by=by)
    _take_over_baseline(record, now)
    return record


def _plan_or_refuse(visit: Appointment, product: Product, today: dt.date) -> DayPlan:
    plan = day_plan(visit, product, today)
    if plan is None:
        raise RuleViolation([rules.plan_missing()])
    return plan


def _set_plan(record: DoseRecord, plan: DayPlan) -> None:
    for name in ("product", "planned_g", "planned_volume_ml", "weight_kg", "max_rate_ml_per_h", "plan"):
        setattr(record, name, getattr(plan, name))
    _void_second_check(record)


def _void_second_check(record: DoseRecord) -> None:
    """What was checked is no longer what will be given."""
    record.second_check_by = record.second_check_at = record.second_checked = None


def _take_over_baseline(record: DoseRecord, now: dt.datetime) -> None:
    """The vital signs of today's closed checklist are those before the infusion: nobody types them twice."""
    if record.vital_signs.filter(phase=Phase.BASELINE).exists():
        return
    signs = rules.checked_signs(record.appointment, now)
    if not signs:
        return
    last = max(signs.values(), key=lambda answer: answer.answered_at)
    values = {field: Decimal(str(answer.value)) for field, answer in signs.items()}
    VitalSigns.objects.create(
        record=record,
        phase=Phase.BASELINE,
        at=last.answered_at,
        recorded_at=now,
        recorded_by=last.answered_by,
        **values,
    )


@transaction.atomic
def choose_product(*, record: DoseRecord, product: Product, by, now: dt.datetime | None = None) -> DoseRecord:
    """Take another product that the order allows, before any vial: the plan is computed anew for it."""
    now = now or clock.now()
    course = lock(record)
    refuse_if_blocking(
        [*rules.preparing_problems(record), *vial_rules.product_problems(record, product, has_vials=bool(course.vials))]
    )
    if product.pk != record.product_id:
        today = clock.local_date(now, record.appointment.site.time_zone)
        _set_plan(record, _plan_or_refuse(record.appointment, product, today))
        record.save()
        keep("product_chosen", record, by=by, product=product.key)
    return record


@transaction.atomic
def add_vial(
    *,
    record: DoseRecord,
    grams: Decimal,
    lot: str,
    expires_on: dt.date | None,
    serial: str = "",
    product: Product | None = None,
    out_of_fridge_on: dt.date | None = None,
    by,
    now: dt.datetime | None = None,
) -> VialUsed:
    """Record one vial. The first one may be of another product that the order allows. A second check made is void.

    Where the site tracks its stock the vial is taken from there; what is not there is recorded all the same.
    """
    now = now or clock.now()
    choose_product(record=record, product=product or record.product, by=by, now=now)
    today = clock.local_date(now, record.appointment.site.time_zone)
    lot, serial = written_lot(lot), serial.strip()
    if lot:
        stock.hold_lot(product=record.product, lot=lot)
    what = {"grams": grams, "lot": lot, "expires_on": expires_on}
    refuse_if_blocking(
        vial_rules.vial_problems(record, **what, serial=serial, today=today, out_of_fridge_on=out_of_fridge_on)
    )
    vial = VialUsed(record=record, product=record.product, **what, serial=serial, recorded_at=now, recorded_by=by)
    if record.appointment.site.tracks_stock:
        vial.stock_item = stock.use_vial(
            site=record.appointment.site, product=record.product, **what, vial_id=vial.public_id, by=by, now=now
        )
    vial.out_of_fridge_on = out_of_fridge_on or stock_rules.left_fridge_on(vial.stock_item, today)
    vial.save()
    _void_second_check(record)
    record.save()
    keep("vial_added", record, by=by, product=record.product.key, lot=lot, vial=vial.public_id)
    return vial


@transaction.atomic
def add_vials(*, record: DoseRecord, count: int, serial: str = "", **vial) -> list[VialUsed]:
    """Several vials of one size and lot; a serial belongs to a single one."""
    return [add_vial(record=record, serial=serial if count == 1 else "", **vial) for _ in range(count)]


@transaction.atomic
def remove_vial(*, vial: VialUsed, by, now: dt.datetime | None = None) -> None:
    """Take back a vial before the start: it was typed wrongly or is not used. Stock that it came from gets it back."""
    record = vial.record
    lock(record)
    refuse_if_blocking(rules.preparing_problems(record))
    keep("vial_removed", record, by=by, lot=vial.lot, vial=vial.public_id)
    if vial.stock_item is not None:
        stock.take_back_vial(item=vial.stock_item, vial_id=vial.public_id, by=by, now=now or clock.now())
    vial.delete()
    _void_second_check(record)
    record.save()


@transaction.atomic
def second_check(*, record: DoseRecord, by, now: dt.datetime | None = None) -> DoseRecord:
    """A second person vouches for what the site has checked by two, as it is on the record now."""
    course = lock(record)
    refuse_if_blocking(second_check_problems(record, by))
    record.second_check_by, record.second_check_at = by, now or clock.now()
    record.second_checked = content_to_check(course)
    record.save()
    keep("second_checked", record, by=by)
    return record


@transaction.atomic
def start_infusion(*, record: DoseRecord, by, now: dt.datetime | None = None) -> DoseRecord:
    """The first drop, at the first planned rate. The visit is in progress from now on."""
    now = now or clock.now()
    lock(record)
    _lock_patient_and_order(record)
    if record.state == DoseState.PREPARING:
        _take_over_baseline(record, now)
    refuse_if_blocking(rules.start_problems(record, by=by, now=now))
    course = course_of(record)
    record.state, record.started_at, record.started_by = DoseState.INFUSING, now, by
    record.save()
    add_rate(course, RateKind.START, course.steps[0].rate_ml_per_h, by=by, now=now)
    attendance.begin(appointment=record.appointment, by=by, now=now)
    keep("started", record, by=by)
    return record


def _lock_patient_and_order(record: DoseRecord) -> None:
    """Two visits of one patient start one after the other, and no order is held or stopped between rules and start."""
    Patient.objects.select_for_update(no_key=True).get(pk=record.patient_id)
    record.order = InfusionOrder.objects.select_for_update(no_key=True).get(pk=record.order_id)
