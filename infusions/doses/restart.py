"""Whether a dose must begin, and stay, at the lowest step: a first dose, another brand, or a long gap.

Source: fact sheet 1b: first dose, change of brand, or more than eight weeks since the last one.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from infusion_center.core import clock
from infusions.doses.models import DoseRecord, DoseState
from infusions.orders.queries import LONG_GAP


@dataclass(frozen=True)
class LastDose:
    """The dose before this one; the product is empty where only its day is known, from elsewhere."""

    on: dt.date
    product: str = ""


def restart_reason(*, product: str, on: dt.date, last: LastDose | None, is_first: bool) -> str:
    """Why the climb begins at the lowest step and no step may come early; empty where the patient knows the product.

    `is_first`: the order says first dose or change of brand. He may have had another brand elsewhere.
    """
    if last is not None and last.product and last.product != product:
        return f"The last infusion was {last.product}"
    if is_first:
        known_here = last is not None and last.product
        return f"First infusion of {product}" + (", or changed to it" if known_here else "")
    if last is None:
        return ""
    days = (on - last.on).days
    return f"Last infusion {days} days ago" if on - last.on > LONG_GAP else ""


def restart_reason_of(record: DoseRecord, now: dt.datetime) -> str:
    """The same for a record, from the signed records of its patient; one statement."""
    begins, order = record.started_at or now, record.order
    earlier = DoseRecord.objects.filter(patient=record.patient_id, state=DoseState.SIGNED, started_at__lt=begins)
    before = earlier.select_related("product", "appointment__site").order_by("-started_at").first()
    if before is not None:
        last = LastDose(clock.local_date(before.started_at, before.appointment.site.time_zone), str(before.product))
    else:
        last = LastDose(order.last_dose_on) if order.last_dose_on else None
    return restart_reason(
        product=str(record.product),
        on=clock.local_date(begins, record.appointment.site.time_zone),
        last=last,
        is_first=order.is_first_dose and _is_first_of_order(record, before),
    )


def _is_first_of_order(record: DoseRecord, before: DoseRecord | None) -> bool:
    """Signed, the order has counted it: then what came before it tells."""
    if record.state == DoseState.SIGNED:
        return before is None or before.order_id != record.order_id
    return record.order.doses_given == 0
