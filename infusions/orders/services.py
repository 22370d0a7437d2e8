"""Writes about orders: draft, amend, sign, hold, release, stop, and that a dose was given."""

from __future__ import annotations

import datetime as dt
from decimal import ROUND_HALF_UP, Decimal

from django.core.exceptions import ValidationError
from django.db import transaction

from infusion_center.audit import services as audit
from infusion_center.core import clock
from infusion_center.core.rules import RuleViolation, blocker, refuse_if_blocking
from infusions.formulary.dosing import adjusted_weight_kg
from infusions.orders import queries, rules, signing
from infusions.orders.models import InfusionOrder, OrderEvent, OrderStatus, Signature, WeightMethod
from patients import queries as patients
from patients.models import Patient

EDITABLE = frozenset(
    {
        "indication",
        "regimen",
        "product",
        "prescriber_name",
        "dose_mg_per_kg",
        "days",
        "round_to_g",
        "weight_method",
        "actual_weight_kg",
        "weight_measured_on",
        "rate_weight_kg",
        "interval_days",
        "tolerance_days",
        "premedication",
        "notes",
        "starts_on",
        "valid_until",
        "visits_authorized",
        "authorization_number",
        "is_first_dose",
        "home_allowed",
    }
)
LIVE = (OrderStatus.DRAFT, OrderStatus.SIGNED, OrderStatus.HELD)
SHARE_OF_EXCESS = {WeightMethod.IDEAL: Decimal("0"), WeightMethod.ADJUSTED: Decimal("0.4")}


@transaction.atomic
def draft_order(*, patient: Patient, by, **fields) -> InfusionOrder:
    """A new draft; `fields` are those of EDITABLE and `alternatives`. What is left out gets its usual value.

    A draft may still have clinical problems: they are shown, and refuse the signature.
    """
    order = InfusionOrder(patient=patient, last_dose_on=queries.last_dose_day(patient))
    alternatives = fields.pop("alternatives", ())
    fill_in(order, fields)
    _refuse_invalid(order)
    order.save()
    order.alternatives.set(alternatives)
    _keep_event(order, "drafted", by=by)
    audit.record("order.drafted", order, by=by, patient=patient, product=order.product.key)
    return order


@transaction.atomic
def amend_draft(*, order: InfusionOrder, version: int, by, **fields) -> InfusionOrder:
    """Change a draft; `version` is the one that the form was opened with."""
    _lock(order)
    _refuse_unless(order, OrderStatus.DRAFT)
    if order.version != version:
        message = "Somebody else changed this draft while you were editing."
        raise RuleViolation([blocker("order-changed", message, remedy="Look at it again and repeat your change.")])
    alternatives = fields.pop("alternatives", None)
    before = {name: getattr(order, name) for name in fields}
    fill_in(order, fields)
    order.version += 1
    _refuse_invalid(order)
    order.save()
    if alternatives is not None:
        order.alternatives.set(alternatives)
    changed = sorted(name for name, value in before.items() if getattr(order, name) != value)
    _keep_event(order, "amended", by=by)
    audit.record("order.amended", order, by=by, patient=order.patient, changed=changed)
    return order


@transaction.atomic
def sign_order(
    *, order: InfusionOrder, by, override_reason: str = "", now: dt.datetime | None = None, version: int | None = None
) -> InfusionOrder:
    """Sign a draft for its prescriber. Rules are asked again; what needs approval needs a reason, which is kept."""
    now = now or clock.now()
    _lock(order)
    _refuse_unless(order, OrderStatus.DRAFT)
    if version is not None and order.version != version:
        message = "The draft was changed after you opened it."
        raise RuleViolation([blocker("order-changed", message, remedy="Read it again before signing.")])
    facts = queries.order_facts(order, on=clock.local_date(now, order.patient.time_zone))
    problems = rules.order_problems(order, facts=facts)
    refuse_if_blocking(problems, override_reason)
    accepted = signing.accepted_codes(problems)
    order.status, order.at_risk = OrderStatus.SIGNED, facts.at_risk
    order.infusion_minutes = queries.longest_day_minutes(facts.products)
    order.version += 1
    order.save()
    content = signing.signed_content(order, facts, problems)
    Signature.objects.create(
        order=order,
        prescriber_name=order.prescriber_name,
        signed_by=by,
        signed_at=now,
        content=content,
        content_hash=signing.content_hash(content),
        overridden=accepted,
        override_reason=override_reason.strip() if accepted else "",
    )
    _keep_event(order, "signed", by=by, now=now)
    audit.record("order.signed", order, by=by, patient=order.patient, overridden=accepted)
    return order


@transaction.atomic
def hold_order(*, order: InfusionOrder, reason: str, by) -> InfusionOrder:
    """Nothing is booked or started by it until somebody releases it."""
    return _move(order, "held", OrderStatus.HELD, reason, by, OrderStatus.SIGNED)


@transaction.atomic
def release_order(*, order: InfusionOrder, reason: str, by) -> InfusionOrder:
    return _move(order, "released", OrderStatus.SIGNED, reason, by, OrderStatus.HELD)


@transaction.atomic
def stop_order(*, order: InfusionOrder, reason: str, by) -> InfusionOrder:
    """For good: a stopped order is not taken up again, a new one is entered."""
    return _move(order, "stopped", OrderStatus.STOPPED, reason, by, *LIVE)


@transaction.atomic
def note_dose_given(*, order: InfusionOrder, given_on: dt.date, by) -> InfusionOrder:
    """Count a dose. Every live order of the patient learns the day, because its interval is counted from it too."""
    _lock(order)
    order.doses_given += 1
    order.last_dose_on = max(given_on, order.last_dose_on or given_on)
    order.save(update_fields=["doses_given", "last_dose_on", "updated_at"])
    others = InfusionOrder.objects.filter(patient_id=order.patient_id, status__in=LIVE).exclude(pk=order.pk)
    for other in others.select_for_update().order_by("pk"):
        if other.last_dose_on is None or other.last_dose_on < given_on:
            other.last_dose_on = given_on
            other.save(update_fields=["last_dose_on", "updated_at"])
    audit.record("order.dose_noted", order, by=by, patient=order.patient, doses_given=order.doses_given)
    return order


def fill_in(order: InfusionOrder, fields: dict) -> None:
    """Set what was entered, and what follows from it: regimen, weight on record, dosing weight, a year's validity."""
    if unknown := set(fields) - EDITABLE:
        raise TypeError(f"Not entered by hand: {', '.join(sorted(unknown))}")
    for name, value in fields.items():
        setattr(order, name, value)
    order.regimen = fields.get("regimen") or order.indication.regimen
    if order.actual_weight_kg is None and (weight := patients.current_weight(order.patient)):
        order.actual_weight_kg, order.weight_measured_on = weight.kg, weight.measured_on
    order.starts_on = order.starts_on or queries.patient_today(order.patient)
    order.weight_measured_on = order.weight_measured_on or queries.patient_today(order.patient)
    order.valid_until = order.valid_until or rules.year_after(order.starts_on)
    order.dosing_weight_kg = dosing_weight(order)


def dosing_weight(order: InfusionOrder) -> Decimal | None:
    """By the order's method, to 10 g; the actual weight where the height is missing (which the rules then block).

    Source: fact sheet 2, dosing weight: Devine's ideal weight, adjusted by 0.4 of the excess.
    """
    actual, height = order.actual_weight_kg, order.patient.height_cm
    share = SHARE_OF_EXCESS.get(WeightMethod(order.weight_method))
    if actual is None or share is None or not height:
        return actual
    weight = adjusted_weight_kg(sex=order.patient.sex, height_cm=height, actual_kg=actual, factor=share)
    return weight.quantize(Decimal("0.01"), ROUND_HALF_UP)


def _lock(order: InfusionOrder) -> None:
    """Take the row until the transaction ends and see it as it is now."""
    order.refresh_from_db(from_queryset=InfusionOrder.objects.select_for_update())


def _move(order: InfusionOrder, kind: str, status: str, reason: str, by, *allowed: str) -> InfusionOrder:
    if not reason.strip():
        raise RuleViolation([blocker("reason-missing", "Say why.", field="reason")])
    _lock(order)
    _refuse_unless(order, *allowed)
    order.status, order.status_reason = status, "" if status == OrderStatus.SIGNED else reason.strip()[:200]
    order.save(update_fields=["status", "status_reason", "updated_at"])
    _keep_event(order, kind, by=by, reason=reason.strip()[:200])
    audit.record(f"order.{kind}", order, by=by, patient=order.patient)
    return order


def _keep_event(order: InfusionOrder, kind: str, *, by, reason: str = "", now: dt.datetime | None = None) -> None:
    OrderEvent.objects.create(order=order, kind=kind, reason=reason, at=now or clock.now(), by=by)


def _refuse_unless(order: InfusionOrder, *allowed: str) -> None:
    if order.status not in allowed:
        message = f"The order is {order.get_status_display().lower()}, so this is not possible."
        raise RuleViolation([blocker("order-status", message, remedy="Load the page again.")])


def _refuse_invalid(order: InfusionOrder) -> None:
    try:
        order.full_clean()
    except ValidationError as invalid:
        raise RuleViolation(
            [
                blocker("invalid", message, field="" if field == "__all__" else field)
                for field, messages in invalid.message_dict.items()
                for message in messages
            ]
        ) from invalid
