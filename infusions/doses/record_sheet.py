"""What the printed record shows beside the record's own parts: order, check, cap, where the vials lay."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from infusions.checklists.models import ChecklistOverride, PreInfusionChecklist
from infusions.doses.course import Course
from infusions.doses.models import VialUsed
from infusions.doses.restart import restart_reason_of
from infusions.orders.models import Signature
from infusions.stock.models import MovementKind, StockMovement

TOLD = {
    MovementKind.RECEIVED: "received",
    MovementKind.TO_ROOM: "out of the refrigerator",
    MovementKind.FROM_FRIDGE: "out of the refrigerator",
}


@dataclass(frozen=True)
class VialLine:
    vial: VialUsed
    storage: str


@dataclass(frozen=True)
class RecordSheet:
    order_signature: Signature | None
    run: PreInfusionChecklist | None
    overrides: Sequence[ChecklistOverride]
    vials: Sequence[VialLine]
    cap_sum: str
    restart: str


def record_sheet(course: Course, now) -> RecordSheet:
    record = course.record
    runs = PreInfusionChecklist.objects.filter(appointment=record.appointment)
    run = runs.select_related("template", "started_by", "closed_by").order_by("-started_at", "-pk").first()
    signatures = Signature.objects.filter(order=record.order).select_related("signed_by")
    return RecordSheet(
        order_signature=signatures.order_by("-signed_at", "-pk").first(),
        run=run,
        overrides=list(run.overrides.select_related("overridden_by")) if run else [],
        vials=vial_lines(course.vials),
        cap_sum=cap_sum(course),
        restart=restart_reason_of(record, now),
    )


def cap_sum(course: Course) -> str:
    """8 mg/kg/min × 70 kg × 60 ÷ 100 mg/mL = 336 mL/h. Source: fact sheet, arithmetic used everywhere."""
    record, cap = course.record, course.record.plan["cap_mg_per_kg_per_min"]
    weight, concentration = _plain(record.weight_kg), _plain(course.concentration_mg_per_ml)
    fastest = _plain(record.max_rate_ml_per_h)
    return f"{cap} mg/kg/min × {weight} kg × 60 ÷ {concentration} mg/mL = {fastest} mL/h"


def vial_lines(vials: Sequence[VialUsed]) -> list[VialLine]:
    """Each vial with where its stock came from and lay; one statement for all."""
    told: dict[int, list[str]] = defaultdict(list)
    items = [vial.stock_item_id for vial in vials if vial.stock_item_id]
    if items:
        moved = StockMovement.objects.filter(item__in=items, kind__in=TOLD).order_by("at", "pk")
        for movement in moved.select_related("item"):
            reason = f" ({movement.reason})" if movement.reason else ""
            told[movement.item_id].append(f"{TOLD[movement.kind]} {movement.at:%d-%b-%Y}{reason}")
    return [VialLine(vial, "; ".join(_storage(vial, told[vial.stock_item_id]))) for vial in vials]


def _storage(vial: VialUsed, told: Sequence[str]) -> list[str]:
    lay = list(told[:2])
    if vial.stock_item_id:
        lay.insert(0, vial.stock_item.get_storage_display().lower())
    if vial.out_of_fridge_on and not any(text.startswith("out of") for text in lay):
        lay.append(f"out of the refrigerator {vial.out_of_fridge_on:%d-%b-%Y}")
    return lay


def _plain(number) -> str:
    return f"{number.normalize():f}"
