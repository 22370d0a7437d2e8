"""What may stand against a vial, and against all vials of a dose. Table with sources: docs/clinical-rules.md."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from infusion_center.core.rules import Problem, blocker, warning
from infusions.doses.course import Course
from infusions.doses.models import DoseRecord, DoseState, VialUsed
from infusions.doses.planning import allowed_products
from infusions.formulary.models import Product
from infusions.stock import queries as stock
from infusions.stock import rules as stock_rules

DOSE_TOLERANCE = Decimal("0.10")


def product_problems(record: DoseRecord, product: Product, *, has_vials: bool) -> list[Problem]:
    """Only what the order names, and one brand and strength in one dose.

    Source: fact sheet 1a (do not mix with another brand) and 1c (rates belong to product and strength).
    """
    if product.pk not in {allowed.pk for allowed in allowed_products(record.order)}:
        message = f"The order does not name {product}."
        return [blocker("product-not-ordered", message, field="product", remedy=f"Use {record.order.product}.")]
    if has_vials and product.pk != record.product_id:
        message = f"{product} must not be mixed with {record.product}."
        return [blocker("vial-other-product", message, field="product", remedy="Remove the other vials first.")]
    return []


def vial_problems(
    record: DoseRecord,
    *,
    grams: Decimal,
    lot: str,
    expires_on: dt.date | None,
    serial: str,
    today: dt.date,
    out_of_fridge_on: dt.date | None = None,
) -> list[Problem]:
    """One vial: lot and expiry known, in date, of a size that exists, not opened twice, fit to be given.

    Source: fact sheet 3 (product row: expired blocks) and 5 (one row per vial; a blank lot or expiry never closes).
    """
    problems = stock_rules.size_problems(record.product, grams)
    problems += stock_rules.label_problems(lot, expires_on, today)
    problems += stock_rules.recall_problems(record.product, [lot])
    problems += stock_rules.room_problems(record.product, expires_on, out_of_fridge_on, today)
    if serial:
        problems += serial_problems(record.product, serial, record=record)
    standing = stock.lot_standing(record.appointment.site, record.product, lot=lot, grams=grams, today=today)
    if standing.is_set_aside:
        message = f"All vials of lot {lot} at {record.appointment.site} are set aside."
        remedy = "Take another lot, or have the pharmacist release them."
        problems.append(blocker("vial-quarantined", message, field="lot", remedy=remedy))
    if standing.over_since and not standing.usable and out_of_fridge_on is None:
        problems.append(stock_rules.room_over(standing.over_since))
    return problems


def serial_problems(product: Product, serial: str, *, record: DoseRecord | None = None) -> list[Problem]:
    """Single use, at every site. Source: fact sheet 1a."""
    used = VialUsed.objects.filter(product=product, serial=serial).select_related("record").first()
    if used is None:
        return []
    if record is not None and used.record_id == record.pk:
        message, remedy = f"The vial with serial {serial} is on this dose already.", "Scan the next vial."
    elif used.record.state == DoseState.PREPARING:
        message = f"The vial with serial {serial} stands prepared for another dose."
        remedy = "Take another, or remove it from that dose first."
    else:
        message, remedy = f"The vial with serial {serial} has been used already.", "Set it aside and take another."
    return [blocker("vial-serial-used", message, field="serial", remedy=remedy)]


def vials_problems(course: Course, today: dt.date) -> list[Problem]:
    """Whether the vials together are the planned dose.

    Short of the plan by more than 10 %, or a vial too many, blocks; a smaller difference is shown. A last vial that is
    only used in part is no difference: the pump is told the planned volume and the rest is waste.
    Source: fact sheet 2 (rounding within 10 %), 1a (one brand and strength), 3 (in date).
    """
    if not course.vials:
        return [blocker("vials-missing", "No vials are recorded.", remedy="Add each vial with lot and expiry.")]
    record, lots = course.record, {vial.lot for vial in course.vials}
    problems = [stock_rules.expired(vial.expires_on) for vial in course.vials if vial.expires_on < today][:1]
    if any(vial.product_id != record.product_id for vial in course.vials):
        problems.append(blocker("vial-other-product", f"A vial is not {record.product}.", remedy="Remove it."))
    problems += product_problems(record, record.product, has_vials=True)
    problems += stock_rules.recall_problems(record.product, lots)
    for vial in course.vials:
        problems += stock_rules.room_problems(record.product, vial.expires_on, vial.out_of_fridge_on, today)
    problems += _amount_problems(course)
    if len(lots) > 1:
        message = "The vials come from more than one lot: each of them is on the record."
        problems.append(warning("vial-lots-mixed", message))
    return list(dict.fromkeys([*problems, *_stock_warnings(course)]))


def _stock_warnings(course: Course) -> list[Problem]:
    site = course.record.appointment.site
    strange = sorted({vial.lot for vial in course.vials if vial.stock_item_id is None})
    return [not_in_stock(lot, site) for lot in strange] if site.tracks_stock else []


def not_in_stock(lot: str, site) -> Problem:
    message = f"A vial of lot {lot} is not in the stock of {site}: nothing was taken from it."
    return warning("vial-not-in-stock", message, remedy="Compare lot and expiry with the vial, or receive it first.")


def _amount_problems(course: Course) -> list[Problem]:
    planned, total = course.record.planned_g, course.vials_g
    text = f"The vials hold {_g(total)}; {_g(planned)} are planned"
    smallest = min(vial.grams for vial in course.vials)
    if total < planned * (1 - DOSE_TOLERANCE):
        return [blocker("vials-short", f"{text}.", remedy=f"Add {_g(planned - total)}.")]
    if total < planned:
        return [warning("vials-below-plan", f"{text}: only what they hold will be given.")]
    if total - smallest < planned:  # every vial is needed
        waste = total - planned
        return [warning("vial-waste", f"{text}: {_g(waste)} will be left over as waste.")] if waste else []
    if total > planned * (1 + DOSE_TOLERANCE):
        return [blocker("vials-too-many", f"{text}.", remedy=f"Remove a vial of {_g(smallest)} or more.")]
    return [warning("vials-above-plan", f"{text}: the rest is waste.")]


def _g(grams: Decimal) -> str:
    return f"{grams.normalize():f} g"
