"""A pharmacist's writes to the formulary: amend or add a row, which locks it, and sign it, which opens it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from django.db import transaction

from infusion_center.audit import services as audit
from infusion_center.core import clock
from infusion_center.core.rules import RuleViolation, blocker, refuse_if_blocking
from infusions.formulary.catalog import replace_steps
from infusions.formulary.models import (
    RATE_FACTS,
    Indication,
    MasterUnit,
    Product,
    RateSchedule,
    TrustMark,
    VialSize,
)
from infusions.formulary.rules import schedule_shape_problems

Steps = Sequence[tuple[Decimal, int | None]]

# Columns of one fact that share a source in `sources`.
FACT_OF = {
    "dose_min_mg_per_kg": "dose_mg_per_kg",
    "dose_max_mg_per_kg": "dose_mg_per_kg",
    "days_min": "days",
    "days_max": "days",
    "interval_min_days": "interval_days",
    "interval_max_days": "interval_days",
    "max_mg_per_kg_per_min": "maximum",
    "at_risk_max_mg_per_kg_per_min": "at_risk_maximum",
}
SIGN_OFF = "sign_off"  # the key in `sources` that says what a signature was checked against


@transaction.atomic
def sign_schedule(
    *,
    schedule: RateSchedule,
    checked_against: str,
    by,
    seen_at: dt.datetime | None = None,
    now: dt.datetime | None = None,
) -> RateSchedule:
    """Sign what the pharmacist saw; `seen_at` is its updated_at then. Raises RuleViolation if it changed since."""
    schedule = RateSchedule.objects.select_for_update().get(pk=schedule.pk)
    problems = schedule_shape_problems(
        steps=[(step.mg_per_kg_per_min, step.minutes) for step in schedule.steps.order_by("position")],
        maximum=schedule.max_mg_per_kg_per_min,
        at_risk_maximum=schedule.at_risk_max_mg_per_kg_per_min,
    )
    refuse_if_blocking(problems)
    _sign(schedule, checked_against, by, seen_at, now)
    return schedule


@transaction.atomic
def sign_product(
    *, product: Product, checked_against: str, by, seen_at: dt.datetime | None = None, now: dt.datetime | None = None
) -> Product:
    """Sign the facts of a product: strength, vials, excipients, storage. Its schedules are signed one by one."""
    product = Product.objects.select_for_update().get(pk=product.pk)
    _sign(product, checked_against, by, seen_at, now)
    return product


def _sign(row: Product | RateSchedule, checked_against: str, by, seen_at, now) -> None:
    if row.is_signed:
        raise RuleViolation([blocker("already-signed", f"{row} is signed already.")])
    if seen_at is not None and row.updated_at != seen_at:
        message = f"{row} was changed while you read it. Nothing was signed."
        raise RuleViolation([blocker("changed-meanwhile", message, remedy="Read it again, then sign.")])
    if not checked_against.strip():
        message = "Name the label that you checked it against."
        raise RuleViolation([blocker("label-missing", message, field="checked_against")])
    row.signed_by, row.signed_at = by, now or clock.now()
    row.sources = {**row.sources, SIGN_OFF: {"source": checked_against.strip(), "status": TrustMark.SEEN.value}}
    row.save()
    audit.record(f"{row._meta.model_name}.signed", row, by=by, checked_against=checked_against.strip())


@transaction.atomic
def amend_schedule(
    *,
    schedule: RateSchedule,
    changes: Mapping[str, Any],
    steps: Steps,
    source: str,
    by,
    now: dt.datetime | None = None,
) -> RateSchedule:
    """Change a schedule's columns (`changes`) and steps of (mg/kg/min, minutes).

    What changed takes `source` and counts as unverified, and the signature falls: a changed rate gives no schedule
    before it is signed again. Raises RuleViolation.
    """
    schedule = RateSchedule.objects.select_for_update().get(pk=schedule.pk)
    before = [(step.mg_per_kg_per_min, step.minutes) for step in schedule.steps.order_by("position")]
    differing = _differing(schedule, changes)
    facts = {FACT_OF.get(name, name) for name in differing}
    steps = list(steps)
    if steps != before:
        facts.add("steps")
        differing["steps"] = [_steps_text(before), _steps_text(steps)]
        if not before or not steps or steps[0][0] != before[0][0]:
            facts.add("start")
    values = {name: changes.get(name, getattr(schedule, name)) for name in FACT_OF}
    refuse_if_blocking(
        [
            *schedule_shape_problems(
                steps=steps,
                maximum=values["max_mg_per_kg_per_min"],
                at_risk_maximum=values["at_risk_max_mg_per_kg_per_min"],
            ),
            *_source_problems(source, differing),
        ]
    )
    _mark_changed(schedule, changes, facts, source, by, now)
    if "steps" in facts:
        replace_steps(schedule, steps)
    audit.record("rateschedule.amended", schedule, by=by, source=source.strip(), changes=differing)
    return schedule


@transaction.atomic
def add_schedule(
    *,
    product: Product,
    indication: Indication,
    changes: Mapping[str, Any],
    steps: Steps,
    source: str,
    by,
    master_unit: str = MasterUnit.MG_PER_KG_PER_MIN,
    now: dt.datetime | None = None,
) -> RateSchedule:
    """Give a product rates for an indication that the shipped file has none for, such as an off-label use.

    All of it counts as unverified, so it gives no schedule before it is signed. Raises RuleViolation.
    """
    problems = schedule_shape_problems(
        steps=steps,
        maximum=changes["max_mg_per_kg_per_min"],
        at_risk_maximum=changes["at_risk_max_mg_per_kg_per_min"],
    )
    if RateSchedule.objects.filter(product=product, indication=indication).exists():
        message = f"{product} has rates for {indication} already: change those."
        problems.append(blocker("schedule-exists", message, field="indication"))
    refuse_if_blocking([*problems, *_source_problems(source, changes)])
    schedule = RateSchedule(product=product, indication=indication, master_unit=master_unit)
    facts = {FACT_OF.get(name, name) for name, value in changes.items() if value is not None}
    _mark_changed(schedule, changes, facts | set(RATE_FACTS), source, by, now)
    replace_steps(schedule, steps)
    audit.record("rateschedule.added", schedule, by=by, source=source.strip(), steps=_steps_text(steps))
    return schedule


@transaction.atomic
def amend_product(
    *,
    product: Product,
    changes: Mapping[str, Any],
    vial_sizes_g: Sequence[Decimal],
    source: str,
    by,
    now: dt.datetime | None = None,
) -> Product:
    """Change a product's facts and vial sizes; what changed takes `source`, and the signature falls."""
    product = Product.objects.select_for_update().get(pk=product.pk)
    differing = _differing(product, changes)
    facts = set(differing)
    sizes, before = set(vial_sizes_g), {vial.grams for vial in product.vial_sizes.all()}
    if sizes != before:
        facts.add("vial_sizes_g")
        differing["vial_sizes_g"] = [[_text(size) for size in sorted(each)] for each in (before, sizes)]
    problems = _source_problems(source, differing)
    if not sizes or min(sizes) <= 0:
        message = "Give at least one vial size, in grams above 0."
        problems.append(blocker("vials-missing", message, field="vial_sizes_g"))
    refuse_if_blocking(problems)
    _mark_changed(product, changes, facts, source, by, now)
    product.vial_sizes.exclude(grams__in=sizes).delete()
    VialSize.objects.bulk_create(VialSize(product=product, grams=size) for size in sorted(sizes - before))
    audit.record("product.amended", product, by=by, source=source.strip(), changes=differing)
    return product


def _differing(row: Product | RateSchedule, changes: Mapping[str, Any]) -> dict[str, list]:
    """{column: [old, new]} as text, of the columns that really change."""
    return {
        name: [_text(getattr(row, name)), _text(value)]
        for name, value in changes.items()
        if getattr(row, name) != value
    }


def _source_problems(source: str, differing: Mapping) -> list:
    if not differing:
        return [blocker("nothing-changed", "Nothing was changed.")]
    if not source.strip():
        return [blocker("source-missing", "Name the label or paper that the change comes from.", field="source")]
    return []


def _mark_changed(row: Product | RateSchedule, changes, facts: set[str], source: str, by, now) -> None:
    for name, value in changes.items():
        setattr(row, name, value)
    sources = {name: fact for name, fact in row.sources.items() if name != SIGN_OFF}
    unverified = {"source": source.strip(), "status": TrustMark.UNVERIFIED.value, "note": f"entered by {by.full_name}"}
    row.sources = sources | dict.fromkeys(sorted(facts), unverified)
    row.signed_by = row.signed_at = None
    row.changed_by, row.changed_at = by, now or clock.now()
    row.full_clean()
    row.save()


def _text(value: Any) -> str:
    return f"{value.normalize():f}" if isinstance(value, Decimal) else str(value)


def _steps_text(steps: Steps) -> str:
    return ", ".join(_text(rate) + (f" x {minutes} min" if minutes else "") for rate, minutes in steps)
