"""The highest rate of a visit in mL/h, ordinary and at risk, as the dose record will hold it."""

from dataclasses import dataclass
from decimal import Decimal

from infusions.checklists.values import plain
from infusions.formulary import dosing
from infusions.formulary.queries import usable_schedule
from infusions.orders.models import InfusionOrder
from infusions.orders.queries import rate_cap


@dataclass(frozen=True)
class Cap:
    ml_per_h: Decimal
    mg_per_kg_per_min: Decimal

    def __str__(self) -> str:
        return f"{plain(self.ml_per_h)} mL/h ({plain(self.mg_per_kg_per_min)} mg/kg/min)"


@dataclass(frozen=True)
class Caps:
    ordinary: Cap
    at_risk: Cap


def caps_of(order: InfusionOrder) -> Caps | None:
    """None while the product has no verified schedule. Source: labels, maximum and at-risk number (fact sheet 1b)."""
    schedule = usable_schedule(order.product, order.indication)
    if schedule is None:
        return None
    return Caps(*(_cap(order, rate_cap(schedule, at_risk)) for at_risk in (False, True)))


def _cap(order: InfusionOrder, mg_per_kg_per_min: Decimal) -> Cap:
    weight = order.rate_weight_kg or order.dosing_weight_kg
    exact = mg_per_kg_per_min * weight * 60 / order.product.concentration_mg_per_ml
    return Cap(dosing.pump_rate_ml_per_h(exact), mg_per_kg_per_min)
