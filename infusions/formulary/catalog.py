"""Loads the shipped formulary (products.toml). Repeatable; rows a pharmacist signed or changed stay as they are."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import Any

from django.db import models, transaction

from infusion_center.audit import services as audit
from infusions.formulary import dosing
from infusions.formulary.models import (
    Excipient,
    Indication,
    MasterUnit,
    Product,
    RateSchedule,
    RateStep,
    TrustMark,
    VialSize,
)

CATALOG = Path(__file__).with_name("products.toml")
UNKNOWN = "unknown"
RATE_STEP = Decimal("0.00000001")  # as fine as the columns are
PRODUCT_FACTS = {
    "concentration_mg_per_ml": None,
    "excipients": [],
    "iga_ug_per_ml": None,
    "storage": "",
    "warm_up_minutes": 0,
    "room_temperature_days": None,
    "reconstitution_minutes": 0,
    "dilution": "",
    "cautions": "",
    "min_age_years": None,
}


class CatalogError(ValueError):
    """The shipped file contradicts itself; nothing was loaded."""


@dataclass
class LoadReport:
    """Names of rows, by what happened to them."""

    created: list[str] = field(default_factory=list)
    updated: list[str] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        return (
            f"{len(self.created)} created, {len(self.updated)} updated, {len(self.unchanged)} unchanged, "
            f"{len(self.kept)} kept as a pharmacist left them"
        )


@lru_cache(maxsize=4)
def read_catalog(path: Path = CATALOG) -> dict[str, Any]:
    with path.open("rb") as file:
        return tomllib.load(file, parse_float=Decimal)


def source_text(key: str) -> str:
    """What a source key of the shipped file stands for; a pharmacist's own words stand for themselves."""
    return read_catalog()["sources"].get(key, key)


@transaction.atomic
def load_catalog(*, path: Path = CATALOG, by=None) -> LoadReport:
    """Bring the tables up to the shipped file. Raises CatalogError when the file contradicts itself."""
    catalog, report = read_catalog(path), LoadReport()
    known = set(catalog["sources"])
    for row in catalog["indication"]:
        _load_indication(row, report, by)
    indications = {indication.code: indication for indication in Indication.objects.all()}
    for row in catalog["product"]:
        product = _load_product(row, known, report, by)
        for schedule_row in row.get("schedule", ()):
            indication = indications.get(schedule_row["indication"])
            if indication is None:
                raise CatalogError(f"{row['key']}: there is no indication {schedule_row['indication']!r}")
            _load_schedule(schedule_row, product, indication, known, report, by)
    return report


def _load_indication(row: dict, report: LoadReport, by) -> None:
    values = {
        "name": row["name"],
        "regimen": row["regimen"],
        "max_g_per_kg_per_day": Decimal(row.get("max_g_per_kg_per_day", 1)),
        "icd10_prefixes": row["icd10"],
    }
    _save(Indication.objects.filter(code=row["code"]).first() or Indication(code=row["code"]), values, report, by)


def _load_product(row: dict, known: set[str], report: LoadReport, by) -> Product:
    facts = _Facts(row, row["key"], known)
    values = {name: facts.value(name, default) for name, default in PRODUCT_FACTS.items()}
    values |= {"name": row["name"], "maker": row["maker"], "form": row["form"]}
    if not set(values["excipients"]) <= set(Excipient.values):
        raise CatalogError(f"{row['key']}: unknown excipient among {values['excipients']}")
    values["needs_warming"] = values["warm_up_minutes"] > 0
    sizes = {Decimal(size) for size in facts.value("vial_sizes_g", [])}
    values["sources"] = facts.sources

    product = Product.objects.filter(key=row["key"]).first() or Product(key=row["key"])
    if product.is_ours:
        report.kept.append(str(product))
        return product
    parts_differ = product.pk is None or {vial.grams for vial in product.vial_sizes.all()} != sizes
    _save(product, values, report, by, parts_differ=parts_differ)
    if parts_differ:
        product.vial_sizes.exclude(grams__in=sizes).delete()
        have = {vial.grams for vial in product.vial_sizes.all()}
        VialSize.objects.bulk_create(VialSize(product=product, grams=size) for size in sorted(sizes - have))
    return product


def _load_schedule(row: dict, product: Product, indication: Indication, known: set[str], report: LoadReport, by):
    facts = _Facts(row, f"{product.key} {indication.code}", known)
    schedule = RateSchedule.objects.filter(product=product, indication=indication).first() or RateSchedule(
        product=product, indication=indication
    )
    if schedule.is_ours:
        report.kept.append(str(schedule))
        return
    values, steps = _schedule_values(facts, row, product)
    parts_differ = schedule.pk is None or steps != [
        (step.mg_per_kg_per_min, step.minutes) for step in schedule.steps.order_by("position")
    ]
    _save(schedule, values, report, by, parts_differ=parts_differ)
    if parts_differ:
        replace_steps(schedule, steps)


def _schedule_values(facts: _Facts, row: dict, product: Product) -> tuple[dict, list[tuple[Decimal, int | None]]]:
    unit = MasterUnit(row["unit"])

    def rate(value) -> Decimal | None:
        return None if value is None else to_mg_per_kg_per_min(value, unit, product)

    dose, days = facts.value("dose_mg_per_kg"), facts.value("days")
    interval = facts.value("interval_days", None) or (None, None)
    start, maximum, at_risk = (rate(facts.value(name, None)) for name in ("start", "maximum", "at_risk_maximum"))
    steps = [(rate(step[0]), step[1] if len(step) == 2 else None) for step in facts.value("steps")]
    if steps[0][0] != start or max(step[0] for step in steps) > maximum:
        raise CatalogError(f"{facts.where}: steps must begin at the start rate and stay below the maximum")
    if any(minutes is None for _, minutes in steps[:-1]) or steps[-1][1] is not None:
        raise CatalogError(f"{facts.where}: only the last step runs to the end")
    values = {
        "dose_min_mg_per_kg": Decimal(dose[0]),
        "dose_max_mg_per_kg": Decimal(dose[1]),
        "days_min": days[0],
        "days_max": days[1],
        "interval_min_days": interval[0],
        "interval_max_days": interval[1],
        "min_age_years": facts.value("min_age_years", None),
        "max_mg_per_kg_per_min": maximum,
        "at_risk_max_mg_per_kg_per_min": at_risk,
        "master_unit": unit,
        "steps_note": row.get("note", ""),
        "sources": facts.sources,
    }
    return values, steps


def to_mg_per_kg_per_min(rate: Decimal | int, unit: MasterUnit, product: Product) -> Decimal:
    """A rate in the label's unit as it is stored."""
    rate = Decimal(rate)
    if unit == MasterUnit.ML_PER_KG_PER_H:
        rate = dosing.mg_per_kg_per_min(rate, product.concentration_mg_per_ml)
    return rate.quantize(RATE_STEP)


def replace_steps(schedule: RateSchedule, steps: Iterable[tuple[Decimal, int | None]]) -> None:
    schedule.steps.all().delete()
    RateStep.objects.bulk_create(
        RateStep(schedule=schedule, position=position, mg_per_kg_per_min=rate, minutes=minutes)
        for position, (rate, minutes) in enumerate(steps, start=1)
    )


class _Facts:
    """The facts of one table of the file, and the sources met while reading them."""

    def __init__(self, row: dict, where: str, known: set[str]):
        self.row, self.where, self.known = row, where, known
        self.sources: dict[str, dict[str, str]] = {}

    def value(self, name: str, default: Any = ...) -> Any:
        if name not in self.row:
            if default is ...:
                raise CatalogError(f"{self.where}: {name} is missing")
            return default
        value, source, mark, *note = self.row[name]
        if mark not in TrustMark.values or (source and source not in self.known):
            raise CatalogError(f"{self.where}: {name} names an unknown source or mark ({source}, {mark})")
        self.sources[name] = {"source": source, "status": mark} | ({"note": note[0]} if note else {})
        return default if value == UNKNOWN else value


def _save(row: models.Model, values: dict, report: LoadReport, by, *, parts_differ: bool = False) -> None:
    creating = row.pk is None
    differing = [name for name, value in values.items() if creating or getattr(row, name) != value]
    if not differing and not parts_differ:
        report.unchanged.append(str(row))
        return
    for name, value in values.items():
        setattr(row, name, value)
    row.full_clean(validate_unique=False, validate_constraints=False)  # the database does, without a query for each
    row.save()
    (report.created if creating else report.updated).append(str(row))
    audit.record(f"{row._meta.model_name}.loaded", row, by=by, fields=[] if creating else differing)
