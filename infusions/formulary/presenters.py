"""Formulary rows as pages show them: facts with source and trust mark, rates in both units, states in words."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from decimal import Decimal

from infusion_center.core import clock
from infusions.formulary import dosing
from infusions.formulary.catalog import source_text
from infusions.formulary.models import Excipient, MasterUnit, Product, RateSchedule, ReviewedModel, TrustMark
from infusions.formulary.queries import vial_sizes_g
from infusions.formulary.services import SIGN_OFF

MARKS = [(mark.value, mark.label) for mark in TrustMark]
RATE_WORDS = {"start": "start rate", "steps": "rate steps", "maximum": "maximum rate"}


@dataclass
class Page:
    """What a page gathers while its facts are drawn: its sources, numbered as they come, and the zone for its dates."""

    zone_name: str = "UTC"
    sources: list[str] = field(default_factory=list)

    def number_of(self, source: str) -> int | None:
        if not source:
            return None
        if source not in self.sources:
            self.sources.append(source)
        return self.sources.index(source) + 1

    def date(self, instant: dt.datetime) -> str:
        return f"{clock.local_date(instant, self.zone_name):%d %b %Y}"


@dataclass(frozen=True, kw_only=True)
class Fact:
    """One line of a facts list. `mark` is S, H, M or U, or empty where nothing says where the fact comes from."""

    label: str
    value: str
    mark: str = ""
    source_number: int | None = None
    note: str = ""

    @property
    def mark_words(self) -> str:
        return TrustMark(self.mark).label if self.mark else ""


@dataclass(frozen=True, kw_only=True)
class State:
    """How far a row may be used: word, icon and shape (the CSS class state-<shape>), never colour alone."""

    word: str
    icon: str
    shape: str
    detail: str = ""

    @property
    def is_locked(self) -> bool:
        return self.shape == "held"


@dataclass(frozen=True, kw_only=True)
class StepRow:
    number: int
    mg_per_kg_per_min: str
    ml_per_kg_per_h: str
    minutes: int | None
    volume_ml_per_kg: str


@dataclass(frozen=True, kw_only=True)
class ScheduleView:
    schedule: RateSchedule
    state: State
    facts: list[Fact]
    steps: list[StepRow]
    steps_fact: Fact


@dataclass(frozen=True, kw_only=True)
class ProductRow:
    """One line of the list of products."""

    product: Product
    vials: str
    excipients: str
    uses: list[tuple[RateSchedule, State]]
    locked: int


def number(value: Decimal | int | None, places: str = "0.01") -> str:
    """A number as people write it: at most two decimals, no trailing zeros."""
    return "" if value is None else f"{Decimal(value).quantize(Decimal(places)).normalize():f}"


def span(low: Decimal | int, high: Decimal | int) -> str:
    return number(low) if low == high else f"{number(low)}–{number(high)}"


def excipient_words(product: Product) -> str:
    return ", ".join(Excipient(code).label for code in product.excipients) or "none"


def vial_words(product: Product) -> str:
    return ", ".join(str(size) for size in vial_sizes_g(product)) + " g"


def schedule_state(schedule: RateSchedule, page: Page) -> State:
    if schedule.is_signed:
        return State(word="Signed", icon="badge-check", shape="signed", detail=signature_words(schedule, page))
    if schedule.is_verified:
        detail = "Usable, from its sources; no pharmacist of this center signed it."
        return State(word="Sourced", icon="check", shape="inactive", detail=detail)
    unverified = [RATE_WORDS[name] for name in schedule.unverified_rates]
    last = unverified.pop()
    what = f"{', '.join(unverified)} and {last}" if unverified else last
    detail = f"Unverified: {what}. Locked until a pharmacist signs."
    return State(word="Locked", icon="lock", shape="held", detail=detail)


def product_state(product: Product, page: Page) -> State:
    """Whether a pharmacist of this center vouches for the facts of the product itself."""
    if product.is_signed:
        return State(word="Signed", icon="badge-check", shape="signed", detail=signature_words(product, page))
    if product.changed_at is not None:
        detail = f"Changed by {product.changed_by.full_name}, {page.date(product.changed_at)}; not signed since."
        return State(word="Changed", icon="pencil", shape="inactive", detail=detail)
    return State(
        word="Sourced", icon="check", shape="inactive", detail="As shipped; no pharmacist of this center signed it."
    )


def product_row(product: Product, page: Page) -> ProductRow:
    uses = [(schedule, schedule_state(schedule, page)) for schedule in product.schedules.all()]
    return ProductRow(
        product=product,
        vials=vial_words(product),
        excipients=excipient_words(product),
        uses=uses,
        locked=sum(state.is_locked for _, state in uses),
    )


def signature_words(row: ReviewedModel, page: Page) -> str:
    label = row.sources.get(SIGN_OFF, {}).get("source", "")
    against = f", against: {label}" if label else ""
    return f"{row.signed_by.full_name}, {page.date(row.signed_at)}{against}"


def product_facts(product: Product, page: Page) -> list[Fact]:
    strength = f"{product.strength_percent} ({number(product.concentration_mg_per_ml)} mg/mL)"
    warming = f"{product.warm_up_minutes} min at room temperature" if product.needs_warming else "none needed"
    rows = [
        ("concentration_mg_per_ml", "Strength", strength),
        ("vial_sizes_g", "Vials", vial_words(product)),
        ("excipients", "Stabiliser, sugar", excipient_words(product)),
        ("iga_ug_per_ml", "IgA", _with_unit(product.iga_ug_per_ml, "{} µg/mL") or "unknown"),
        ("storage", "Storage", product.storage),
        ("warm_up_minutes", "Warming", warming),
        ("room_temperature_days", "Unrefrigerated", _with_unit(product.room_temperature_days, "{} days at most")),
        ("reconstitution_minutes", "Reconstitution", _with_unit(product.reconstitution_minutes or None, "{} min")),
        ("dilution", "Dilution", product.dilution),
        ("min_age_years", "Age", _with_unit(product.min_age_years, "from {} years")),
        ("cautions", "Cautions", product.cautions),
    ]
    return [_fact(page, product, name, label, value) for name, label, value in rows if value]


def schedule_facts(schedule: RateSchedule, page: Page) -> list[Fact]:
    dose = f"{span(schedule.dose_min_mg_per_kg, schedule.dose_max_mg_per_kg)} mg/kg"
    days = f"{span(schedule.days_min, schedule.days_max)} {'day' if schedule.days_max == 1 else 'days'}"
    interval = schedule.interval_min_days
    rows = [
        ("dose_mg_per_kg", "Dose of a course", dose),
        ("days", "Over", days),
        ("interval_days", "Every", f"{span(interval, schedule.interval_max_days)} days" if interval else "as needed"),
        ("min_age_years", "Age", _with_unit(schedule.min_age_years, "from {} years")),
        ("maximum", "Maximum rate", both_units(schedule, schedule.max_mg_per_kg_per_min)),
    ]
    facts = [_fact(page, schedule, name, label, value) for name, label, value in rows if value]
    cap = both_units(schedule, schedule.at_risk_cap_mg_per_kg_per_min)
    if schedule.at_risk_max_mg_per_kg_per_min is None:
        note = "default: no number in the label"
        return [*facts, Fact(label="At-risk limit", value=cap, mark=TrustMark.UNVERIFIED, note=note)]
    return [*facts, _fact(page, schedule, "at_risk_maximum", "At-risk limit", cap)]


def both_units(schedule: RateSchedule, rate: Decimal) -> str:
    """The label's own unit first: 8 mg/kg/min (4.8 mL/kg/h)."""
    ml = number(dosing.ml_per_kg_per_h(rate, schedule.product.concentration_mg_per_ml))
    mg_first = schedule.master_unit == MasterUnit.MG_PER_KG_PER_MIN
    return f"{number(rate)} mg/kg/min ({ml} mL/kg/h)" if mg_first else f"{ml} mL/kg/h ({number(rate)} mg/kg/min)"


def step_rows(schedule: RateSchedule) -> list[StepRow]:
    concentration = schedule.product.concentration_mg_per_ml
    rows = []
    for step in schedule.steps.all():
        ml = dosing.ml_per_kg_per_h(step.mg_per_kg_per_min, concentration)
        rows.append(
            StepRow(
                number=step.position,
                mg_per_kg_per_min=number(step.mg_per_kg_per_min),
                ml_per_kg_per_h=number(ml),
                minutes=step.minutes,
                volume_ml_per_kg=number(ml * step.minutes / 60) if step.minutes else "",
            )
        )
    return rows


def schedule_view(schedule: RateSchedule, page: Page) -> ScheduleView:
    return ScheduleView(
        schedule=schedule,
        state=schedule_state(schedule, page),
        facts=schedule_facts(schedule, page),
        steps=step_rows(schedule),
        steps_fact=_fact(page, schedule, "steps", "Steps", ""),
    )


def _with_unit(value: Decimal | int | None, words: str) -> str:
    return "" if value is None else words.format(number(value))


def _fact(page: Page, row: ReviewedModel, name: str, label: str, value: str) -> Fact:
    known = row.sources.get(name, {})
    return Fact(
        label=label,
        value=value,
        mark=known.get("status", TrustMark.UNVERIFIED.value),
        source_number=page.number_of(source_text(known.get("source", ""))),
        note=known.get("note", ""),
    )
