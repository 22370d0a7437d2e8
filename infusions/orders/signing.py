"""What a signature keeps: the order and its plan as they were, in one form whose hash can be checked again."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from decimal import Decimal

from infusion_center.core.rules import Problem, Severity
from infusions.formulary.dosing import InfusionPlan
from infusions.orders.models import InfusionOrder, Signature
from infusions.orders.queries import OrderFacts, ProductPlan

ORDER_FIELDS = (
    "regimen",
    "prescriber_name",
    "dose_mg_per_kg",
    "days",
    "round_to_g",
    "weight_method",
    "actual_weight_kg",
    "weight_measured_on",
    "dosing_weight_kg",
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
)


def signed_content(order: InfusionOrder, facts: OrderFacts, problems: Iterable[Problem]) -> dict:
    """Text only: a database may write numbers anew, and the hash must still be right."""
    return {
        "order": order.public_id,
        "version": str(order.version),
        "patient": {"id": order.patient.public_id, "mrn": order.patient.mrn, "name": order.patient.full_legal_name},
        "indication": order.indication.name,
        "fields": {name: _text(getattr(order, name)) for name in ORDER_FIELDS},
        "at_risk": _text(facts.at_risk),
        "products": [_product(one) for one in facts.products],
        "problems": [f"{problem.severity}: {problem.message}" for problem in problems],
    }


def content_hash(content: dict) -> str:
    """SHA-256 over the content with sorted keys and no spaces."""
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(canonical.encode()).hexdigest()


def is_intact(signature: Signature) -> bool:
    return content_hash(signature.content) == signature.content_hash


def accepted_codes(problems: Iterable[Problem]) -> list[str]:
    """Codes of what the prescriber decided to accept."""
    return sorted({problem.code for problem in problems if problem.severity == Severity.APPROVAL})


def _product(one: ProductPlan) -> dict:
    schedule = one.schedule.public_id if one.schedule else ""
    return {
        "product": one.product.key,
        "label": str(one.product),
        "schedule": schedule,
        "plan": _plan(one.plan) if one.plan else {},
    }


def _plan(plan: InfusionPlan) -> dict:
    return {
        "exact_g": _text(plan.exact_g),
        "total_g": _text(plan.total_g),
        "days": [
            {
                "grams": _text(day.grams),
                "volume_ml": _text(day.volume_ml),
                "minutes": _text(day.minutes),
                "vials": [f"{_text(grams)} g x {count}" for grams, count in day.vials.items()],
                "steps": [
                    f"{_text(step.mg_per_kg_per_min)} mg/kg/min = {_text(step.rate_ml_per_h)} mL/h, {step.minutes} min"
                    for step in day.steps
                ],
            }
            for day in plan.days
        ],
    }


def _text(value) -> str:
    if isinstance(value, Decimal):
        return f"{value.normalize():f}"
    return "" if value is None else str(value)
