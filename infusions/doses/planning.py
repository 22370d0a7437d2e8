"""The plan of one day's dose as a record keeps it: computed by the order's rules, frozen into plain values."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from infusions.doses.models import DoseRecord
from infusions.formulary import dosing
from infusions.formulary.models import Product
from infusions.formulary.queries import usable_schedule
from infusions.orders.models import InfusionOrder
from infusions.orders.queries import order_plan, rate_cap
from infusions.scheduling.models import Appointment
from patients.queries import is_at_risk

CENT = Decimal("0.01")


@dataclass(frozen=True)
class DayPlan:
    """Values of the DoseRecord fields of the same names."""

    product: Product
    planned_g: Decimal
    planned_volume_ml: Decimal
    weight_kg: Decimal
    max_rate_ml_per_h: Decimal
    plan: dict


def day_plan(appointment: Appointment, product: Product, on: dt.date) -> DayPlan | None:
    """What is to be given at this visit; None while the product has no verified schedule or the day is not planned.

    The cap is the schedule's maximum, or its at-risk cap (fact sheet 1b). The patient's risks of `on` count besides
    those known when the order was signed.
    """
    order = appointment.order
    schedule, whole = usable_schedule(product, order.indication), order_plan(order, product, on=on)
    if schedule is None or whole is None or not 1 <= appointment.course_day <= len(whole.days):
        return None
    day = whole.days[appointment.course_day - 1]
    weight = order.rate_weight_kg or order.dosing_weight_kg
    at_risk = order.at_risk or is_at_risk(order.patient, on)
    cap = rate_cap(schedule, at_risk)
    fastest = dosing.pump_rate_ml_per_h(cap * weight * 60 / product.concentration_mg_per_ml)
    plan = {
        "grams": _plain(day.grams),
        "concentration_mg_per_ml": _plain(product.concentration_mg_per_ml),
        "cap_mg_per_kg_per_min": _plain(cap),
        "at_risk": at_risk,
        "vials": {_plain(size): count for size, count in day.vials.items()},
        "steps": [_step(step, fastest) for step in day.steps],
    }
    return DayPlan(
        product=product,
        planned_g=day.grams.quantize(CENT, ROUND_HALF_UP),
        planned_volume_ml=day.volume_ml.quantize(CENT, ROUND_HALF_UP),
        weight_kg=weight,
        max_rate_ml_per_h=fastest,
        plan=plan,
    )


def cap_now_ml_per_h(record: DoseRecord, on: dt.date) -> Decimal:
    """The cap of the record, or a lower one when since then a risk came to light or the schedule was cut."""
    schedule = usable_schedule(record.product, record.order.indication)
    if schedule is None:
        return record.max_rate_ml_per_h
    at_risk = record.plan["at_risk"] or is_at_risk(record.patient, on)
    concentration = Decimal(record.plan["concentration_mg_per_ml"])
    now = dosing.pump_rate_ml_per_h(rate_cap(schedule, at_risk) * record.weight_kg * 60 / concentration)
    return min(record.max_rate_ml_per_h, now)


def _step(step: dosing.PlannedStep, fastest: Decimal) -> dict:
    return {
        "rate_ml_per_h": _plain(min(dosing.pump_rate_ml_per_h(step.rate_ml_per_h), fastest)),
        "mg_per_kg_per_min": _plain(step.mg_per_kg_per_min),
        "minutes": step.minutes,
        "volume_ml": _plain(step.volume_ml.quantize(CENT, ROUND_HALF_UP)),
    }


def allowed_products(order: InfusionOrder) -> list[Product]:
    """The ordered product first, then those that may be given instead."""
    return [order.product, *(other for other in order.alternatives.all() if other.pk != order.product_id)]


def _plain(number: Decimal) -> str:
    return f"{number.normalize():f}"
